//! The series of a data file: tag values as codes into one dictionary per tag key, row range,
//! earliest and latest time of each.
//!
//! A file of two million series must not cost two million keys in memory, so the directory is
//! columns of numbers; keys are built when they are asked for. `codec` holds the persisted form,
//! `builder` collects a directory while a file is written, `select` evaluates tag predicates.

mod builder;
mod codec;
mod select;

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use headwater_model::{FieldType, SeriesKey};

pub(super) use self::{
    builder::DirectoryBuilder,
    codec::{decode, encode},
};
use super::FileSchema;

/// Directories up to this size keep the keys that were asked for: about 200 bytes each.
const KEPT_KEYS_MAX: usize = 10_000;

/// The decoded series directory. Series are numbered from 0 in ascending order of their keys.
#[derive(Debug)]
pub(crate) struct Directory {
    schema: FileSchema,
    /// One per tag key of the schema.
    tags: Vec<TagColumn>,
    /// First row of each series, and the number of rows at the end.
    row_starts: Vec<u64>,
    min_times: Vec<i64>,
    max_times: Vec<i64>,
    /// Empty in a large directory.
    kept_keys: Box<[OnceLock<SeriesKey>]>,
}

/// One tag key: its values, and the value of each series.
#[derive(Debug, Default, PartialEq, Eq)]
struct TagColumn {
    /// Sorted, distinct, not empty.
    values: Vec<Arc<str>>,
    codes: Codes,
}

/// The value of each series as a code: 0 when it lacks the tag, otherwise 1 + index into the
/// values. As narrow as the number of values allows.
#[derive(Debug, PartialEq, Eq)]
enum Codes {
    Narrow(Vec<u8>),
    Middle(Vec<u16>),
    Wide(Vec<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Codes {
    /// For codes up to `code_max`.
    fn with_capacity(code_max: usize, capacity: usize) -> Self {
        if u8::try_from(code_max).is_ok() {
            Self::Narrow(Vec::with_capacity(capacity))
        } else if u16::try_from(code_max).is_ok() {
            Self::Middle(Vec::with_capacity(capacity))
        } else {
            Self::Wide(Vec::with_capacity(capacity))
        }
    }

    /// `code` is at most the `code_max` given at creation.
    fn push(&mut self, code: u32) {
        match self {
            Self::Narrow(codes) => codes.push(code as u8),
            Self::Middle(codes) => codes.push(code as u16),
            Self::Wide(codes) => codes.push(code),
        }
    }

    fn get(&self, series: usize) -> u32 {
        match self {
            Self::Narrow(codes) => codes[series].into(),
            Self::Middle(codes) => codes[series].into(),
            Self::Wide(codes) => codes[series],
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Middle(codes) => codes.len() * 2,
            Self::Wide(codes) => codes.len() * 4,
        }
    }
}

impl Directory {
    fn new(
        schema: FileSchema,
        tags: Vec<TagColumn>,
        row_starts: Vec<u64>,
        min_times: Vec<i64>,
        max_times: Vec<i64>,
    ) -> Self {
        let count = min_times.len();
        let kept_keys = if count <= KEPT_KEYS_MAX { count } else { 0 };
        let kept_keys = (0..kept_keys).map(|_| OnceLock::new()).collect();
        Self {
            schema,
            tags,
            row_starts,
            min_times,
            max_times,
            kept_keys,
        }
    }

    pub(crate) fn series_count(&self) -> usize {
        self.min_times.len()
    }

    /// Rows of the file.
    pub(crate) fn row_count(&self) -> u64 {
        *self
            .row_starts
            .last()
            .expect("holds one entry more than there are series")
    }

    pub(crate) fn tag_keys(&self) -> &[Arc<str>] {
        &self.schema.tag_keys
    }

    pub(crate) fn fields(&self) -> &[(Arc<str>, FieldType)] {
        &self.schema.fields
    }

    pub(crate) fn measurement(&self) -> &Arc<str> {
        &self.schema.measurement
    }

    /// The values of a tag, given by its place among the tag keys; sorted, each of some series.
    pub(crate) fn tag_values(&self, tag: usize) -> &[Arc<str>] {
        &self.tags[tag].values
    }

    /// The value of a tag of a series: 0 when it lacks the tag, otherwise 1 + index into
    /// [`Directory::tag_values`].
    pub(crate) fn tag_code(&self, tag: usize, series: u32) -> u32 {
        self.tags[tag].codes.get(series as usize)
    }

    /// The key of a series; built on demand and, in small directories, kept.
    pub(crate) fn key(&self, series: u32) -> SeriesKey {
        match self.kept_keys.get(series as usize) {
            Some(kept) => kept.get_or_init(|| self.build_key(series)).clone(),
            None => self.build_key(series),
        }
    }

    fn build_key(&self, series: u32) -> SeriesKey {
        let mut tags = Vec::with_capacity(self.tags.len());
        tags.extend(
            self.tags(series)
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        SeriesKey::new(self.schema.measurement.clone(), tags)
    }

    /// The tags that a series has, sorted by key.
    fn tags(&self, series: u32) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.schema
            .tag_keys
            .iter()
            .zip(&self.tags)
            .filter_map(move |(key, column)| {
                let code = column.codes.get(series as usize);
                Some((key, column.values.get((code as usize).checked_sub(1)?)?))
            })
    }

    /// The rows of a series; ascending and without gaps from one series to the next.
    pub(crate) fn row_range(&self, series: u32) -> Range<u64> {
        self.row_starts[series as usize]..self.row_starts[series as usize + 1]
    }

    pub(crate) fn min_time(&self, series: u32) -> i64 {
        self.min_times[series as usize]
    }

    pub(crate) fn max_time(&self, series: u32) -> i64 {
        self.max_times[series as usize]
    }

    /// About what the directory occupies in memory, keys that may be kept included.
    pub(super) fn size_bytes(&self) -> usize {
        let tags: usize = self
            .tags
            .iter()
            .map(|column| {
                let values: usize = column.values.iter().map(|value| value.len() + 32).sum();
                values + column.codes.size_bytes()
            })
            .sum();
        tags + 24 * self.series_count() + 200 * self.kept_keys.len() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests;
