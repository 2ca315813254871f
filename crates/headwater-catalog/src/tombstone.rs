//! Storage's records of deletes that compaction has not made physical yet.

use headwater_model::Id;

/// Hides the points of `bucket` that were written before `sequence` and match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TombstoneRecord {
    /// The delete's place among the writes; unique.
    pub sequence: u64,
    pub bucket: Id,
    /// `None`: every measurement.
    pub measurement: Option<String>,
    /// Storage's own encoding of the tag predicate; `None`: every series.
    pub predicate: Option<String>,
    /// First nanosecond that is hidden.
    pub min_time: i64,
    /// Last nanosecond that is hidden.
    pub max_time: i64,
}
