//! Series in order, one at a time, and figures about all of them: for those who must not hold
//! millions of keys at once.

use std::{hash::Hasher as _, sync::Arc};

use hashbrown::HashSet;
use headwater_model::{SeriesKey, TimeRange};
use rustc_hash::{FxBuildHasher, FxHasher};

use super::{
    handle::{Positions, SeriesHandle},
    liveness::{Cuts, is_live},
    view::{FileSource, PartitionView, Source},
};
use crate::{error::Result, file::Directory, memtable::Block};

/// The live series of a partition, ascending.
pub(crate) struct SeriesStream<'a> {
    cursors: Vec<Cursor<'a>>,
}

/// Where one source is.
struct Cursor<'a> {
    source: Contents<'a>,
    number: u32,
    at: u32,
    head: Option<SeriesKey>,
}

enum Contents<'a> {
    File {
        source: &'a FileSource,
        directory: Arc<Directory>,
        cuts: Cuts,
    },
    Block(&'a Block),
}

impl<'a> SeriesStream<'a> {
    pub(crate) fn new(view: &'a PartitionView) -> Result<Self> {
        let mut cursors = Vec::with_capacity(view.sources.len());
        for (source, number) in view.sources.iter().zip(0..) {
            let mut cursor = Cursor {
                source: Contents::of(source)?,
                number,
                at: 0,
                head: None,
            };
            cursor.settle()?;
            cursors.push(cursor);
        }
        Ok(Self { cursors })
    }

    pub(crate) fn next(&mut self) -> Result<Option<SeriesHandle>> {
        let heads = self
            .cursors
            .iter()
            .filter_map(|cursor| cursor.head.as_ref());
        let Some(key) = heads.min().cloned() else {
            return Ok(None);
        };
        let mut range = TimeRange::new(i64::MAX, i64::MIN);
        let mut rows_max = 0;
        let mut positions = Vec::new();
        for cursor in &mut self.cursors {
            if cursor.head.as_ref() != Some(&key) {
                continue;
            }
            let (own, rows) = cursor.source.figures(cursor.at);
            range = TimeRange::new(range.start.min(own.start), range.end.max(own.end));
            rows_max += rows;
            positions.push((cursor.number, cursor.at));
            cursor.at += 1;
            cursor.settle()?;
        }
        let positions = match positions.as_slice() {
            &[one] => Positions::One([one]),
            many => Positions::Many(Arc::from(many)),
        };
        Ok(Some(SeriesHandle {
            key,
            min_time: range.start,
            max_time: range.end,
            rows_max,
            positions,
        }))
    }
}

impl Cursor<'_> {
    /// Goes on to a live series.
    fn settle(&mut self) -> Result<()> {
        self.head = None;
        while self.at < self.source.series_count() {
            if self.source.is_live(self.at)? {
                self.head = Some(self.source.key(self.at));
                break;
            }
            self.at += 1;
        }
        Ok(())
    }
}

impl<'a> Contents<'a> {
    fn of(source: &'a Source) -> Result<Self> {
        Ok(match source {
            Source::File(source) => Self::File {
                source,
                directory: source.file.directory()?,
                cuts: Cuts::of(source)?,
            },
            Source::Block(block) => Self::Block(block),
        })
    }

    fn series_count(&self) -> u32 {
        match self {
            Self::File { directory, .. } => directory.series_count() as u32,
            Self::Block(block) => block.series_keys().len() as u32,
        }
    }

    fn is_live(&self, series: u32) -> Result<bool> {
        match self {
            Self::File {
                source,
                directory,
                cuts,
            } if !cuts.is_empty() => is_live(source, directory, cuts, series),
            _ => Ok(true),
        }
    }

    fn key(&self, series: u32) -> SeriesKey {
        match self {
            Self::File { directory, .. } => directory.key(series),
            Self::Block(block) => block.series_keys()[series as usize].clone(),
        }
    }

    /// The hull of the times of a series, and at least as many rows as it has.
    fn figures(&self, series: u32) -> (TimeRange, u64) {
        match self {
            Self::File { directory, .. } => {
                let rows = directory.row_range(series);
                let range = TimeRange::new(directory.min_time(series), directory.max_time(series));
                (range, rows.end - rows.start)
            }
            Self::Block(block) => (block.series_range(series), block.series_rows(series) as u64),
        }
    }
}

/// The identities of series, 128 bits each: so many that two series never share one.
pub(crate) type SeriesSet = HashSet<u128, FxBuildHasher>;

/// Adds the live series of a measurement's partition. Values of tags are hashed once a file, not
/// once a series, and no key is built.
pub(crate) fn collect_series(view: &PartitionView, into: &mut SeriesSet) -> Result<()> {
    for source in &view.sources {
        match Contents::of(source)? {
            Contents::Block(block) => into.extend(block.series_keys().iter().map(identity)),
            contents @ Contents::File { .. } => {
                let Contents::File { directory, .. } = &contents else {
                    continue;
                };
                let measurement = word(0, directory.measurement());
                let tags: Vec<_> = directory.tag_keys().iter().zip(0..).collect();
                let values: Vec<Vec<u128>> = tags
                    .iter()
                    .map(|(key, tag)| {
                        let key = word(1, key);
                        let values = directory.tag_values(*tag).iter();
                        values.map(|value| pair(key, word(2, value))).collect()
                    })
                    .collect();
                into.reserve(directory.series_count().saturating_sub(into.len()));
                for series in 0..contents.series_count() {
                    if !contents.is_live(series)? {
                        continue;
                    }
                    let mut sum = measurement;
                    for (tag, values) in values.iter().enumerate() {
                        let code = directory.tag_code(tag, series);
                        if let Some(code) = code.checked_sub(1) {
                            sum = sum.wrapping_add(values[code as usize]);
                        }
                    }
                    into.insert(sum);
                }
            }
        }
    }
    Ok(())
}

/// The identity of a series: a sum over its tags, of which each key is there once.
pub(crate) fn identity(key: &SeriesKey) -> u128 {
    let tags = key.tags().iter();
    let tags = tags.map(|(key, value)| pair(word(1, key), word(2, value)));
    tags.fold(word(0, key.measurement()), u128::wrapping_add)
}

fn pair(key: u128, value: u128) -> u128 {
    // Odd and without a pattern, so that the parts cannot cancel each other.
    (key ^ value.rotate_left(41)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn word(role: u8, text: &str) -> u128 {
    let half = |seed: u8| {
        let mut hasher = FxHasher::default();
        hasher.write(&[role, seed]);
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
        hasher.finish()
    };
    u128::from(half(1)) << 64 | u128::from(half(2))
}
