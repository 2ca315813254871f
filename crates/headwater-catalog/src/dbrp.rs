//! DBRP mappings: which bucket a 1.x database and retention policy mean (`spec/dbrp.md`).
//!
//! **Invariant of the default.** Of the stored mappings of one organization and database exactly
//! one is the default, if there are any. Everything below that stores or removes a mapping keeps
//! it, and nothing else does either.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use headwater_model::Id;
use regex::Regex;

use crate::{
    Action, Authorization, Bucket, Catalog, Error, Profile, Result, State,
    change::{Change, Draft},
};

/// The retention policy of mappings that name none.
pub(crate) const AUTOGEN: &str = "autogen";

/// From a database and retention policy to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbrpMapping {
    /// A virtual mapping's id is its bucket's.
    pub id: Id,
    pub org_id: Id,
    pub bucket_id: Id,
    pub database: String,
    pub retention_policy: String,
    /// Whether it is meant where a request names the database only.
    pub is_default: bool,
    /// Whether it follows from the bucket's name and is not stored ([`Profile::Oss`]).
    pub is_virtual: bool,
}

/// What a caller must be able to do with a mapping's bucket to see the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Queries: write-only tokens see nothing.
    Read,
    /// Writes: write-only tokens work too.
    ReadOrWrite,
}

/// A mapping to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMapping {
    pub org_id: Id,
    pub bucket_id: Id,
    pub database: String,
    pub retention_policy: String,
    /// The first mapping of a database is the default in any case.
    pub is_default: bool,
}

/// What to change of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingChange {
    pub retention_policy: Option<String>,
    pub is_default: Option<bool>,
}

/// Which mappings to list; absent means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingFilter {
    pub id: Option<Id>,
    pub bucket_id: Option<Id>,
    pub database: Option<String>,
    pub retention_policy: Option<String>,
    pub is_default: Option<bool>,
}

impl MappingFilter {
    fn matches(&self, mapping: &DbrpMapping) -> bool {
        self.id.is_none_or(|id| mapping.id == id)
            && self.bucket_id.is_none_or(|id| mapping.bucket_id == id)
            && self
                .database
                .as_ref()
                .is_none_or(|name| mapping.database == *name)
            && self
                .retention_policy
                .as_ref()
                .is_none_or(|name| mapping.retention_policy == *name)
            && self
                .is_default
                .is_none_or(|is_default| mapping.is_default == is_default)
    }
}

impl Authorization {
    /// Whether the mapping's bucket is accessible enough for the mapping to be seen.
    pub fn sees(&self, mapping: &DbrpMapping, access: Access) -> bool {
        let can = |action| self.can(action, mapping.bucket_id, mapping.org_id);
        match access {
            Access::Read => can(Action::Read),
            Access::ReadOrWrite => can(Action::Read) || can(Action::Write),
        }
    }
}

impl State {
    /// All mappings of the caller's organization that the caller sees, in the order of
    /// [`State::mappings`].
    pub fn mappings_visible(
        &self,
        authorization: &Authorization,
        access: Access,
    ) -> Vec<Arc<DbrpMapping>> {
        self.mappings(authorization.org_id)
            .iter()
            .filter(|mapping| authorization.sees(mapping, access))
            .cloned()
            .collect()
    }

    /// The mapping of a database and retention policy, or of the database's default when the
    /// policy is absent or empty, if the caller sees it.
    pub fn resolve(
        &self,
        authorization: &Authorization,
        access: Access,
        database: &str,
        retention_policy: Option<&str>,
    ) -> Option<&Arc<DbrpMapping>> {
        let policy = retention_policy.filter(|name| !name.is_empty());
        self.database_mappings(authorization.org_id, database)
            .iter()
            .find(|mapping| {
                policy.map_or(mapping.is_default, |name| mapping.retention_policy == name)
                    && authorization.sees(mapping, access)
            })
    }

    /// The mappings of `organization` that match `filter` and that the caller may read, in the
    /// order of [`State::mappings`]. An unknown organization has none.
    pub fn list_mappings(
        &self,
        authorization: &Authorization,
        organization: Id,
        filter: &MappingFilter,
    ) -> Vec<Arc<DbrpMapping>> {
        self.mappings(organization)
            .iter()
            .filter(|mapping| filter.matches(mapping))
            .filter(|mapping| authorization.sees(mapping, Access::Read))
            .cloned()
            .collect()
    }

    /// The mapping of that id in `organization`, or the error `unable to find DBRP`. Whether the
    /// caller may see or change it is for the caller's authorization to say.
    pub fn require_mapping(&self, organization: Id, id: Id) -> Result<&Arc<DbrpMapping>> {
        self.mappings(organization)
            .iter()
            .find(|mapping| mapping.id == id)
            .ok_or(Error::MappingNotFound)
    }
}

impl Catalog {
    /// Creates a mapping. One of the same database and retention policy is a conflict in
    /// [`Profile::Oss`]; otherwise it keeps its id and points to the new bucket.
    pub async fn create_mapping(&self, new: NewMapping) -> Result<Arc<DbrpMapping>> {
        self.change(|draft| create(draft, &new)).await
    }

    /// Renames the retention policy of a mapping, or makes it the default or not. The only mapping
    /// of a database stays the default.
    pub async fn update_mapping(
        &self,
        organization: Id,
        id: Id,
        change: MappingChange,
    ) -> Result<Arc<DbrpMapping>> {
        self.change(|draft| update(draft, organization, id, &change))
            .await
    }

    /// Deletes a mapping. If it was the default, the database's oldest mapping becomes it.
    pub async fn delete_mapping(&self, organization: Id, id: Id) -> Result<()> {
        self.change(|draft| {
            let mapping = draft.state().require_mapping(organization, id)?;
            if mapping.is_virtual {
                return Err(Error::VirtualMappingDelete);
            }
            let mapping = Arc::clone(mapping);
            remove(draft, &mapping);
            Ok(())
        })
        .await
    }
}

/// Whether a database or retention policy may have this name: wider than the message says
/// (`spec/dbrp.md` §3).
pub(crate) fn is_name(name: &str) -> bool {
    static PRINTABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\A[\p{L}\p{M}\p{N}\p{P}\p{S} ]+\z").expect("the pattern is valid")
    });
    !matches!(name, "." | "..") && !name.contains(['/', '\\']) && PRINTABLE.is_match(name)
}

pub(crate) fn create(draft: &mut Draft<'_>, new: &NewMapping) -> Result<Arc<DbrpMapping>> {
    if !is_name(&new.database) {
        return Err(Error::DatabaseName);
    }
    if !is_name(&new.retention_policy) {
        return Err(Error::RetentionPolicyName);
    }
    draft.state().require_organization(new.org_id)?;
    if draft.state().require_bucket(new.bucket_id)?.org_id != new.org_id {
        return Err(Error::BucketNotFound);
    }
    let siblings = siblings(draft.state(), new.org_id, &new.database);
    let existing = siblings
        .iter()
        .find(|it| it.retention_policy == new.retention_policy);
    let mapping = match existing {
        Some(_) if draft.state().profile() == Profile::Oss => return Err(Error::MappingExists),
        Some(existing) => DbrpMapping {
            bucket_id: new.bucket_id,
            is_default: existing.is_default || new.is_default,
            ..DbrpMapping::clone(existing)
        },
        None => DbrpMapping {
            id: draft.new_id(),
            org_id: new.org_id,
            bucket_id: new.bucket_id,
            database: new.database.clone(),
            retention_policy: new.retention_policy.clone(),
            is_default: new.is_default || siblings.is_empty(),
            is_virtual: false,
        },
    };
    if existing.is_some_and(|existing| **existing == mapping) {
        return Ok(Arc::new(mapping));
    }
    Ok(put(draft, mapping))
}

/// Removes all mappings to a bucket.
pub(crate) fn remove_of_bucket(draft: &mut Draft<'_>, bucket: Id) {
    let mappings = draft
        .state()
        .stored_mappings()
        .filter(|mapping| mapping.bucket_id == bucket);
    for mapping in mappings.map(|mapping| mapping.id).collect::<Vec<_>>() {
        // Read again: an earlier removal may have made it the default.
        if let Some(mapping) = draft.state().stored_mapping(mapping).cloned() {
            remove(draft, &mapping);
        }
    }
}

pub(crate) fn update(
    draft: &mut Draft<'_>,
    organization: Id,
    id: Id,
    change: &MappingChange,
) -> Result<Arc<DbrpMapping>> {
    let mapping = draft.state().require_mapping(organization, id)?;
    if mapping.is_virtual {
        return Err(Error::VirtualMappingUpdate);
    }
    let mut mapping = DbrpMapping::clone(mapping);
    let siblings = siblings(draft.state(), organization, &mapping.database);
    if let Some(name) = &change.retention_policy {
        if !is_name(name) {
            return Err(Error::RetentionPolicyName);
        }
        if siblings
            .iter()
            .any(|other| other.id != id && other.retention_policy == *name)
        {
            return Err(Error::MappingExists);
        }
        mapping.retention_policy.clone_from(name);
    }
    match change.is_default {
        Some(false) if mapping.is_default => {
            if let Some(heir) = siblings.iter().find(|other| other.id != id) {
                mapping.is_default = false;
                put(
                    draft,
                    DbrpMapping {
                        is_default: true,
                        ..DbrpMapping::clone(heir)
                    },
                );
            }
        }
        Some(is_default) => mapping.is_default = is_default,
        None => {}
    }
    Ok(put(draft, mapping))
}

/// Stores a mapping; if it is the default, its siblings are not.
fn put(draft: &mut Draft<'_>, mapping: DbrpMapping) -> Arc<DbrpMapping> {
    if mapping.is_default {
        for other in siblings(draft.state(), mapping.org_id, &mapping.database) {
            if other.is_default && other.id != mapping.id {
                let other = DbrpMapping {
                    is_default: false,
                    ..DbrpMapping::clone(&other)
                };
                draft.push(Change::PutMapping(Arc::new(other)));
            }
        }
    }
    let mapping = Arc::new(mapping);
    draft.push(Change::PutMapping(Arc::clone(&mapping)));
    mapping
}

/// Removes a stored mapping; if it was the default, its oldest sibling is from then on.
pub(crate) fn remove(draft: &mut Draft<'_>, mapping: &DbrpMapping) {
    draft.push(Change::RemoveMapping(mapping.id));
    if mapping.is_default
        && let Some(heir) = siblings(draft.state(), mapping.org_id, &mapping.database).first()
    {
        put(
            draft,
            DbrpMapping {
                is_default: true,
                ..DbrpMapping::clone(heir)
            },
        );
    }
}

/// The stored mappings of a database, oldest first, the one in question among them.
pub(crate) fn siblings(state: &State, organization: Id, database: &str) -> Vec<Arc<DbrpMapping>> {
    state
        .stored_mappings()
        .filter(|mapping| mapping.org_id == organization && mapping.database == database)
        .cloned()
        .collect()
}

/// The mappings of one organization as requests look for them.
#[derive(Debug, Default)]
pub(crate) struct OrganizationMappings {
    all: Vec<Arc<DbrpMapping>>,
    by_database: BTreeMap<String, Vec<Arc<DbrpMapping>>>,
}

impl OrganizationMappings {
    pub(crate) fn new(all: Vec<Arc<DbrpMapping>>) -> Self {
        let mut by_database: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for mapping in &all {
            by_database
                .entry(mapping.database.clone())
                .or_default()
                .push(Arc::clone(mapping));
        }
        Self { all, by_database }
    }

    /// With a virtual mapping for each bucket whose name is not mapped by a stored one
    /// (`spec/dbrp.md` §5). `buckets` come by name.
    pub(crate) fn with_virtual<'a>(
        mut stored: Vec<Arc<DbrpMapping>>,
        buckets: impl Iterator<Item = &'a Arc<Bucket>>,
    ) -> Self {
        let taken: BTreeSet<_> = stored
            .iter()
            .map(|mapping| (mapping.database.clone(), mapping.retention_policy.clone()))
            .collect();
        // The database of each bucket, its policy, and whether the name has a slash.
        let candidates: Vec<_> = buckets
            .map(|bucket| match bucket.name.split_once('/') {
                Some((database, policy)) => (bucket, database, policy, true),
                None => (bucket, bucket.name.as_str(), AUTOGEN, false),
            })
            .filter(|(_, database, policy, _)| {
                !taken.contains(&((*database).to_owned(), (*policy).to_owned()))
            })
            .collect();
        let mut with_default: BTreeSet<String> = stored
            .iter()
            .filter(|mapping| mapping.is_default)
            .map(|mapping| mapping.database.clone())
            .collect();
        // Buckets without a slash come first, then the first one with a slash.
        let mut defaults = BTreeSet::new();
        for slashed in [false, true] {
            for (bucket, database, _, _) in candidates.iter().filter(|it| it.3 == slashed) {
                if with_default.insert((*database).to_owned()) {
                    defaults.insert(bucket.id);
                }
            }
        }
        stored.extend(candidates.into_iter().map(|(bucket, database, policy, _)| {
            Arc::new(DbrpMapping {
                id: bucket.id,
                org_id: bucket.org_id,
                bucket_id: bucket.id,
                database: database.to_owned(),
                retention_policy: policy.to_owned(),
                is_default: defaults.contains(&bucket.id),
                is_virtual: true,
            })
        }));
        Self::new(stored)
    }

    pub(crate) fn all(&self) -> &[Arc<DbrpMapping>] {
        &self.all
    }

    pub(crate) fn of_database(&self, database: &str) -> &[Arc<DbrpMapping>] {
        self.by_database.get(database).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
