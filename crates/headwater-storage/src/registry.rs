//! The series of a bucket that memtable rows refer to: from the raw bytes of `measurement,tags`
//! as written to a small number, and from the number to the key.
//!
//! It is a cache: it starts afresh with a new memtable generation once it is large, because
//! blocks carry their own [`KeyTable`].

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use hashbrown::HashTable;
use headwater_model::SeriesKey;
use rustc_hash::{FxHashMap, FxHasher};

/// Number of a series within its bucket's registry.
pub(crate) type SeriesNumber = u32;

#[derive(Debug, Default)]
pub(crate) struct SeriesRegistry {
    raw: HashTable<u32>,
    entries: Vec<RawSeries>,
    canonical: FxHashMap<SeriesKey, SeriesNumber>,
    keys: KeyTable,
    bytes: usize,
    /// The entry found last: series tend to come in the same order again and again.
    last: usize,
}

/// One spelling of a series.
#[derive(Debug)]
struct RawSeries {
    raw: Box<[u8]>,
    series: SeriesNumber,
    measurement: u32,
    /// The entry that followed this one when it was met last.
    next: u32,
}

impl SeriesRegistry {
    /// The series and its measurement, when this spelling was met before.
    pub(crate) fn find(&mut self, raw: &[u8]) -> Option<(SeriesNumber, u32)> {
        let expected = self
            .entries
            .get(self.last)
            .map_or(0, |entry| entry.next as usize);
        if let Some(entry) = self.entries.get(expected)
            && *entry.raw == *raw
        {
            self.last = expected;
            return Some((entry.series, entry.measurement));
        }
        let entries = &self.entries;
        let at = *self
            .raw
            .find(hash(raw), |&at| *entries[at as usize].raw == *raw)?;
        self.entries[self.last].next = at;
        self.last = at as usize;
        let entry = &self.entries[at as usize];
        Some((entry.series, entry.measurement))
    }

    /// Adds a spelling that [`SeriesRegistry::find`] does not know.
    pub(crate) fn insert(&mut self, raw: &[u8], key: SeriesKey, measurement: u32) -> SeriesNumber {
        let keys = &mut self.keys;
        let bytes = &mut self.bytes;
        let series = *self.canonical.entry(key).or_insert_with_key(|key| {
            *bytes += key.as_str().len() * 2 + key.tags().len() * 48 + 96;
            keys.push(key.clone())
        });
        let at = u32::try_from(self.entries.len()).expect("far fewer series than 32 bits");
        self.bytes += raw.len() + 48;
        self.entries.push(RawSeries {
            raw: raw.into(),
            series,
            measurement,
            next: at + 1,
        });
        let entries = &self.entries;
        self.raw
            .insert_unique(hash(raw), at, |&at| hash(&entries[at as usize].raw));
        self.last = at as usize;
        series
    }

    pub(crate) fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn hash(raw: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    raw.hash(&mut hasher);
    hasher.finish()
}

const CHUNK: usize = 4096;

/// Keys by number. A clone is a stable view of what is there now and costs one pointer for each
/// few thousand series.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTable(Vec<Arc<Vec<SeriesKey>>>);

impl KeyTable {
    fn push(&mut self, key: SeriesKey) -> SeriesNumber {
        let number = u32::try_from(self.len()).expect("far fewer series than 32 bits");
        match self.0.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => Arc::make_mut(chunk).push(key),
            _ => self.0.push(Arc::new(vec![key])),
        }
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.0
            .last()
            .map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len())
    }

    /// The key of a number that this table, or the one it was cloned from, gave out.
    pub(crate) fn get(&self, number: SeriesNumber) -> &SeriesKey {
        &self.0[number as usize / CHUNK][number as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests;
