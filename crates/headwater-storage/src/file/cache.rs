//! What is kept in memory of data files: footers, directories and column chunks, under one
//! budget of bytes, least recently used first out.

use std::sync::Arc;

/// Shared by all data files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FileCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    _budget: usize,
}

impl FileCache {
    /// Keeps about `budget_bytes`; what is in use at a moment comes on top.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self(Arc::new(Inner {
            _budget: budget_bytes,
        }))
    }
}
