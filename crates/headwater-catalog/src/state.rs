//! The catalog in memory: every object and the indexes by which they are found. Immutable once
//! published; a change publishes another one.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use headwater_model::Id;
use rustc_hash::FxHashMap;

use crate::{
    Authorization, Bucket, DbrpMapping, Error, Organization, Profile, Result, User,
    change::Change,
    dbrp::OrganizationMappings,
    legacy::LegacyRecord,
    token::{TokenHash, TokenRecord},
    user::UserRecord,
};

/// All objects of one moment. Lists are in the order of creation unless told otherwise.
#[derive(Debug, Clone, Default)]
pub struct State {
    profile: Profile,
    organizations: BTreeMap<Id, Arc<Organization>>,
    organization_names: BTreeMap<String, Id>,
    users: BTreeMap<Id, UserRecord>,
    user_names: BTreeMap<String, Id>,
    tokens: BTreeMap<Id, TokenRecord>,
    token_hashes: FxHashMap<TokenHash, Id>,
    legacy: BTreeMap<Id, LegacyRecord>,
    legacy_names: BTreeMap<String, Id>,
    buckets: BTreeMap<Id, Arc<Bucket>>,
    /// By organization, then by name.
    bucket_names: BTreeMap<Id, BTreeMap<String, Id>>,
    /// The stored ones.
    mappings: BTreeMap<Id, Arc<DbrpMapping>>,
    /// Stored and virtual ones by organization, derived from `mappings` and `buckets`.
    mapping_index: BTreeMap<Id, Arc<OrganizationMappings>>,
}

impl State {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }

    /// Which server's rules about mappings hold.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether set-up may still run: there are no users and no organizations.
    pub fn is_setup_allowed(&self) -> bool {
        self.users.is_empty() && self.organizations.is_empty()
    }

    // Organizations.

    pub fn organizations(&self) -> impl DoubleEndedIterator<Item = &Arc<Organization>> {
        self.organizations.values()
    }

    pub fn organization(&self, id: Id) -> Option<&Arc<Organization>> {
        self.organizations.get(&id)
    }

    pub fn organization_by_name(&self, name: &str) -> Option<&Arc<Organization>> {
        self.organizations.get(self.organization_names.get(name)?)
    }

    /// The organization, or the error `organization not found`.
    pub fn require_organization(&self, id: Id) -> Result<&Arc<Organization>> {
        self.organization(id).ok_or(Error::OrganizationNotFound)
    }

    /// The organization, or the error `organization name "…" not found`.
    pub fn require_organization_by_name(&self, name: &str) -> Result<&Arc<Organization>> {
        self.organization_by_name(name)
            .ok_or_else(|| Error::OrganizationNameNotFound(name.to_owned()))
    }

    // Users.

    pub fn users(&self) -> impl DoubleEndedIterator<Item = &Arc<User>> {
        self.users.values().map(|record| &record.user)
    }

    pub fn user(&self, id: Id) -> Option<&Arc<User>> {
        self.users.get(&id).map(|record| &record.user)
    }

    pub fn user_by_name(&self, name: &str) -> Option<&Arc<User>> {
        self.user(*self.user_names.get(name)?)
    }

    /// The user, or the error `user not found`.
    pub fn require_user(&self, id: Id) -> Result<&Arc<User>> {
        self.user(id).ok_or(Error::UserNotFound)
    }

    pub(crate) fn user_record(&self, id: Id) -> Option<&UserRecord> {
        self.users.get(&id)
    }

    // API tokens.

    /// The API tokens; 1.x credentials are apart.
    pub fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Arc<Authorization>> {
        self.tokens.values().map(|record| &record.authorization)
    }

    pub fn authorization(&self, id: Id) -> Option<&Arc<Authorization>> {
        self.tokens.get(&id).map(|record| &record.authorization)
    }

    /// The API token, or the error `authorization not found`.
    pub fn require_authorization(&self, id: Id) -> Result<&Arc<Authorization>> {
        self.authorization(id).ok_or(Error::AuthorizationNotFound)
    }

    pub(crate) fn token_record(&self, id: Id) -> Option<&TokenRecord> {
        self.tokens.get(&id)
    }

    pub(crate) fn authorization_by_hash(&self, hash: &TokenHash) -> Option<&Arc<Authorization>> {
        self.authorization(*self.token_hashes.get(hash)?)
    }

    // 1.x credentials.

    /// The 1.x credentials; their `username` is set.
    pub fn legacy_authorizations(&self) -> impl DoubleEndedIterator<Item = &Arc<Authorization>> {
        self.legacy.values().map(|record| &record.authorization)
    }

    pub fn legacy_authorization(&self, id: Id) -> Option<&Arc<Authorization>> {
        self.legacy.get(&id).map(|record| &record.authorization)
    }

    pub fn legacy_authorization_by_username(&self, name: &str) -> Option<&Arc<Authorization>> {
        self.legacy_record_by_username(name)
            .map(|record| &record.authorization)
    }

    /// The 1.x credential, or the error `authorization not found`.
    pub fn require_legacy_authorization(&self, id: Id) -> Result<&Arc<Authorization>> {
        self.legacy_authorization(id)
            .ok_or(Error::AuthorizationNotFound)
    }

    pub(crate) fn legacy_record(&self, id: Id) -> Option<&LegacyRecord> {
        self.legacy.get(&id)
    }

    pub(crate) fn legacy_record_by_username(&self, name: &str) -> Option<&LegacyRecord> {
        self.legacy.get(self.legacy_names.get(name)?)
    }

    // Buckets.

    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = &Arc<Bucket>> {
        self.buckets.values()
    }

    /// The buckets of an organization by name.
    pub fn buckets_of(&self, organization: Id) -> impl DoubleEndedIterator<Item = &Arc<Bucket>> {
        self.bucket_names
            .get(&organization)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|id| self.buckets.get(id))
    }

    pub fn bucket(&self, id: Id) -> Option<&Arc<Bucket>> {
        self.buckets.get(&id)
    }

    pub fn bucket_by_name(&self, organization: Id, name: &str) -> Option<&Arc<Bucket>> {
        self.buckets
            .get(self.bucket_names.get(&organization)?.get(name)?)
    }

    /// The bucket, or the error `bucket not found`.
    pub fn require_bucket(&self, id: Id) -> Result<&Arc<Bucket>> {
        self.bucket(id).ok_or(Error::BucketNotFound)
    }

    /// The bucket, or the error `bucket "…" not found`.
    pub fn require_bucket_by_name(&self, organization: Id, name: &str) -> Result<&Arc<Bucket>> {
        self.bucket_by_name(organization, name)
            .ok_or_else(|| Error::BucketNameNotFound(name.to_owned()))
    }

    // Mappings; what they mean is in `dbrp`.

    /// The mappings of an organization: stored ones in the order of creation, then virtual ones in
    /// the order of bucket names.
    pub fn mappings(&self, organization: Id) -> &[Arc<DbrpMapping>] {
        self.mapping_index
            .get(&organization)
            .map_or(&[], |index| index.all())
    }

    /// The mappings of one database, in the same order.
    pub fn database_mappings(&self, organization: Id, database: &str) -> &[Arc<DbrpMapping>] {
        self.mapping_index
            .get(&organization)
            .map_or(&[], |index| index.of_database(database))
    }

    pub(crate) fn stored_mapping(&self, id: Id) -> Option<&Arc<DbrpMapping>> {
        self.mappings.get(&id)
    }

    pub(crate) fn stored_mappings(&self) -> btree_map::Values<'_, Id, Arc<DbrpMapping>> {
        self.mappings.values()
    }

    // Changing; only before publication.

    /// Puts or removes one object and keeps the indexes by name and hash in step. Those of
    /// mappings are derived later, by [`Self::index_all_mappings`].
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::PutOrganization(organization) => {
                self.apply(&Change::RemoveOrganization(organization.id));
                self.organization_names
                    .insert(organization.name.clone(), organization.id);
                self.organizations
                    .insert(organization.id, Arc::clone(organization));
            }
            Change::RemoveOrganization(id) => {
                if let Some(old) = self.organizations.remove(id) {
                    self.organization_names.remove(&old.name);
                }
            }
            Change::PutUser(record) => {
                self.apply(&Change::RemoveUser(record.user.id));
                self.user_names
                    .insert(record.user.name.clone(), record.user.id);
                self.users.insert(record.user.id, record.clone());
            }
            Change::RemoveUser(id) => {
                if let Some(old) = self.users.remove(id) {
                    self.user_names.remove(&old.user.name);
                }
            }
            Change::PutToken(record) => {
                self.token_hashes
                    .insert(record.hash, record.authorization.id);
                self.tokens.insert(record.authorization.id, record.clone());
            }
            Change::RemoveToken(id) => {
                if let Some(old) = self.tokens.remove(id) {
                    self.token_hashes.remove(&old.hash);
                }
            }
            Change::PutLegacy(record) => {
                self.legacy_names
                    .insert(record.username().to_owned(), record.authorization.id);
                self.legacy.insert(record.authorization.id, record.clone());
            }
            Change::RemoveLegacy(id) => {
                if let Some(old) = self.legacy.remove(id) {
                    self.legacy_names.remove(old.username());
                }
            }
            Change::PutBucket(bucket) => {
                self.apply(&Change::RemoveBucket(bucket.id));
                let names = self.bucket_names.entry(bucket.org_id).or_default();
                names.insert(bucket.name.clone(), bucket.id);
                self.buckets.insert(bucket.id, Arc::clone(bucket));
            }
            Change::RemoveBucket(id) => {
                if let Some(old) = self.buckets.remove(id)
                    && let Some(names) = self.bucket_names.get_mut(&old.org_id)
                {
                    names.remove(&old.name);
                }
            }
            Change::PutMapping(mapping) => {
                self.mappings.insert(mapping.id, Arc::clone(mapping));
            }
            Change::RemoveMapping(id) => {
                self.mappings.remove(id);
            }
        }
    }

    /// Derives the lists of mappings from the stored ones and, for virtual ones, from the buckets.
    pub(crate) fn index_all_mappings(&mut self) {
        let mut stored: BTreeMap<Id, Vec<Arc<DbrpMapping>>> = BTreeMap::new();
        for mapping in self.mappings.values() {
            stored
                .entry(mapping.org_id)
                .or_default()
                .push(Arc::clone(mapping));
        }
        self.mapping_index = self
            .organizations
            .keys()
            .map(|organization| {
                let stored = stored.remove(organization).unwrap_or_default();
                let index = match self.profile {
                    Profile::Oss => {
                        OrganizationMappings::with_virtual(stored, self.buckets_of(*organization))
                    }
                    Profile::Cloud | Profile::V1 => OrganizationMappings::new(stored),
                };
                (*organization, Arc::new(index))
            })
            .collect();
    }

    /// The greatest id of all objects.
    pub(crate) fn newest_id(&self) -> Option<Id> {
        [
            self.organizations.keys().next_back(),
            self.users.keys().next_back(),
            self.tokens.keys().next_back(),
            self.legacy.keys().next_back(),
            self.buckets.keys().next_back(),
            self.mappings.keys().next_back(),
        ]
        .into_iter()
        .flatten()
        .max()
        .copied()
    }
}
