//! The series of a bucket that memtable rows refer to: from the raw bytes of `measurement,tags`
//! as written to a small number, and from the number to the key.
//!
//! It is a cache: it starts afresh with a new memtable generation once it is large, because
//! blocks carry their own [`KeyTable`]. Millions of series go through it, so it holds bytes one
//! after the other and builds [`SeriesKey`]s only when they are asked for.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use hashbrown::HashTable;
use headwater_model::{SeriesKey, line_protocol};
use rustc_hash::{FxHashMap, FxHasher};

/// Number of a series within its bucket's registry.
pub(crate) type SeriesNumber = u32;

#[derive(Debug, Default)]
pub(crate) struct SeriesRegistry {
    /// Spellings by the hash of their bytes.
    by_raw: HashTable<u32>,
    spellings: Vec<Spelling>,
    keys: KeyTable,
    /// Spellings other than the canonical key, by [`Spelling::alias`].
    aliases: Vec<Box<[u8]>>,
    /// Series whose canonical key reads as another series', by that key: backslashes before
    /// special characters in names do that. What is written as the key is not this series.
    ambiguous: FxHashMap<Box<str>, SeriesNumber>,
    bytes: usize,
    /// The spelling found last: series tend to come in the same order again and again.
    last: usize,
}

/// One spelling of a series.
#[derive(Debug)]
struct Spelling {
    series: SeriesNumber,
    measurement: u32,
    /// The spelling that followed this one when it was met last.
    next: u32,
    /// Where its bytes are; [`CANONICAL`]: it is the key.
    alias: u32,
}

const CANONICAL: u32 = u32::MAX;

/// What a series takes beside its bytes: a spelling, its place in the hash table, an end.
const SERIES_BYTES: usize = size_of::<Spelling>() + 12;

impl SeriesRegistry {
    /// The series and its measurement, when this spelling was met before.
    pub(crate) fn find(&mut self, raw: &[u8]) -> Option<(SeriesNumber, u32)> {
        let expected = self
            .spellings
            .get(self.last)
            .map_or(0, |spelling| spelling.next as usize);
        if expected < self.spellings.len() && self.raw(expected) == raw {
            self.last = expected;
        } else {
            let at = self.position(raw)?;
            self.spellings[self.last].next = at;
            self.last = at as usize;
        }
        let spelling = &self.spellings[self.last];
        Some((spelling.series, spelling.measurement))
    }

    /// Adds a spelling that [`SeriesRegistry::find`] does not know and that is not the canonical
    /// key.
    pub(crate) fn insert(&mut self, raw: &[u8], key: &SeriesKey, measurement: u32) -> SeriesNumber {
        let text = key.as_str();
        let is_ambiguous = is_ambiguous(key);
        let series = if is_ambiguous {
            match self.ambiguous.get(text) {
                Some(series) => *series,
                None => {
                    let series = self.keys.push(text, Some(key));
                    self.bytes += 2 * text.len() + SERIES_BYTES;
                    self.ambiguous.insert(text.into(), series);
                    series
                }
            }
        } else {
            match self.position(text.as_bytes()) {
                Some(at) => self.spellings[at as usize].series,
                None => self.insert_canonical(text, measurement),
            }
        };
        if is_ambiguous || raw != text.as_bytes() {
            let alias = u32::try_from(self.aliases.len()).expect("far fewer series than 32 bits");
            self.aliases.push(raw.into());
            self.bytes += raw.len() + SERIES_BYTES + 16;
            self.add(series, measurement, alias);
        }
        series
    }

    /// Adds a series that [`SeriesRegistry::find`] does not know, written as its canonical key.
    pub(crate) fn insert_canonical(&mut self, key: &str, measurement: u32) -> SeriesNumber {
        let series = self.keys.push(key, None);
        self.bytes += key.len() + SERIES_BYTES;
        self.add(series, measurement, CANONICAL);
        series
    }

    fn add(&mut self, series: SeriesNumber, measurement: u32, alias: u32) {
        let at = u32::try_from(self.spellings.len()).expect("far fewer series than 32 bits");
        self.spellings.push(Spelling {
            series,
            measurement,
            next: at + 1,
            alias,
        });
        let hash_of = |at: u32| hash(raw(&self.spellings, &self.keys, &self.aliases, at as usize));
        self.by_raw
            .insert_unique(hash_of(at), at, |&at| hash_of(at));
        self.last = at as usize;
    }

    fn position(&self, wanted: &[u8]) -> Option<u32> {
        let is_it = |&at: &u32| self.raw(at as usize) == wanted;
        self.by_raw.find(hash(wanted), is_it).copied()
    }

    fn raw(&self, at: usize) -> &[u8] {
        raw(&self.spellings, &self.keys, &self.aliases, at)
    }

    pub(crate) fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn raw<'a>(
    spellings: &[Spelling],
    keys: &'a KeyTable,
    aliases: &'a [Box<[u8]>],
    at: usize,
) -> &'a [u8] {
    let spelling = &spellings[at];
    match spelling.alias {
        CANONICAL => keys.text(spelling.series).as_bytes(),
        alias => &aliases[alias as usize],
    }
}

fn hash(raw: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    raw.hash(&mut hasher);
    hasher.finish()
}

/// Whether a series' canonical key reads as another series'.
fn is_ambiguous(key: &SeriesKey) -> bool {
    key.as_str().contains('\\') && {
        let read = line_protocol::series_key(key.as_str().as_bytes());
        read.measurement() != key.measurement() || read.tags() != key.tags()
    }
}

/// The canonical key of `measurement[,tag=value…]` as written, if it is spelt that way: no
/// escapes, tags in order.
pub(crate) fn canonical(raw: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(raw).ok()?;
    if text.contains('\\') {
        return None;
    }
    let mut last = "";
    for (at, part) in text.split(',').enumerate() {
        if at == 0 {
            continue;
        }
        let (key, value) = part.split_once('=')?;
        if key <= last || value.is_empty() || value.contains('=') {
            return None;
        }
        last = key;
    }
    Some(text)
}

const CHUNK: usize = 1024;

/// Keys by number. A clone is a stable view of what is there now and costs one pointer for each
/// thousand series.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTable(Vec<Arc<Chunk>>);

#[derive(Debug, Clone, Default)]
struct Chunk {
    text: String,
    ends: Vec<u32>,
    /// Keys that cannot be read from their text, by their place.
    unreadable: Vec<(usize, SeriesKey)>,
}

impl KeyTable {
    fn push(&mut self, key: &str, unreadable: Option<&SeriesKey>) -> SeriesNumber {
        let number = u32::try_from(self.len()).expect("far fewer series than 32 bits");
        if (number as usize).is_multiple_of(CHUNK) {
            self.0.push(Arc::default());
        }
        let chunk = self.0.last_mut().expect("was just added if need be");
        let chunk = Arc::make_mut(chunk);
        chunk.text.push_str(key);
        let end = u32::try_from(chunk.text.len()).expect("a thousand keys of at most 64 KiB");
        if let Some(key) = unreadable {
            chunk.unreadable.push((chunk.ends.len(), key.clone()));
        }
        chunk.ends.push(end);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.0
            .last()
            .map_or(0, |last| (self.0.len() - 1) * CHUNK + last.ends.len())
    }

    /// The canonical key of a number that this table, or the one it was cloned from, gave out.
    pub(crate) fn text(&self, number: SeriesNumber) -> &str {
        let chunk = &self.0[number as usize / CHUNK];
        let at = number as usize % CHUNK;
        let start = at.checked_sub(1).map_or(0, |before| chunk.ends[before]);
        &chunk.text[start as usize..chunk.ends[at] as usize]
    }

    /// As [`KeyTable::text`], taken apart.
    pub(crate) fn key(&self, number: SeriesNumber) -> SeriesKey {
        self.unreadable(number)
            .unwrap_or_else(|| line_protocol::series_key(self.text(number).as_bytes()))
    }

    fn unreadable(&self, number: SeriesNumber) -> Option<SeriesKey> {
        let at = number as usize % CHUNK;
        let known = &self.0[number as usize / CHUNK].unreadable;
        known
            .iter()
            .find(|(place, _)| *place == at)
            .map(|(_, key)| key.clone())
    }
}

/// Builds the keys of many series of one measurement, which share the names of their tags.
#[derive(Debug, Default)]
pub(crate) struct KeyBuilder {
    measurement: Option<Arc<str>>,
    tag_keys: Vec<Arc<str>>,
}

impl KeyBuilder {
    pub(crate) fn key(&mut self, keys: &KeyTable, number: SeriesNumber) -> SeriesKey {
        let text = keys.text(number);
        if text.contains('\\') {
            return keys.key(number);
        }
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        let measurement = match &self.measurement {
            Some(measurement) if **measurement == *name => measurement.clone(),
            _ => self.measurement.insert(name.into()).clone(),
        };
        let tags = parts.filter_map(|part| part.split_once('='));
        let tags = tags.map(|(key, value)| (self.tag_key(key), value.into()));
        let tags = tags.collect();
        SeriesKey::new(measurement, tags)
    }

    fn tag_key(&mut self, key: &str) -> Arc<str> {
        if let Some(known) = self.tag_keys.iter().find(|known| ***known == *key) {
            return known.clone();
        }
        let key: Arc<str> = key.into();
        if self.tag_keys.len() < 64 {
            self.tag_keys.push(key.clone());
        }
        key
    }
}

#[cfg(test)]
mod tests;
