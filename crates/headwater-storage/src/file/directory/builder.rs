//! Collects a directory while a file is written.

use std::sync::Arc;

use headwater_model::SeriesKey;
use rustc_hash::FxHashMap;

use super::{Codes, Directory, TagColumn};
use crate::file::FileSchema;

/// A directory in the making. Tag values have provisional codes, in order of arrival.
#[derive(Debug)]
pub(crate) struct DirectoryBuilder {
    schema: FileSchema,
    tags: Vec<TagBuilder>,
    row_starts: Vec<u64>,
    min_times: Vec<i64>,
    max_times: Vec<i64>,
}

#[derive(Debug, Default)]
struct TagBuilder {
    values: Vec<Arc<str>>,
    codes_by_value: FxHashMap<Arc<str>, u32>,
    codes: Vec<u32>,
}

impl DirectoryBuilder {
    pub(crate) fn new(schema: FileSchema) -> Self {
        let tags = schema
            .tag_keys
            .iter()
            .map(|_| TagBuilder::default())
            .collect();
        Self {
            schema,
            tags,
            row_starts: vec![0],
            min_times: Vec::new(),
            max_times: Vec::new(),
        }
    }

    pub(crate) fn schema(&self) -> &FileSchema {
        &self.schema
    }

    pub(crate) fn series_count(&self) -> usize {
        self.min_times.len()
    }

    /// Adds a series without rows. `Err` names a tag key that the schema lacks.
    pub(crate) fn begin_series(&mut self, key: &SeriesKey) -> Result<(), Arc<str>> {
        let mut tags = key.tags().iter().peekable();
        for (tag_key, column) in self.schema.tag_keys.iter().zip(&mut self.tags) {
            let code = match tags.next_if(|(key, _)| key == tag_key) {
                Some((_, value)) => column.intern(value),
                None => 0,
            };
            column.codes.push(code);
        }
        if let Some((unknown, _)) = tags.next() {
            return Err(unknown.clone());
        }
        self.row_starts.push(self.row_count());
        self.min_times.push(i64::MAX);
        self.max_times.push(i64::MIN);
        Ok(())
    }

    /// Counts rows of the series that was begun last; `times` are ascending.
    pub(crate) fn add_rows(&mut self, times: &[i64]) {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return;
        };
        let at = self.min_times.len() - 1;
        self.min_times[at] = self.min_times[at].min(*first);
        self.max_times[at] = self.max_times[at].max(*last);
        self.row_starts[at + 1] += times.len() as u64;
    }

    pub(crate) fn row_count(&self) -> u64 {
        *self.row_starts.last().expect("begins with 0")
    }

    /// The latest time of the series that was begun last; `None` before its first row.
    pub(crate) fn last_time(&self) -> Option<i64> {
        self.max_times
            .last()
            .copied()
            .filter(|&time| time != i64::MIN)
    }

    /// The provisional code of a tag of a series: 0, or 1 + index into `provisional_values`.
    pub(crate) fn provisional_code(&self, tag: usize, series: usize) -> u32 {
        self.tags[tag].codes[series]
    }

    pub(crate) fn provisional_values(&self, tag: usize) -> &[Arc<str>] {
        &self.tags[tag].values
    }

    pub(crate) fn finish(self) -> Directory {
        let tags = self.tags.into_iter().map(TagBuilder::finish).collect();
        Directory::new(
            self.schema,
            tags,
            self.row_starts,
            self.min_times,
            self.max_times,
        )
    }
}

impl TagBuilder {
    fn intern(&mut self, value: &Arc<str>) -> u32 {
        if let Some(&code) = self.codes_by_value.get(value) {
            return code;
        }
        self.values.push(value.clone());
        let code = self.values.len() as u32;
        self.codes_by_value.insert(value.clone(), code);
        code
    }

    /// Sorts the values and gives them their final codes.
    fn finish(self) -> TagColumn {
        let mut order: Vec<u32> = (0..self.values.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.values[a as usize].cmp(&self.values[b as usize]));
        let mut final_codes = vec![0; self.values.len() + 1];
        for (index, &provisional) in order.iter().enumerate() {
            final_codes[provisional as usize + 1] = index as u32 + 1;
        }
        let mut codes = Codes::with_capacity(self.values.len(), self.codes.len());
        for &provisional in &self.codes {
            codes.push(final_codes[provisional as usize]);
        }
        let values = order
            .iter()
            .map(|&at| self.values[at as usize].clone())
            .collect();
        TagColumn { values, codes }
    }
}
