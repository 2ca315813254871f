//! Organizations (`spec/v2_management.md` §3).

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Bucket, Catalog, Error, Result, bucket,
    change::{Change, Draft},
};

/// An organization: the owner of buckets, tokens and mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: Id,
    /// Unique.
    pub name: String,
    pub description: String,
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Nanoseconds since 1970.
    pub updated_at: i64,
}

/// An organization to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewOrganization {
    /// Blanks around it are dropped.
    pub name: String,
    pub description: String,
}

/// What to change of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationChange {
    pub name: Option<String>,
    pub description: Option<String>,
}

impl Catalog {
    /// Creates an organization with its system buckets.
    pub async fn create_organization(&self, new: NewOrganization) -> Result<Arc<Organization>> {
        self.change(|draft| create(draft, &new)).await
    }

    /// Renames or describes an organization.
    pub async fn update_organization(
        &self,
        id: Id,
        change: OrganizationChange,
    ) -> Result<Arc<Organization>> {
        self.change(|draft| {
            let mut organization = Organization::clone(draft.state().require_organization(id)?);
            if let Some(name) = &change.name
                && *name != organization.name
            {
                organization.name = free_name(draft, name)?;
            }
            if let Some(description) = change.description {
                organization.description = description;
            }
            organization.updated_at = draft.now;
            let organization = Arc::new(organization);
            draft.push(Change::PutOrganization(Arc::clone(&organization)));
            Ok(organization)
        })
        .await
    }

    /// Deletes an organization with its mappings, buckets, tokens and 1.x credentials, and returns
    /// the buckets: their data is storage's to drop.
    pub async fn delete_organization(&self, id: Id) -> Result<Vec<Arc<Bucket>>> {
        self.change(|draft| {
            if draft.state().organization(id).is_none() {
                return Err(Error::OrganizationDelete(id));
            }
            let buckets: Vec<_> = draft.state().buckets_of(id).cloned().collect();
            for bucket in &buckets {
                bucket::remove(draft, bucket);
            }
            let state = draft.state();
            let tokens = state.authorizations().filter(|token| token.org_id == id);
            let tokens = tokens.map(|token| Change::RemoveToken(token.id));
            let legacy = state
                .legacy_authorizations()
                .filter(|legacy| legacy.org_id == id);
            let legacy = legacy.map(|legacy| Change::RemoveLegacy(legacy.id));
            for change in tokens.chain(legacy).collect::<Vec<_>>() {
                draft.push(change);
            }
            draft.push(Change::RemoveOrganization(id));
            Ok(buckets)
        })
        .await
    }
}

pub(crate) fn create(draft: &mut Draft<'_>, new: &NewOrganization) -> Result<Arc<Organization>> {
    let organization = Arc::new(Organization {
        id: draft.new_id(),
        name: free_name(draft, &new.name)?,
        description: new.description.clone(),
        created_at: draft.now,
        updated_at: draft.now,
    });
    draft.push(Change::PutOrganization(Arc::clone(&organization)));
    bucket::create_system_buckets(draft, organization.id);
    Ok(organization)
}

/// The name as it is kept, if no organization has it.
fn free_name(draft: &Draft<'_>, name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::OrganizationNameEmpty);
    }
    if draft.state().organization_by_name(name).is_some() {
        return Err(Error::OrganizationExists(name.to_owned()));
    }
    Ok(name.to_owned())
}
