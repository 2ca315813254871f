//! Reading rows of one source: which rows of a file a series and a range of time come to, and
//! their columns. What of it is wanted next is decided by the scan and the cursors.

use std::{ops::Range, sync::Arc};

use arrow_buffer::ScalarBuffer;
use headwater_model::{FieldType, TimeRange};

use super::{
    liveness::Cuts,
    view::{FileSource, PartitionView},
};
use crate::{
    error::{Error, Result},
    run::Run,
    schema::Slot,
};

/// What is read of the series of a partition, whichever they are.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) view: Arc<PartitionView>,
    pub(super) columns: Vec<Arc<str>>,
    pub(super) slots: Vec<Option<Slot>>,
    pub(super) kinds: Vec<FieldType>,
    pub(super) range: TimeRange,
    pub(super) with_times: bool,
}

/// The rows of one series in one file that are to be read.
pub(super) struct Want {
    /// The caller's number of the series.
    pub(super) at: usize,
    /// The series in the file.
    pub(super) position: u32,
    pub(super) rows: Range<u64>,
    /// Of these rows, when they are known already.
    pub(super) times: Option<ScalarBuffer<i64>>,
    /// What deletes hide of the series.
    pub(super) cuts: Vec<TimeRange>,
    pub(super) needs_times: bool,
    /// The limit left rows out.
    pub(super) is_short: bool,
}

impl Reader {
    pub(super) fn new(
        view: Arc<PartitionView>,
        columns: &[Arc<str>],
        range: TimeRange,
        with_times: bool,
    ) -> Self {
        let schema = &view.schema;
        let slots = columns
            .iter()
            .map(|name| schema.slots.get(name).copied())
            .collect();
        let kind = |name| schema.fields.get(name).copied().unwrap_or(FieldType::Float);
        let kinds = columns.iter().map(kind).collect();
        Self {
            columns: columns.to_vec(),
            slots,
            kinds,
            range,
            with_times: with_times || columns.is_empty(),
            view,
        }
    }

    /// Which rows of a file the range leaves of the series of `wanted`, given by the caller's
    /// number and the position in the file. In the order of the file; series without rows are
    /// left out. `is_alone` tells of which series no other source has rows.
    pub(super) fn plan(
        &self,
        source: &FileSource,
        mut wanted: Vec<(usize, u32)>,
        is_alone: impl Fn(usize) -> bool,
    ) -> Result<Vec<Want>> {
        wanted.sort_by_key(|&(_, series)| series);
        let directory = source.file.directory()?;
        let cuts = Cuts::of(source)?;
        let mut wants = Vec::with_capacity(wanted.len());
        let mut partial = Vec::new();
        for (at, series) in wanted {
            let hull = TimeRange::new(directory.min_time(series), directory.max_time(series));
            if !hull.overlaps(self.range) {
                continue;
            }
            let cuts = if cuts.is_empty() {
                Vec::new()
            } else {
                cuts.of_series(series, hull)
            };
            if !self.range.covers(hull) {
                partial.push(wants.len());
            }
            wants.push(Want {
                at,
                position: series,
                rows: directory.row_range(series),
                times: None,
                needs_times: self.with_times || !cuts.is_empty() || !is_alone(at),
                cuts,
                is_short: false,
            });
        }
        if !partial.is_empty() {
            self.narrow(source, &mut wants, &partial)?;
        }
        wants.retain(|want| !want.rows.is_empty());
        Ok(wants)
    }

    /// Cuts the wants at `partial` to the rows in the range, by their times.
    fn narrow(&self, source: &FileSource, wants: &mut [Want], partial: &[usize]) -> Result<()> {
        for &at in partial {
            wants[at].rows = source.file.rows_near(wants[at].rows.clone(), self.range)?;
        }
        let rows = partial.iter().map(|&at| wants[at].rows.clone());
        let batch = source.file.read(&join(rows), &[], true)?;
        let mut offset = 0;
        for &at in partial {
            let want = &mut wants[at];
            let len = (want.rows.end - want.rows.start) as usize;
            let times = batch.times.slice(offset, len);
            offset += len;
            let start = times.partition_point(|&t| t < self.range.start);
            let end = times.partition_point(|&t| t <= self.range.end).max(start);
            want.rows = want.rows.start + start as u64..want.rows.start + end as u64;
            want.times = Some(times.slice(start, end - start));
        }
        Ok(())
    }

    /// Reads the wanted rows, which ascend; a run for each.
    pub(super) fn read_file(&self, source: &FileSource, wants: &[Want]) -> Result<Vec<Run>> {
        if wants.is_empty() {
            return Ok(Vec::new());
        }
        let directory = source.file.directory()?;
        let names: Vec<&str> = self.columns.iter().map(|name| &**name).collect();
        let with_time = wants
            .iter()
            .any(|want| want.needs_times && want.times.is_none());
        let rows = join(wants.iter().map(|want| want.rows.clone()));
        let mut batch = source.file.read(&rows, &names, with_time)?;
        for ((name, kind), column) in names.iter().zip(&self.kinds).zip(&mut batch.columns) {
            let fields = directory.fields();
            let known = fields.binary_search_by(|(known, _)| (**known).cmp(name));
            if known.is_ok_and(|at| fields[at].1 != *kind) {
                return Err(Error::Internal(format!(
                    "{}: field {name:?} is not of the type the partition has",
                    source.file.path().display()
                )));
            }
            if column
                .as_ref()
                .is_some_and(|array| array.null_count() == array.len())
            {
                *column = None;
            }
        }
        let mut offset = 0;
        let run = |want: &Want| {
            let len = (want.rows.end - want.rows.start) as usize;
            let columns = batch
                .columns
                .iter()
                .map(|column| column.as_ref().map(|array| array.slice(offset, len)))
                .collect();
            let times = match &want.times {
                Some(times) => times.clone(),
                None if with_time => batch.times.slice(offset, len),
                None => ScalarBuffer::from(Vec::new()),
            };
            offset += len;
            Run::new(times, columns, false)
        };
        Ok(wants.iter().map(run).collect())
    }
}

/// Ascending ranges with neighbours that touch made one.
fn join(rows: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(rows.size_hint().0);
    for range in rows {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}
