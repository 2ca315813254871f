//! Random bytes, for identifiers, tokens and samples.

use std::{fmt::Debug, sync::Arc};

/// A source of random bytes.
pub trait Random: Send + Sync + Debug + 'static {
    /// Overwrites all of `buf` with random bytes.
    fn fill(&self, buf: &mut [u8]);

    /// A uniformly distributed number.
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// A source of random bytes as components hold it.
pub type SharedRandom = Arc<dyn Random>;

/// The operating system's generator, fit for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, buf: &mut [u8]) {
        getrandom::fill(buf).expect("the operating system's generator is always there");
    }
}
