//! Users: the owners of tokens, who sign in to the management surface
//! (`spec/v2_management.md` §7). Their passwords do not open `/query` and `/write`.

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Catalog, Error, Result, Status,
    change::{Change, Draft},
    password,
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: Id,
    /// Unique.
    pub name: String,
    pub status: Status,
    /// Whether a session may do everything; true for the user of set-up.
    pub is_operator: bool,
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Nanoseconds since 1970.
    pub updated_at: i64,
}

/// A user with what only the catalog sees.
#[derive(Debug, Clone)]
pub(crate) struct UserRecord {
    pub(crate) user: Arc<User>,
    pub(crate) password_hash: Option<Arc<str>>,
}

/// A user to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewUser {
    pub name: String,
    pub status: Status,
}

/// What to change of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    pub name: Option<String>,
    pub status: Option<Status>,
}

impl Catalog {
    /// Creates a user without a password, who can therefore not sign in yet.
    pub async fn create_user(&self, new: NewUser) -> Result<Arc<User>> {
        self.change(|draft| create(draft, &new, false, None)).await
    }

    /// Renames a user or changes the status.
    pub async fn update_user(&self, id: Id, change: UserChange) -> Result<Arc<User>> {
        self.change(|draft| {
            let record = draft
                .state()
                .user_record(id)
                .ok_or(Error::UserNotFound)?
                .clone();
            let mut user = User::clone(&record.user);
            if let Some(name) = change.name.filter(|name| *name != user.name) {
                validate_free_name(draft, &name)?;
                user.name = name;
            }
            user.status = change.status.unwrap_or(user.status);
            user.updated_at = draft.now;
            let user = Arc::new(user);
            draft.push(Change::PutUser(UserRecord {
                user: Arc::clone(&user),
                ..record
            }));
            Ok(user)
        })
        .await
    }

    /// Deletes a user. The tokens stay, and are refused from then on.
    pub async fn delete_user(&self, id: Id) -> Result<()> {
        self.change(|draft| {
            draft.state().require_user(id)?;
            draft.push(Change::RemoveUser(id));
            Ok(())
        })
        .await?;
        self.sessions().end_of_user(id);
        Ok(())
    }

    /// Sets a user's password, 8 to 72 bytes, and ends all sessions of the user.
    pub async fn set_user_password(&self, id: Id, password: &str) -> Result<()> {
        self.state().require_user(id)?;
        password::validate_length(password)?;
        let hash = self.hash_password(password).await?;
        self.change(|draft| {
            let record = draft
                .state()
                .user_record(id)
                .ok_or(Error::UserNotFound)?
                .clone();
            draft.push(Change::PutUser(UserRecord {
                password_hash: Some(hash),
                ..record
            }));
            Ok(())
        })
        .await?;
        self.sessions().end_of_user(id);
        Ok(())
    }
}

pub(crate) fn create(
    draft: &mut Draft<'_>,
    new: &NewUser,
    is_operator: bool,
    password_hash: Option<Arc<str>>,
) -> Result<Arc<User>> {
    validate_free_name(draft, &new.name)?;
    let user = Arc::new(User {
        id: draft.new_id(),
        name: new.name.clone(),
        status: new.status,
        is_operator,
        created_at: draft.now,
        updated_at: draft.now,
    });
    draft.push(Change::PutUser(UserRecord {
        user: Arc::clone(&user),
        password_hash,
    }));
    Ok(user)
}

fn validate_free_name(draft: &Draft<'_>, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::UserNameEmpty);
    }
    if draft.state().user_by_name(name).is_some() {
        return Err(Error::UserExists(name.to_owned()));
    }
    Ok(())
}
