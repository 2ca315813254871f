//! Sessions of users of the management surface. They live in memory: a restart ends them all.

use std::{fmt, sync::Arc, time::Duration};

use headwater_model::Id;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    Authorization, Catalog, Error, Permission, Result, Status, User, token, token::TokenHash,
};

/// Sessions that exist at once; the one that would end first makes room for another.
const SESSIONS_MAX: usize = 10_000;

/// A session that was just started.
#[derive(Clone)]
pub struct Session {
    /// The cookie's value; a secret.
    pub key: String,
    pub user: Arc<User>,
    /// When it ends unless it is used, in nanoseconds since 1970.
    pub expires_at: i64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The running sessions by the hash of their key.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    running: Mutex<FxHashMap<TokenHash, Running>>,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    user: Id,
    started_at: i64,
    expires_at: i64,
}

impl Sessions {
    fn start(&self, key: &str, session: Running) {
        let mut running = self.running.lock();
        running.retain(|_, other| other.expires_at > session.started_at);
        if running.len() >= SESSIONS_MAX {
            let first = running.iter().min_by_key(|(_, other)| other.expires_at);
            if let Some(first) = first.map(|(hash, _)| *hash) {
                running.remove(&first);
            }
        }
        running.insert(TokenHash::of(key), session);
    }

    /// The session of `key` unless it has expired; its end moves to `expires_at`.
    fn renew(&self, key: &str, now: i64, expires_at: i64) -> Option<Running> {
        let mut running = self.running.lock();
        let session = running
            .get_mut(&TokenHash::of(key))
            .filter(|it| it.expires_at > now)?;
        session.expires_at = expires_at;
        Some(*session)
    }

    fn end(&self, key: &str) -> bool {
        self.running.lock().remove(&TokenHash::of(key)).is_some()
    }

    pub(crate) fn end_of_user(&self, user: Id) {
        self.running
            .lock()
            .retain(|_, session| session.user != user);
    }
}

impl Catalog {
    /// Starts a session, or fails with `unauthorized access`.
    pub async fn sign_in(&self, username: &str, password: &str) -> Result<Session> {
        let user = self.authenticate_user(username, password).await?;
        let key = token::generate(&**self.random());
        let (started_at, expires_at) = self.session_span();
        self.sessions().start(
            &key,
            Running {
                user: user.id,
                started_at,
                expires_at,
            },
        );
        Ok(Session {
            key,
            user,
            expires_at,
        })
    }

    /// Ends a session, or fails with `unauthorized access` when there is none of that key.
    pub fn sign_out(&self, key: &str) -> Result<()> {
        if self.sessions().end(key) {
            Ok(())
        } else {
            Err(Error::UnauthorizedAccess)
        }
    }

    /// The session cookie on `/api/v2`. The authorization it gives is in no list: its id is the
    /// user's, its organization the first one. The operator may do everything, others what
    /// concerns their own record.
    pub fn authenticate_session(&self, key: &str) -> Result<Arc<Authorization>> {
        let (now, expires_at) = self.session_span();
        let session = self
            .sessions()
            .renew(key, now, expires_at)
            .ok_or(Error::UnauthorizedAccess)?;
        let state = self.state();
        let user = state.user(session.user).ok_or(Error::UserInactive)?;
        if user.status != Status::Active {
            return Err(Error::UserInactive);
        }
        let organization = state
            .organizations()
            .next()
            .map(|organization| organization.id);
        Ok(Arc::new(Authorization {
            id: user.id,
            org_id: organization.unwrap_or(user.id),
            user_id: user.id,
            status: Status::Active,
            description: String::new(),
            permissions: if user.is_operator {
                Permission::operator()
            } else {
                Permission::of_user(user.id)
            },
            username: None,
            created_at: session.started_at,
            updated_at: session.started_at,
        }))
    }

    /// Now, and when a session ends that is used now.
    fn session_span(&self) -> (i64, i64) {
        let now = self.now();
        let duration = nanoseconds(self.settings().session_duration);
        (now, now.saturating_add(duration))
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
