//! The databases that a caller may read, from the catalog's mappings (`spec/auth.md` §5: what may
//! not be read is not there).

use std::sync::Arc;

use headwater_catalog::{Access, Action, Authorization, DbrpMapping, State};
use headwater_model::Id;

use crate::schema::{Databases, Policy};

/// The catalog at the start of a statement, as the caller sees it.
pub(crate) struct VisibleDatabases {
    authorization: Arc<Authorization>,
    /// In mapping order.
    mappings: Vec<Arc<DbrpMapping>>,
}

impl VisibleDatabases {
    pub(crate) fn new(state: &State, authorization: &Arc<Authorization>) -> Self {
        Self {
            mappings: state.mappings_visible(authorization, Access::Read),
            authorization: Arc::clone(authorization),
        }
    }

    pub(crate) fn mappings(&self) -> &[Arc<DbrpMapping>] {
        &self.mappings
    }

    pub(crate) fn of_database(&self, database: &str) -> impl Iterator<Item = &DbrpMapping> {
        self.mappings
            .iter()
            .map(|m| &**m)
            .filter(move |mapping| mapping.database == database)
    }

    /// The mapping of a policy, or of the default one when none is named.
    pub(crate) fn mapping(&self, database: &str, policy: &str) -> Option<&DbrpMapping> {
        self.of_database(database).find(|mapping| {
            if policy.is_empty() {
                mapping.is_default
            } else {
                mapping.retention_policy == policy
            }
        })
    }

    /// Whether the caller may change the data of a mapping's bucket.
    pub(crate) fn may_write(&self, mapping: &DbrpMapping) -> bool {
        self.authorization
            .can(Action::Write, mapping.bucket_id, mapping.org_id)
    }

    /// The bucket of a measurement whose database and policy are filled in.
    pub(crate) fn bucket(&self, database: &str, policy: &str) -> Option<Id> {
        self.mapping(database, policy)
            .map(|mapping| mapping.bucket_id)
    }
}

impl Databases for VisibleDatabases {
    fn policies(&self, database: &str) -> Vec<Policy> {
        self.of_database(database)
            .map(|mapping| Policy {
                name: mapping.retention_policy.clone(),
                bucket: mapping.bucket_id,
                is_default: mapping.is_default,
            })
            .collect()
    }
}
