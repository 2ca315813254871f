//! Authorizations: what a caller may do, given by an API token, a 1.x credential or a session;
//! and the API tokens themselves (`spec/v2_management.md` §5).

use std::{fmt, str::FromStr, sync::Arc};

use headwater_model::Id;

use crate::{
    Action, Bucket, Catalog, Error, Permission, ResourceType, Result,
    change::{Change, Draft},
    token::{self, TokenHash, TokenRecord},
};

/// Whether a token or a user may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    #[default]
    Active,
    Inactive,
}

impl Status {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "active" => Ok(Self::Active),
            "inactive" => Ok(Self::Inactive),
            _ => Err(Error::StatusUnknown),
        }
    }
}

/// A caller's rights. The secret is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub id: Id,
    /// The organization in which `/query` and `/write` look for mappings.
    pub org_id: Id,
    /// The owner, who may have been deleted since.
    pub user_id: Id,
    pub status: Status,
    pub description: String,
    pub permissions: Vec<Permission>,
    /// The name of a 1.x credential; `None` for API tokens and sessions.
    pub username: Option<String>,
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Nanoseconds since 1970.
    pub updated_at: i64,
}

impl Authorization {
    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// Whether it is active and holds a permission that grants `needed`. Lists show only what this
    /// allows.
    pub fn allows(&self, needed: &Permission) -> bool {
        self.is_active() && self.permissions.iter().any(|held| held.grants(needed))
    }

    /// As [`Self::allows`], with the management surface's error: `token is inactive` or
    /// `… is unauthorized`.
    pub fn require(&self, needed: Permission) -> Result<()> {
        if !self.is_active() {
            return Err(Error::TokenInactive);
        }
        if !self.allows(&needed) {
            return Err(Error::PermissionDenied(needed));
        }
        Ok(())
    }

    /// Whether a bucket of an organization may be read or written.
    pub fn can(&self, action: Action, bucket: Id, organization: Id) -> bool {
        self.allows(&Permission::bucket(action, organization, bucket))
    }

    /// Write permission on `bucket`, with the error of `/write` and `/api/v2/write`.
    pub fn require_write(&self, bucket: &Bucket) -> Result<()> {
        if !self.is_active() {
            return Err(Error::WriteForbiddenTokenInactive);
        }
        if !self.can(Action::Write, bucket.id, bucket.org_id) {
            return Err(Error::WriteForbidden);
        }
        Ok(())
    }

    /// Write permission on `bucket`, with the error of `/api/v2/delete`.
    pub fn require_delete(&self, bucket: &Bucket) -> Result<()> {
        if !self.can(Action::Write, bucket.id, bucket.org_id) {
            return Err(Error::DeleteForbidden);
        }
        Ok(())
    }
}

/// An API token to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewAuthorization {
    /// Required; absent it is the error `org id required: invalid ID`.
    pub org_id: Option<Id>,
    /// The owner; `None`: the caller's.
    pub user_id: Option<Id>,
    pub status: Status,
    pub description: String,
    /// At least one, each held by the caller.
    pub permissions: Vec<Permission>,
    /// The secret to use; `None`: a random one.
    pub token: Option<String>,
}

/// A token that was just created: the only time its secret is seen.
#[derive(Clone)]
pub struct NewToken {
    pub authorization: Arc<Authorization>,
    pub token: String,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("authorization", &self.authorization)
            .finish_non_exhaustive()
    }
}

/// What to change of an API token or a 1.x credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorizationChange {
    pub status: Option<Status>,
    pub description: Option<String>,
}

impl Catalog {
    /// Creates an API token on behalf of `caller`, who must hold every permission it gets and may
    /// create authorizations in the organization for the owner.
    pub async fn create_authorization(
        &self,
        caller: &Authorization,
        new: NewAuthorization,
    ) -> Result<NewToken> {
        self.change(|draft| {
            let authorization = validated(draft, caller, &new)?;
            insert(draft, authorization, new.token)
        })
        .await
    }

    /// Changes the status or the description of an API token.
    pub async fn update_authorization(
        &self,
        id: Id,
        change: AuthorizationChange,
    ) -> Result<Arc<Authorization>> {
        self.change(|draft| {
            let record = draft
                .state()
                .token_record(id)
                .ok_or(Error::AuthorizationNotFound)?
                .clone();
            let authorization = Arc::new(change.applied_to(&record.authorization, draft.now));
            draft.push(Change::PutToken(TokenRecord {
                authorization: Arc::clone(&authorization),
                ..record
            }));
            Ok(authorization)
        })
        .await
    }

    /// Deletes an API token; it is refused from then on.
    pub async fn delete_authorization(&self, id: Id) -> Result<()> {
        self.change(|draft| {
            draft.state().require_authorization(id)?;
            draft.push(Change::RemoveToken(id));
            Ok(())
        })
        .await
    }
}

impl AuthorizationChange {
    pub(crate) fn applied_to(self, authorization: &Authorization, now: i64) -> Authorization {
        Authorization {
            status: self.status.unwrap_or(authorization.status),
            description: self
                .description
                .unwrap_or_else(|| authorization.description.clone()),
            updated_at: now,
            ..authorization.clone()
        }
    }
}

/// The authorization that `caller` may create, in the order of the reference's checks: shape of the
/// request, right to create, permissions held, permissions of the organization, owner.
pub(crate) fn validated(
    draft: &Draft<'_>,
    caller: &Authorization,
    new: &NewAuthorization,
) -> Result<Authorization> {
    if new.permissions.is_empty() {
        return Err(Error::PermissionsMissing);
    }
    let org_id = new.org_id.ok_or(Error::AuthorizationOrganizationMissing)?;
    let user_id = new.user_id.unwrap_or(caller.user_id);
    let write = |kind| Permission::new(Action::Write, kind);
    caller.require(write(ResourceType::Authorizations).within(org_id))?;
    caller.require(write(ResourceType::Users).on(user_id))?;
    if let Some(permission) = new.permissions.iter().find(|needed| !caller.allows(needed)) {
        return Err(Error::PermissionNotHeld(*permission));
    }
    let foreign = |permission: &&Permission| permission.org_id.is_some_and(|org| org != org_id);
    if let Some(permission) = new.permissions.iter().find(foreign) {
        return Err(Error::PermissionOfOtherOrganization {
            permission: *permission,
            organization: org_id,
        });
    }
    draft.state().require_organization(org_id)?;
    draft
        .state()
        .user(user_id)
        .ok_or(Error::TokenOwnerUnknown)?;
    Ok(Authorization {
        id: draft.new_id(),
        org_id,
        user_id,
        status: new.status,
        description: new.description.clone(),
        permissions: new.permissions.clone(),
        username: None,
        created_at: draft.now,
        updated_at: draft.now,
    })
}

/// Adds an API token with the given or a random secret.
pub(crate) fn insert(
    draft: &mut Draft<'_>,
    authorization: Authorization,
    token: Option<String>,
) -> Result<NewToken> {
    let token = token
        .filter(|token| !token.is_empty())
        .unwrap_or_else(|| token::generate(draft.random()));
    let hash = TokenHash::of(&token);
    if draft.state().authorization_by_hash(&hash).is_some() {
        return Err(Error::TokenExists);
    }
    let authorization = Arc::new(authorization);
    draft.push(Change::PutToken(TokenRecord {
        authorization: Arc::clone(&authorization),
        hash,
    }));
    Ok(NewToken {
        authorization,
        token,
    })
}
