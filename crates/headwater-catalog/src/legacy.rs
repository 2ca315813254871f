//! 1.x-compatible ("legacy") authorizations: a username, optionally with a password, that opens
//! `/query` and `/write` only (`spec/v2_management.md` §6).

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Authorization, AuthorizationChange, Catalog, Error, NewAuthorization, ResourceType, Result,
    Status, authorization,
    change::{Change, Draft},
    password,
    permission::Permission,
};

/// A 1.x credential with what only the catalog sees.
#[derive(Debug, Clone)]
pub(crate) struct LegacyRecord {
    /// Its `username` is always set.
    pub(crate) authorization: Arc<Authorization>,
    pub(crate) password_hash: Option<Arc<str>>,
}

impl LegacyRecord {
    pub(crate) fn username(&self) -> &str {
        self.authorization.username.as_deref().unwrap_or_default()
    }
}

/// A 1.x credential to create; the API calls its username `token`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewLegacyAuthorization {
    /// Required and unique.
    pub username: String,
    /// Required; absent it is the error `org id required: invalid ID`.
    pub org_id: Option<Id>,
    /// The owner; `None`: the caller's.
    pub user_id: Option<Id>,
    pub status: Status,
    pub description: String,
    /// At least one, each held by the caller; buckets they name must exist.
    pub permissions: Vec<Permission>,
}

impl Catalog {
    /// Creates a 1.x credential without a password. The rules of
    /// [`Catalog::create_authorization`] hold.
    pub async fn create_legacy_authorization(
        &self,
        caller: &Authorization,
        new: NewLegacyAuthorization,
    ) -> Result<Arc<Authorization>> {
        self.change(|draft| create(draft, caller, new)).await
    }

    /// Changes the status or the description of a 1.x credential.
    pub async fn update_legacy_authorization(
        &self,
        id: Id,
        change: AuthorizationChange,
    ) -> Result<Arc<Authorization>> {
        self.change(|draft| {
            let record = draft
                .state()
                .legacy_record(id)
                .ok_or(Error::AuthorizationNotFound)?
                .clone();
            let authorization = Arc::new(change.applied_to(&record.authorization, draft.now));
            draft.push(Change::PutLegacy(LegacyRecord {
                authorization: Arc::clone(&authorization),
                ..record
            }));
            Ok(authorization)
        })
        .await
    }

    /// Deletes a 1.x credential; it is refused from then on.
    pub async fn delete_legacy_authorization(&self, id: Id) -> Result<()> {
        self.change(|draft| {
            draft.state().require_legacy_authorization(id)?;
            draft.push(Change::RemoveLegacy(id));
            Ok(())
        })
        .await
    }

    /// Sets the password of a 1.x credential, 8 to 72 bytes.
    pub async fn set_legacy_password(&self, id: Id, password: &str) -> Result<()> {
        self.state().require_legacy_authorization(id)?;
        password::validate_length(password)?;
        let hash = self.hash_password(password).await?;
        self.change(|draft| {
            let record = draft
                .state()
                .legacy_record(id)
                .ok_or(Error::AuthorizationNotFound)?
                .clone();
            draft.push(Change::PutLegacy(LegacyRecord {
                password_hash: Some(hash),
                ..record
            }));
            Ok(())
        })
        .await
    }
}

fn create(
    draft: &mut Draft<'_>,
    caller: &Authorization,
    new: NewLegacyAuthorization,
) -> Result<Arc<Authorization>> {
    if new.username.is_empty() {
        return Err(Error::UsernameMissing);
    }
    let username = new.username;
    let mut authorization = authorization::validated(
        draft,
        caller,
        &NewAuthorization {
            org_id: new.org_id,
            user_id: new.user_id,
            status: new.status,
            description: new.description,
            permissions: new.permissions,
            token: None,
        },
    )?;
    let names_unknown_bucket = |permission: &Permission| {
        permission.resource_type == ResourceType::Buckets
            && permission
                .id
                .is_some_and(|bucket| draft.state().bucket(bucket).is_none())
    };
    if authorization.permissions.iter().any(names_unknown_bucket) {
        return Err(Error::AuthorizationBucketNotFound);
    }
    if draft
        .state()
        .legacy_authorization_by_username(&username)
        .is_some()
    {
        return Err(Error::TokenExists);
    }
    authorization.username = Some(username);
    let authorization = Arc::new(authorization);
    draft.push(Change::PutLegacy(LegacyRecord {
        authorization: Arc::clone(&authorization),
        password_hash: None,
    }));
    Ok(authorization)
}
