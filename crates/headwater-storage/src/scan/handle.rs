//! What goes into a scan and what comes out.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;
use headwater_model::{SeriesKey, TimeRange};

use crate::run::Run;

/// A live series of a partition. Cheap to clone; only of use with the partition it came from.
#[derive(Debug, Clone)]
pub struct SeriesHandle {
    pub key: SeriesKey,
    /// All points are in `min_time..=max_time`, which may be wider than they are.
    pub min_time: i64,
    pub max_time: i64,
    /// At least as many as the series has rows.
    pub rows_max: u64,
    pub(crate) positions: Positions,
}

/// Where a series is: (source of the partition, position there), from old to new.
#[derive(Debug, Clone)]
pub(crate) enum Positions {
    One([(u32, u32); 1]),
    Many(Arc<[(u32, u32)]>),
}

impl SeriesHandle {
    /// The times that all points are between.
    pub(crate) fn hull(&self) -> TimeRange {
        TimeRange::new(self.min_time, self.max_time)
    }

    /// About how many rows are in `range`, as if the rows were spread evenly.
    pub fn rows_near(&self, range: TimeRange) -> u64 {
        let hull = self.hull();
        if range.covers(hull) {
            return self.rows_max;
        }
        let wanted = hull.intersect(range);
        let span = |r: TimeRange| (r.end as f64 - r.start as f64).max(1.0);
        let part = (span(wanted) / span(hull)).clamp(0.0, 1.0);
        (self.rows_max as f64 * part) as u64
    }
}

impl Positions {
    pub(crate) fn as_slice(&self) -> &[(u32, u32)] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// Which rows and columns are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ScanRequest<'a> {
    /// From [`crate::Partition::select`]; ascending order is the fastest.
    pub series: &'a [SeriesHandle],
    /// Names of fields.
    pub columns: &'a [Arc<str>],
    pub range: TimeRange,
    /// `false`: times may be left out if that saves decoding them.
    pub with_times: bool,
    /// Only the last n rows in which a requested column has a value are needed of each series;
    /// more may come.
    pub descending_limit: Option<usize>,
    /// Likewise the first n rows.
    pub ascending_limit: Option<usize>,
}

/// Which rows and columns are wanted of series that are read side by side.
#[derive(Debug, Clone, Copy)]
pub struct CursorRequest<'a> {
    /// From [`crate::Partition::select`]; ascending order is the fastest.
    pub series: &'a [SeriesHandle],
    /// Names of fields.
    pub columns: &'a [Arc<str>],
    pub range: TimeRange,
    /// Whether rows come from the earliest to the latest or the other way round.
    pub ascending: bool,
    /// About how many rows of each series are needed at all.
    pub limit: Option<usize>,
}

/// The rows of one series.
#[derive(Debug, Clone)]
pub struct SeriesSlices {
    /// Into [`ScanRequest::series`].
    pub index: usize,
    /// In time order; they do not overlap.
    pub slices: Vec<Slice>,
}

/// Rows with strictly ascending times.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Empty if the request did without times.
    pub times: ScalarBuffer<i64>,
    /// In request order; `None`: no row has a value.
    pub columns: Vec<Option<ArrayRef>>,
}

impl From<Run> for Slice {
    fn from(run: Run) -> Self {
        Self {
            times: run.times,
            columns: run.columns,
        }
    }
}

impl Slice {
    /// How many rows it has; 0 for a slice without times whose columns are all absent.
    pub fn rows(&self) -> usize {
        if self.times.is_empty() {
            self.columns
                .iter()
                .flatten()
                .next()
                .map_or(0, |column| column.len())
        } else {
            self.times.len()
        }
    }
}
