//! Deletes that are not physical yet.

use std::sync::Arc;

use headwater_catalog::TombstoneRecord;
use headwater_model::{Id, SeriesKey, TimeRange};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    predicate::TagPredicate,
};

/// What a delete removes: the points of matching series in `range`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteRequest {
    /// `None`: all measurements of the bucket.
    pub measurements: Option<Vec<String>>,
    /// `None`: all series.
    pub predicate: Option<TagPredicate>,
    pub range: TimeRange,
}

/// A delete as the write-ahead log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeleteRecord {
    pub(crate) measurements: Option<Vec<String>>,
    pub(crate) predicate: Option<TagPredicate>,
    pub(crate) min_time: i64,
    pub(crate) max_time: i64,
}

/// Hides rows older than `sequence` in files.
#[derive(Debug)]
pub(crate) struct Tombstone {
    pub(crate) sequence: u64,
    pub(crate) bucket: Id,
    /// `None`: all measurements.
    pub(crate) measurement: Option<Arc<str>>,
    /// `None`: all series.
    pub(crate) predicate: Option<TagPredicate>,
    pub(crate) range: TimeRange,
}

impl Tombstone {
    /// The tombstones of a delete: one for each measurement, numbered from `sequence`.
    pub(crate) fn of(bucket: Id, sequence: u64, delete: &DeleteRecord) -> Vec<Arc<Self>> {
        let range = TimeRange::new(delete.min_time, delete.max_time);
        let named = match &delete.measurements {
            None => vec![None],
            Some(names) => names
                .iter()
                .map(|name| Some(name.as_str().into()))
                .collect(),
        };
        let tombstone = |(sequence, measurement)| {
            let predicate = delete.predicate.clone();
            Arc::new(Self {
                sequence,
                bucket,
                measurement,
                predicate,
                range,
            })
        };
        (sequence..).zip(named).map(tombstone).collect()
    }

    pub(crate) fn concerns(&self, measurement: &str) -> bool {
        self.measurement
            .as_deref()
            .is_none_or(|name| name == measurement)
    }

    /// Whether a series of a measurement it concerns is selected.
    pub(crate) fn selects(&self, key: &SeriesKey) -> bool {
        self.predicate.as_ref().is_none_or(|p| matches(p, key))
    }

    pub(crate) fn to_record(&self) -> Result<TombstoneRecord> {
        let predicate = match &self.predicate {
            Some(predicate) => {
                Some(serde_json::to_string(predicate).map_err(|e| Error::Internal(e.to_string()))?)
            }
            None => None,
        };
        Ok(TombstoneRecord {
            sequence: self.sequence,
            bucket: self.bucket,
            measurement: self.measurement.as_deref().map(str::to_owned),
            predicate,
            min_time: self.range.start,
            max_time: self.range.end,
        })
    }

    pub(crate) fn from_record(record: TombstoneRecord) -> Result<Self> {
        let predicate = match &record.predicate {
            Some(text) => Some(serde_json::from_str(text).map_err(|e| {
                Error::Internal(format!("predicate of delete {}: {e}", record.sequence))
            })?),
            None => None,
        };
        Ok(Self {
            sequence: record.sequence,
            bucket: record.bucket,
            measurement: record.measurement.map(Into::into),
            predicate,
            range: TimeRange::new(record.min_time, record.max_time),
        })
    }
}

/// Whether a series satisfies a predicate.
pub(crate) fn matches(predicate: &TagPredicate, key: &SeriesKey) -> bool {
    predicate.matches(&|tag| key.tag(tag).map_or("", |value| &**value))
}
