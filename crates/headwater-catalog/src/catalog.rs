//! The catalog itself: opening it, reading its state, and the one way to change it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use headwater_env::{SharedClock, SharedRandom};
use headwater_model::Id;
use sqlx::SqlitePool;
use tokio::sync::Mutex;

use crate::{Result, State, change::Draft, password::PasswordVerifier, session::Sessions, sql};

/// Which server's rules about mappings hold (`spec/decisions.md` 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// InfluxDB Cloud (TSM): writes map buckets by name, no virtual mappings, creating an existing
    /// mapping overwrites it.
    #[default]
    Cloud,
    /// InfluxDB OSS 2.9: virtual mappings, creating an existing mapping is a conflict.
    Oss,
    /// As [`Profile::Cloud`]; database management statements act on buckets and mappings.
    V1,
}

/// How a catalog behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub profile: Profile,
    /// Work factor of password hashes, 4 to 31; each step doubles the time.
    pub bcrypt_cost: u32,
    /// Whether a write to an unmapped database creates its bucket (`spec/decisions.md` 14).
    pub create_buckets_on_write: bool,
    /// How long a session lasts after it was last used.
    pub session_duration: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            bcrypt_cost: 10,
            create_buckets_on_write: false,
            session_duration: Duration::from_secs(60 * 60),
        }
    }
}

/// The catalog. Cheap to clone; all clones are the same catalog.
#[derive(Debug, Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: ArcSwap<State>,
    /// Held from the decision about a change until its publication: changes do not overlap.
    turn: Arc<Mutex<()>>,
    pool: SqlitePool,
    settings: Settings,
    clock: SharedClock,
    random: SharedRandom,
    ids: Ids,
    verifier: PasswordVerifier,
    sessions: Sessions,
}

impl Catalog {
    /// Opens the catalog at `url` (`sqlite://path?mode=rwc`, `sqlite::memory:`) with the default
    /// [`Settings`], creating or updating its SQL schema.
    pub async fn open(url: &str, clock: SharedClock, random: SharedRandom) -> Result<Self> {
        Self::open_with(url, Settings::default(), clock, random).await
    }

    /// Opens the catalog at `url` with `settings`.
    pub async fn open_with(
        url: &str,
        settings: Settings,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self> {
        let pool = sql::open(url).await?;
        let mut state = State::new(settings.profile);
        for change in sql::objects::load(&pool).await? {
            state.apply(&change);
        }
        state.index_all_mappings();
        let newest = state
            .newest_id()
            .max(sql::records::newest_file(&pool).await?);
        Ok(Self {
            inner: Arc::new(Inner {
                state: ArcSwap::from_pointee(state),
                turn: Arc::default(),
                pool,
                ids: Ids::above(newest),
                verifier: PasswordVerifier::new(settings.bcrypt_cost),
                sessions: Sessions::default(),
                settings,
                clock,
                random,
            }),
        })
    }

    /// Everything there is at this moment. Later changes do not show in it.
    pub fn state(&self) -> Arc<State> {
        self.inner.state.load_full()
    }

    /// How this catalog behaves.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// An id that was never given before. Ids grow: their order is the order of creation.
    pub fn new_id(&self) -> Id {
        self.inner
            .ids
            .next(self.inner.clock.now(), self.inner.random.u64())
    }

    /// Writes a consistent copy of the SQLite database at `from`, which a server may be using, to
    /// `to`, which must not exist.
    pub async fn copy(from: &Path, to: &Path) -> Result<()> {
        sql::copy(from, to).await
    }

    /// What SQLite finds wrong with the database's own bytes; empty when all is well.
    pub async fn integrity(&self) -> Result<Vec<String>> {
        sql::integrity(&self.inner.pool).await
    }

    /// Closes the database; everything that still wants to change something gets an error.
    pub async fn close(&self) {
        self.inner.pool.close().await;
    }

    /// Lets `decide` validate and draft a change, commits it to SQL and publishes it. An error of
    /// `decide` or of SQL changes nothing.
    pub(crate) async fn change<T>(
        &self,
        decide: impl FnOnce(&mut Draft<'_>) -> Result<T>,
    ) -> Result<T> {
        let turn = Arc::clone(&self.inner.turn).lock_owned().await;
        let mut draft = Draft::new(self, State::clone(&self.inner.state.load()));
        let outcome = decide(&mut draft)?;
        let (state, changes) = draft.finish();
        if changes.is_empty() {
            return Ok(outcome);
        }
        // In a task of its own: a caller that goes away between commit and publication must not
        // leave a state that differs from the database.
        let inner = Arc::clone(&self.inner);
        let publication: tokio::task::JoinHandle<Result<()>> = tokio::spawn(async move {
            sql::objects::write(&inner.pool, &changes).await?;
            inner.state.store(Arc::new(state));
            drop(turn);
            Ok(())
        });
        publication.await??;
        Ok(outcome)
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    pub(crate) fn random(&self) -> &SharedRandom {
        &self.inner.random
    }

    pub(crate) fn verifier(&self) -> &PasswordVerifier {
        &self.inner.verifier
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}

/// Gives ids: milliseconds since 1970 in the upper 42 bits, chance in the lower 22, and always
/// more than the last one. The clock makes them grow across restarts, chance keeps those of two
/// servers apart, and the floor keeps them unique when the clock stands or goes back.
#[derive(Debug)]
struct Ids {
    last: AtomicU64,
}

impl Ids {
    const CHANCE_BITS: u32 = 22;

    fn above(newest: Option<Id>) -> Self {
        Self {
            last: AtomicU64::new(newest.map_or(0, Id::get)),
        }
    }

    fn next(&self, now: i64, chance: u64) -> Id {
        let milliseconds = u64::try_from(now / 1_000_000).unwrap_or(0);
        let wanted = (milliseconds << Self::CHANCE_BITS) | (chance >> (64 - Self::CHANCE_BITS));
        let next = |last: u64| wanted.max(last.saturating_add(1));
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            })
            .expect("the update always gives a value");
        Id::new(next(last)).expect("one more than something is not zero")
    }
}

#[cfg(test)]
mod tests;
