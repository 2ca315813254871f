//! The view of storage that execution needs: partitions, their series, scans. One implementation
//! reads snapshots, one (for tests) holds points in memory.

use std::{collections::BTreeMap, sync::Arc};

use headwater_model::{FieldType, Id, SeriesKey, TimeRange};
use headwater_storage::{
    CursorRequest, Cursors, Partition, ScanRequest, SeriesHandle, SeriesSlices, Snapshot,
    TagPredicate,
};

use crate::{error::Error, guard::Guard, snapshots::select_series};

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
    fn select(
        &mut self,
        predicate: Option<&TagPredicate>,
        guard: &Guard,
    ) -> Result<Vec<SeriesKey>, Error>;

    /// About how many rows a series of that list has in `range`.
    fn rows_near(&self, position: usize, range: TimeRange) -> u64;

    fn scan(&self, request: &Scan<'_>) -> Result<SeriesScan, Error>;

    /// Opens series side by side; of `request` the limits say how many rows matter and in which
    /// direction, `ascending` where there is none.
    fn cursors(&self, request: &Scan<'_>, ascending: bool)
    -> Result<Box<dyn SeriesCursors>, Error>;
}

/// Series that are read side by side, a few rows of each at a time.
pub(crate) trait SeriesCursors {
    /// The next rows of each of `series` (positions in the request, ascending), in the same
    /// order; those that have no more are left out.
    fn read(&mut self, series: &[usize]) -> Result<Vec<SeriesSlices>, Error>;
}

impl SeriesCursors for Cursors {
    fn read(&mut self, series: &[usize]) -> Result<Vec<SeriesSlices>, Error> {
        Ok(Cursors::read(self, series)?)
    }
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

/// Snapshots of the buckets that a request reads, all of them taken before it starts.
#[derive(Debug, Default)]
pub(crate) struct StoredSource {
    snapshots: BTreeMap<Id, Snapshot>,
}

impl StoredSource {
    pub(crate) fn new(snapshots: BTreeMap<Id, Snapshot>) -> Self {
        Self { snapshots }
    }
}

impl Source for StoredSource {
    fn partitions(&self, bucket: Id, measurement: &str, range: TimeRange) -> Vec<Box<dyn Shard>> {
        let Some(snapshot) = self.snapshots.get(&bucket) else {
            return Vec::new();
        };
        snapshot
            .partitions(measurement, range)
            .into_iter()
            .map(|partition| {
                Box::new(StoredShard {
                    partition,
                    selected: Vec::new(),
                }) as Box<dyn Shard>
            })
            .collect()
    }
}

struct StoredShard {
    partition: Partition,
    selected: Vec<SeriesHandle>,
}

impl StoredShard {
    fn handles(&self, positions: &[usize]) -> Vec<SeriesHandle> {
        let handle = |at: &usize| self.selected[*at].clone();
        positions.iter().map(handle).collect()
    }
}

impl Shard for StoredShard {
    fn range(&self) -> TimeRange {
        self.partition.range()
    }

    fn fields(&self) -> &BTreeMap<Arc<str>, FieldType> {
        self.partition.fields()
    }

    fn select(
        &mut self,
        predicate: Option<&TagPredicate>,
        guard: &Guard,
    ) -> Result<Vec<SeriesKey>, Error> {
        self.selected = select_series(&self.partition, predicate, guard)?;
        Ok(self
            .selected
            .iter()
            .map(|series| series.key.clone())
            .collect())
    }

    fn rows_near(&self, position: usize, range: TimeRange) -> u64 {
        self.selected[position].rows_near(range)
    }

    fn cursors(
        &self,
        request: &Scan<'_>,
        ascending: bool,
    ) -> Result<Box<dyn SeriesCursors>, Error> {
        Ok(Box::new(self.partition.cursors(CursorRequest {
            series: &self.handles(request.series),
            columns: request.columns,
            range: request.range,
            ascending,
            limit: request.ascending_limit.or(request.descending_limit),
        })?))
    }

    fn scan(&self, request: &Scan<'_>) -> Result<SeriesScan, Error> {
        let series = self.handles(request.series);
        let scan = self.partition.scan(ScanRequest {
            series: &series,
            columns: request.columns,
            range: request.range,
            with_times: request.with_times,
            descending_limit: request.descending_limit,
            ascending_limit: request.ascending_limit,
        })?;
        Ok(Box::new(scan.map(|slices| slices.map_err(Error::from))))
    }
}
