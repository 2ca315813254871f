//! The flag that stops writes after a failure that puts data at risk: a failed WAL append or
//! sync, or a background task that panicked. Reads go on.

use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

/// Cheap to clone. Once set it stays set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Poison(Arc<OnceLock<String>>);

impl Poison {
    /// Refuses writes from now on. The first reason is kept.
    pub(crate) fn set(&self, reason: impl Into<String>) {
        let reason = reason.into();
        if self.0.set(reason.clone()).is_ok() {
            tracing::error!(reason, "writes are refused until a restart");
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }

    /// The error of a write, when the flag is set.
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.get() {
            Some(reason) => Err(Error::Poisoned {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}
