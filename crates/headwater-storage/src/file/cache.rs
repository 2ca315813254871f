//! What is kept in memory of data files: footers, directories and column chunks, under one
//! budget of bytes.
//!
//! What goes first is decided as a clock does: each use marks an entry, a hand goes round and
//! drops the first entry that was not used since it last came by. A look-up takes only a shared
//! lock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::{Directory, footer::Footer};

/// Shared by all data files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FileCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    budget_bytes: usize,
    next_file: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    positions: FxHashMap<CacheKey, usize>,
    used_bytes: usize,
    hand: usize,
}

#[derive(Debug)]
struct Entry {
    key: CacheKey,
    value: Cached,
    size_bytes: usize,
    is_used: AtomicBool,
}

/// What of which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    pub(super) file: u64,
    pub(super) part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Footer,
    Directory,
    /// A column chunk, numbered row group by row group.
    Chunk(u32),
}

#[derive(Debug, Clone)]
pub(super) enum Cached {
    Footer(Arc<Footer>),
    Directory(Arc<Directory>),
    Chunk(Bytes),
}

impl FileCache {
    /// Keeps at most `budget_bytes`; what readers hold at a moment comes on top.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self(Arc::new(Inner {
            budget_bytes,
            next_file: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            state: RwLock::default(),
        }))
    }

    /// Bytes of all that is kept.
    pub(crate) fn used_bytes(&self) -> usize {
        self.0.state.read().used_bytes
    }

    /// Look-ups that found what they looked for, and those that did not.
    pub(crate) fn hits_and_misses(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.0.hits), load(&self.0.misses))
    }

    /// A number for a file's entries, never given twice.
    pub(super) fn new_file(&self) -> u64 {
        self.0.next_file.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn get(&self, key: CacheKey) -> Option<Cached> {
        let state = self.0.state.read();
        let Some(&position) = state.positions.get(&key) else {
            self.0.misses.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        self.0.hits.fetch_add(1, Ordering::Relaxed);
        let entry = &state.entries[position];
        entry.is_used.store(true, Ordering::Relaxed);
        Some(entry.value.clone())
    }

    /// Keeps `value`, unless it alone would take more than a quarter of the budget.
    pub(super) fn insert(&self, key: CacheKey, value: Cached, size_bytes: usize) {
        if size_bytes > self.0.budget_bytes / 4 {
            return;
        }
        let mut state = self.0.state.write();
        if let Some(&position) = state.positions.get(&key) {
            state.remove(position);
        }
        while state.used_bytes + size_bytes > self.0.budget_bytes {
            state.evict_one();
        }
        let position = state.entries.len();
        // Not marked: what is read only once, as by a compaction, leaves first.
        let is_used = AtomicBool::new(false);
        state.entries.push(Entry {
            key,
            value,
            size_bytes,
            is_used,
        });
        state.positions.insert(key, position);
        state.used_bytes += size_bytes;
    }

    /// Drops all entries of a file.
    pub(super) fn remove_file(&self, file: u64) {
        let mut state = self.0.state.write();
        let mut position = 0;
        while position < state.entries.len() {
            if state.entries[position].key.file == file {
                state.remove(position);
            } else {
                position += 1;
            }
        }
    }
}

impl State {
    /// Drops one entry; there is one, for `used_bytes` is above 0.
    fn evict_one(&mut self) {
        loop {
            if self.hand >= self.entries.len() {
                self.hand = 0;
            }
            if !self.entries[self.hand]
                .is_used
                .swap(false, Ordering::Relaxed)
            {
                return self.remove(self.hand);
            }
            self.hand += 1;
        }
    }

    fn remove(&mut self, position: usize) {
        let entry = self.entries.swap_remove(position);
        self.positions.remove(&entry.key);
        self.used_bytes -= entry.size_bytes;
        if let Some(moved) = self.entries.get(position) {
            self.positions.insert(moved.key, position);
        }
    }
}

#[cfg(test)]
mod tests;
