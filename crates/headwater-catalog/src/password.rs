//! Passwords: their length, their hashing and their verification.
//!
//! bcrypt is slow on purpose, so it runs on blocking threads, only a few at a time, and a check
//! that succeeded is remembered: a client that sends its password with every request costs one.
//! Checks that fail are never remembered.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{Catalog, Error, Result};

/// Hashes and checks that run at once; others wait, so that a flood of wrong passwords cannot take
/// every blocking thread.
const CONCURRENT_MAX: usize = 4;

/// Successful checks that are remembered; all are forgotten when there are more.
const REMEMBERED_MAX: usize = 10_000;

/// Fails unless `password` has 8 to 72 bytes: bcrypt reads no more.
pub(crate) fn validate_length(password: &str) -> Result<()> {
    if (8..=72).contains(&password.len()) {
        Ok(())
    } else {
        Err(Error::PasswordLength)
    }
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct PasswordVerifier {
    cost: u32,
    turns: Semaphore,
    /// SHA-256 of stored hash and password of each check that succeeded. A new password has
    /// another hash, so that no entry ever outlives what it is true of.
    remembered: Mutex<FxHashSet<[u8; 32]>>,
}

impl PasswordVerifier {
    pub(crate) fn new(cost: u32) -> Self {
        Self {
            cost,
            turns: Semaphore::new(CONCURRENT_MAX),
            remembered: Mutex::default(),
        }
    }

    async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<Arc<str>> {
        let _turn = self.turns.acquire().await;
        let (password, cost) = (password.to_owned(), self.cost);
        let parts =
            tokio::task::spawn_blocking(move || bcrypt::hash_with_salt(password, cost, salt))
                .await??;
        Ok(parts.format_for_version(bcrypt::Version::TwoB).into())
    }

    async fn verify(&self, password: &str, hash: &Arc<str>) -> Result<bool> {
        let mut digest = Sha256::new();
        digest.update(hash.as_bytes());
        digest.update([0]);
        digest.update(password.as_bytes());
        let key: [u8; 32] = digest.finalize().into();
        if self.remembered.lock().contains(&key) {
            return Ok(true);
        }
        let _turn = self.turns.acquire().await;
        let (password, hash) = (password.to_owned(), Arc::clone(hash));
        let is_right =
            tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash)).await??;
        if is_right {
            let mut remembered = self.remembered.lock();
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(key);
        }
        Ok(is_right)
    }
}

impl Catalog {
    /// The bcrypt hash of a password, whose length the caller has checked.
    pub(crate) async fn hash_password(&self, password: &str) -> Result<Arc<str>> {
        let mut salt = [0; 16];
        self.random().fill(&mut salt);
        self.verifier().hash(password, salt).await
    }

    /// Whether `password` has an allowed length and is the hashed one.
    pub(crate) async fn is_password(&self, password: &str, hash: &Arc<str>) -> Result<bool> {
        if validate_length(password).is_err() {
            return Ok(false);
        }
        self.verifier().verify(password, hash).await
    }
}
