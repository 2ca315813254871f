//! The series of a data file: tag values as codes into one dictionary per tag key, row range,
//! earliest and latest time of each.

use std::{ops::Range, sync::Arc};

use headwater_model::{FieldType, SeriesKey};

use super::FileSchema;
use crate::predicate::TagPredicate;

/// The decoded series directory. Series are numbered from 0 in ascending order of their keys.
#[derive(Debug)]
pub(crate) struct Directory {
    schema: FileSchema,
}

impl Directory {
    pub(crate) fn series_count(&self) -> usize {
        0
    }

    /// The schema of the file.
    pub(crate) fn schema(&self) -> &FileSchema {
        &self.schema
    }

    pub(crate) fn tag_keys(&self) -> &[Arc<str>] {
        &self.schema.tag_keys
    }

    pub(crate) fn fields(&self) -> &[(Arc<str>, FieldType)] {
        &self.schema.fields
    }

    /// The key of series `series`; built on demand and, in small directories, kept.
    pub(crate) fn key(&self, _series: u32) -> SeriesKey {
        SeriesKey::new(self.schema.measurement.clone(), Vec::new())
    }

    /// The rows of a series; ascending and without gaps from one series to the next.
    pub(crate) fn row_range(&self, _series: u32) -> Range<u64> {
        0..0
    }

    pub(crate) fn min_time(&self, _series: u32) -> i64 {
        0
    }

    pub(crate) fn max_time(&self, _series: u32) -> i64 {
        0
    }

    /// The series that satisfy `predicate`, ascending.
    pub(crate) fn select(&self, _predicate: &TagPredicate) -> Vec<u32> {
        Vec::new()
    }

    /// The number of the series with this key.
    pub(crate) fn find(&self, _key: &SeriesKey) -> Option<u32> {
        None
    }
}
