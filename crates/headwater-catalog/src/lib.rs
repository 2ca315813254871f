//! Who there is and where their data goes: organizations, users, API tokens and 1.x credentials,
//! buckets, DBRP mappings; and the records storage keeps about its files.
//!
//! Every business rule and error text of `spec/auth.md`, `spec/dbrp.md`,
//! `spec/v2_management.md` and `spec/write.md` §3 that is not about the shape of a request or an
//! answer is here. HTTP, paging, JSON and the contents of data files are not.
//!
//! # Reading
//!
//! [`Catalog::state`] gives an immutable [`State`]: all objects and their indexes, in memory.
//! Reading never touches SQL and never waits.
//!
//! # Changing
//!
//! Each change validates against the current state, writes one SQL transaction and then publishes
//! the next state; changes run one after another. An error means that nothing was changed.
//!
//! | nouns | methods of [`Catalog`] |
//! |---|---|
//! | set-up | [`setup`](Catalog::setup) |
//! | organizations | `create_organization`, `update_organization`, `delete_organization` |
//! | users | `create_user`, `update_user`, `delete_user`, `set_user_password` |
//! | API tokens | `create_authorization`, `update_authorization`, `delete_authorization` |
//! | 1.x credentials | the same with `_legacy_authorization`, `set_legacy_password` |
//! | buckets | `create_bucket`, `update_bucket`, `delete_bucket` |
//! | mappings | `create_mapping`, `update_mapping`, `delete_mapping`, [`map_for_write`](Catalog::map_for_write) |
//! | databases of 1.x | `create_database`, `drop_database`, `create_retention_policy`, `alter_retention_policy`, `drop_retention_policy` |
//! | storage | `storage_records`, `commit_files`, `remove_bucket_storage`, `new_id` |
//!
//! # Credentials
//!
//! `/query` and `/write`: [`authenticate_token_v1`](Catalog::authenticate_token_v1) and
//! [`authenticate_password`](Catalog::authenticate_password). `/api/v2`:
//! [`authenticate_token_v2`](Catalog::authenticate_token_v2) and
//! [`authenticate_session`](Catalog::authenticate_session), whose sessions
//! [`sign_in`](Catalog::sign_in) starts. Secrets are kept only as hashes.

mod catalog;
mod change;
mod error;

mod permission;

mod organization;
mod setup;
mod user;

mod authorization;
mod credential;
mod legacy;
mod password;
mod session;
mod token;

mod bucket;
mod database;
mod dbrp;
mod write_target;

mod file;
mod schema;
mod tombstone;

mod sql;
mod state;

pub use authorization::{Authorization, AuthorizationChange, NewAuthorization, NewToken, Status};
pub use bucket::{Bucket, BucketChange, BucketKind, NewBucket, RetentionRule};
pub use catalog::{Catalog, Profile, Settings};
pub use credential::{Identified, OwnerStatus};
pub use database::PolicyOptions;
pub use dbrp::{Access, DbrpMapping, MappingChange, MappingFilter, NewMapping};
pub use error::{Error, ErrorKind, Result};
pub use file::{FileChange, FileRecord, StorageRecords};
pub use legacy::NewLegacyAuthorization;
pub use organization::{NewOrganization, Organization, OrganizationChange};
pub use permission::{Action, Permission, ResourceType};
pub use schema::{SchemaColumn, SchemaRecord};
pub use session::Session;
pub use setup::{Setup, SetupOutcome};
pub use state::State;
pub use tombstone::TombstoneRecord;
pub use user::{NewUser, User, UserChange};
