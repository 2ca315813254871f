//! The series that a SHOW statement is about: those that satisfy its predicate and, where WHERE
//! has a time range, have a point in it.

use std::{collections::BTreeSet, rc::Rc, sync::Arc};

use headwater_model::{SeriesKey, TimeRange};
use headwater_storage::{Partition, ScanRequest, SeriesHandle, Slice, Snapshot, TagPredicate};

use crate::{
    Error,
    guard::{Guard, Held},
    resolve::time_bounds::TimeBounds,
    snapshots::select_series,
};

/// A measurement's partitions, as far as a time range may touch them.
pub(super) struct Matching {
    partitions: Vec<Partition>,
    /// `None`: the statement has no time range.
    range: Option<TimeRange>,
    guard: Rc<Guard>,
}

/// About what a series takes beside the text of its key.
const SERIES_BYTES: usize = 2 * size_of::<SeriesHandle>();

impl Matching {
    pub(super) fn new(
        snapshot: &Snapshot,
        measurement: &str,
        bounds: TimeBounds,
        guard: &Rc<Guard>,
    ) -> Self {
        let range = (bounds != TimeBounds::default()).then(|| bounds.range());
        let partitions = match range {
            Some(range) if range.is_empty() => Vec::new(),
            _ => snapshot.partitions(measurement, range.unwrap_or(TimeRange::ALL)),
        };
        Self {
            partitions,
            range,
            guard: Rc::clone(guard),
        }
    }

    pub(super) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub(super) fn has_time(&self) -> bool {
        self.range.is_some()
    }

    pub(super) fn has_field(&self, name: &str) -> bool {
        self.partitions
            .iter()
            .any(|partition| partition.fields().contains_key(name))
    }

    /// The series, ascending by key; `held` is for what they take.
    pub(super) fn series(
        &self,
        predicate: Option<&TagPredicate>,
        held: &mut Held,
    ) -> Result<Vec<SeriesKey>, Error> {
        let mut found: BTreeSet<SeriesKey> = BTreeSet::new();
        for partition in &self.partitions {
            let mut series = select_series(partition, predicate, &self.guard)?;
            if let Some(range) = self.range {
                series.retain(|it| !found.contains(&it.key));
                self.guard.work(series.len())?;
                series = with_points(partition, series, range, &self.guard)?;
            }
            for one in series {
                self.guard.work(1)?;
                let bytes = SERIES_BYTES + one.key.as_str().len();
                if found.insert(one.key) {
                    held.grow(bytes)?;
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Whether any series satisfies the predicate.
    pub(super) fn any(&self, predicate: &TagPredicate) -> Result<bool, Error> {
        for partition in &self.partitions {
            let series = select_series(partition, Some(predicate), &self.guard)?;
            let found = match self.range {
                Some(range) => with_points(partition, series, range, &self.guard)?,
                None => series,
            };
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The series that have a point in `range`. A live series of a partition that lies in the range
/// has one; others are looked up.
fn with_points(
    partition: &Partition,
    series: Vec<SeriesHandle>,
    range: TimeRange,
    guard: &Guard,
) -> Result<Vec<SeriesHandle>, Error> {
    if range.covers(partition.range()) {
        return Ok(series);
    }
    let overlapping: Vec<SeriesHandle> = series
        .into_iter()
        .filter(|it| range.overlaps(TimeRange::new(it.min_time, it.max_time)))
        .collect();
    let columns: Vec<Arc<str>> = partition.fields().keys().cloned().collect();
    let scan = partition.scan(ScanRequest {
        series: &overlapping,
        columns: &columns,
        range,
        with_times: true,
        descending_limit: None,
        ascending_limit: Some(1),
    })?;
    let mut has_points = vec![false; overlapping.len()];
    for slices in scan {
        let slices = slices?;
        guard.work(1 + slices.slices.iter().map(Slice::rows).sum::<usize>())?;
        has_points[slices.index] = slices.slices.iter().any(|slice| !slice.times.is_empty());
    }
    let mut kept = overlapping;
    let mut flags = has_points.into_iter();
    kept.retain(|_| flags.next().unwrap_or(false));
    Ok(kept)
}
