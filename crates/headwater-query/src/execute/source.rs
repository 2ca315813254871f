//! The view of storage that execution needs: partitions, their series, scans. One implementation
//! reads snapshots, one (for tests) holds points in memory.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;
use headwater_model::{FieldType, Id, SeriesKey, TimeRange};
use headwater_storage::TagPredicate;

use crate::error::Error;

/// Where the partitions of a bucket come from; the same view for the whole statement.
pub(crate) trait Source {
    /// The partitions of a measurement that overlap `range`, in ascending order of time.
    fn partitions(&self, bucket: Id, measurement: &str, range: TimeRange) -> Vec<Box<dyn Shard>>;
}

/// One partition of a measurement: what the reference calls a shard.
pub(crate) trait Shard {
    fn range(&self) -> TimeRange;

    fn fields(&self) -> &BTreeMap<Arc<str>, FieldType>;

    /// The live series that satisfy `predicate`, sorted by key. Scans name them by position in
    /// this list; a second call starts a new list.
    fn select(&mut self, predicate: Option<&TagPredicate>) -> Result<Vec<SeriesKey>, Error>;

    fn scan(&self, request: &Scan<'_>) -> Result<SeriesScan, Error>;
}

/// What to read.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    /// Positions in the list of `select`; answered in this order.
    pub(crate) series: &'a [usize],
    /// Field names.
    pub(crate) columns: &'a [Arc<str>],
    pub(crate) range: TimeRange,
    /// False: times may be left empty.
    pub(crate) with_times: bool,
    /// A hint that only so many first, or last, rows with a value in one of the columns matter.
    pub(crate) ascending_limit: Option<usize>,
    pub(crate) descending_limit: Option<usize>,
}

/// The slices of series, in the order of the request; series without rows may be missing.
pub(crate) type SeriesScan = Box<dyn Iterator<Item = Result<SeriesSlices, Error>>>;

/// The rows of one series.
#[derive(Debug)]
pub(crate) struct SeriesSlices {
    /// Position in `Scan::series`.
    pub(crate) index: usize,
    /// In ascending order of time, without overlap.
    pub(crate) slices: Vec<Slice>,
}

/// A run of rows with ascending times.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) times: ScalarBuffer<i64>,
    /// One a requested column; `None` when it has no value here.
    pub(crate) columns: Vec<Option<ArrayRef>>,
    pub(crate) rows: usize,
}
