//! The unit of change: one object put or removed. A [`Draft`] collects them while it shows the
//! state as it will be, so that the rules of the nouns are plain synchronous code and SQL sees
//! only the finished list.

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Bucket, Catalog, DbrpMapping, Organization, State, legacy::LegacyRecord, token::TokenRecord,
    user::UserRecord,
};

/// One step of a change; also one row as it is loaded.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    PutOrganization(Arc<Organization>),
    RemoveOrganization(Id),
    PutUser(UserRecord),
    RemoveUser(Id),
    PutToken(TokenRecord),
    RemoveToken(Id),
    PutLegacy(LegacyRecord),
    RemoveLegacy(Id),
    PutBucket(Arc<Bucket>),
    RemoveBucket(Id),
    PutMapping(Arc<DbrpMapping>),
    RemoveMapping(Id),
}

/// A change in the making.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    catalog: &'a Catalog,
    state: State,
    changes: Vec<Change>,
    /// The time of the change, in nanoseconds since 1970.
    pub(crate) now: i64,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(catalog: &'a Catalog, state: State) -> Self {
        Self {
            catalog,
            state,
            changes: Vec::new(),
            now: catalog.now(),
        }
    }

    /// The state with the changes so far.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn new_id(&self) -> Id {
        self.catalog.new_id()
    }

    pub(crate) fn random(&self) -> &dyn headwater_env::Random {
        &**self.catalog.random()
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.state.apply(&change);
        self.changes.push(change);
    }

    /// The state to publish, with its derived indexes, and the steps to write.
    pub(crate) fn finish(mut self) -> (State, Vec<Change>) {
        if self.changes.iter().any(Change::touches_mappings) {
            self.state.index_all_mappings();
        }
        (self.state, self.changes)
    }
}

impl Change {
    /// Whether the list of mappings depends on what was changed; virtual ones follow buckets.
    fn touches_mappings(&self) -> bool {
        matches!(
            self,
            Self::PutBucket(_)
                | Self::RemoveBucket(_)
                | Self::PutMapping(_)
                | Self::RemoveMapping(_)
                | Self::RemoveOrganization(_)
        )
    }
}
