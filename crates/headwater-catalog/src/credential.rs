//! Who is calling: verification of tokens, passwords and sessions.
//!
//! The two surfaces judge the same token differently (`spec/auth.md` §3, §4):
//!
//! | | `/query`, `/write` | `/api/v2` |
//! |---|---|---|
//! | unknown | `Unauthorized` | `unauthorized access` |
//! | owner inactive or deleted | `Unauthorized` | 403 `User is inactive` |
//! | token inactive | `Unauthorized` | passes; each permission check then fails |
//!
//! Credentials that are missing or malformed are HTTP's to refuse (`unauthorized access`).

use std::sync::Arc;

use crate::{Authorization, Catalog, Error, Result, State, Status, User, token::TokenHash};

/// What became of the owner of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnerStatus {
    Active,
    Inactive,
    Deleted,
}

/// An authorization that a secret belongs to. Nothing is said yet about whether it may be used.
#[derive(Debug, Clone)]
pub struct Identified {
    pub authorization: Arc<Authorization>,
    pub owner: OwnerStatus,
}

impl Identified {
    fn new(state: &State, authorization: &Arc<Authorization>) -> Self {
        let owner = match state.user(authorization.user_id).map(|user| user.status) {
            Some(Status::Active) => OwnerStatus::Active,
            Some(Status::Inactive) => OwnerStatus::Inactive,
            None => OwnerStatus::Deleted,
        };
        Self {
            authorization: Arc::clone(authorization),
            owner,
        }
    }

    /// The judgement of `/query` and `/write`: authorization and owner must be active.
    fn for_v1(self) -> Result<Arc<Authorization>> {
        if self.authorization.is_active() && self.owner == OwnerStatus::Active {
            Ok(self.authorization)
        } else {
            Err(Error::CredentialsRejected)
        }
    }

    /// The judgement of `/api/v2`: the owner must be active, an inactive token passes.
    fn for_v2(self) -> Result<Arc<Authorization>> {
        match self.owner {
            OwnerStatus::Active => Ok(self.authorization),
            OwnerStatus::Inactive | OwnerStatus::Deleted => Err(Error::UserInactive),
        }
    }
}

impl Catalog {
    /// The authorization of an API token, whatever its status.
    pub fn identify_token(&self, token: &str) -> Option<Identified> {
        let state = self.state();
        let authorization = state.authorization_by_hash(&TokenHash::of(token))?;
        Some(Identified::new(&state, authorization))
    }

    /// `Token` credentials on `/query` and `/write`: only API tokens.
    pub fn authenticate_token_v1(&self, token: &str) -> Result<Arc<Authorization>> {
        self.identify_token(token)
            .ok_or(Error::CredentialsRejected)?
            .for_v1()
    }

    /// `Token` and `Bearer` credentials on `/api/v2`.
    pub fn authenticate_token_v2(&self, token: &str) -> Result<Arc<Authorization>> {
        self.identify_token(token)
            .ok_or(Error::UnauthorizedAccess)?
            .for_v2()
    }

    /// Username and secret on `/query` and `/write`, by Basic or by `u` and `p`.
    ///
    /// A username of a 1.x credential with a password needs that password. Any other username is
    /// ignored and the secret is an API token. The password of a user of the management surface
    /// opens nothing.
    pub async fn authenticate_password(
        &self,
        username: &str,
        secret: &str,
    ) -> Result<Arc<Authorization>> {
        let state = self.state();
        let Some(record) = state.legacy_record_by_username(username) else {
            return self.authenticate_token_v1(secret);
        };
        let Some(hash) = &record.password_hash else {
            // Documented so; the reference's code refuses.
            return self.authenticate_token_v1(secret);
        };
        if !self.is_password(secret, hash).await? {
            return Err(Error::CredentialsRejected);
        }
        Identified::new(&state, &record.authorization).for_v1()
    }

    /// Name and password of a user of the management surface, as signing in needs them.
    pub async fn authenticate_user(&self, username: &str, password: &str) -> Result<Arc<User>> {
        let state = self.state();
        let record = state
            .user_by_name(username)
            .and_then(|user| state.user_record(user.id));
        let Some((record, hash)) =
            record.and_then(|record| Some((record, record.password_hash.as_ref()?)))
        else {
            return Err(Error::UnauthorizedAccess);
        };
        if record.user.status != Status::Active || !self.is_password(password, hash).await? {
            return Err(Error::UnauthorizedAccess);
        }
        Ok(Arc::clone(&record.user))
    }
}
