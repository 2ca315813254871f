//! The scan: reads the wanted rows of several series at once, then hands them out one by one.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use arrow_buffer::ScalarBuffer;
use headwater_model::{FieldType, TimeRange};

use super::{
    handle::{ScanRequest, SeriesHandle, SeriesSlices, Slice},
    liveness::Cuts,
    view::{FileSource, PartitionView, Source},
};
use crate::{
    error::{Error, Result},
    limits::{SCAN_SERIES, SCAN_VALUES},
    run::{Run, merge},
    schema::Slot,
};

/// Which end of a series is enough, and how many rows of it.
#[derive(Debug, Clone, Copy)]
enum Limit {
    First(usize),
    Last(usize),
}

impl Limit {
    fn rows(self) -> usize {
        match self {
            Self::First(rows) | Self::Last(rows) => rows,
        }
    }

    /// The rows of `all` that are enough if each has a value.
    fn shorten(self, all: Range<u64>) -> Range<u64> {
        let rows = self.rows() as u64;
        match self {
            Self::First(_) => all.start..all.end.min(all.start.saturating_add(rows)),
            Self::Last(_) => all.start.max(all.end.saturating_sub(rows))..all.end,
        }
    }
}

/// Iterates over the series of a request, in its order; a series without rows is left out.
#[derive(Debug)]
pub struct Scan {
    view: Arc<PartitionView>,
    series: Vec<SeriesHandle>,
    columns: Vec<Arc<str>>,
    slots: Vec<Option<Slot>>,
    kinds: Vec<FieldType>,
    range: TimeRange,
    with_times: bool,
    limit: Option<Limit>,
    next: usize,
    ready: VecDeque<SeriesSlices>,
}

/// The rows of one series in one file that are to be read.
struct Want {
    /// Position in the window.
    at: usize,
    rows: Range<u64>,
    times: Option<ScalarBuffer<i64>>,
    cuts: Vec<TimeRange>,
    needs_times: bool,
}

impl Scan {
    pub(crate) fn new(view: Arc<PartitionView>, request: ScanRequest<'_>) -> Result<Self> {
        let schema = &view.schema;
        let slots = request
            .columns
            .iter()
            .map(|name| schema.slots.get(name).copied())
            .collect();
        let kind = |name| schema.fields.get(name).copied().unwrap_or(FieldType::Float);
        let kinds = request.columns.iter().map(kind).collect();
        let limit = match (request.ascending_limit, request.descending_limit) {
            (Some(rows), None) => Some(Limit::First(rows)),
            (None, Some(rows)) => Some(Limit::Last(rows)),
            _ => None,
        };
        Ok(Self {
            series: request.series.to_vec(),
            columns: request.columns.to_vec(),
            slots,
            kinds,
            range: request.range,
            with_times: request.with_times || request.columns.is_empty(),
            limit,
            next: 0,
            ready: VecDeque::new(),
            view,
        })
    }

    /// The next series to read together.
    fn window(&self) -> Range<usize> {
        let columns = self.columns.len() as u64;
        let mut values = 0;
        let mut end = self.next;
        while end < self.series.len() && end - self.next < SCAN_SERIES {
            let series = &self.series[end];
            let hull = TimeRange::new(series.min_time, series.max_time);
            let mut rows = series.rows_max;
            if !self.range.covers(hull) {
                let wanted = hull.intersect(self.range);
                let span = |r: TimeRange| (r.end as f64 - r.start as f64).max(1.0);
                let part = (span(wanted) / span(hull)).clamp(0.0, 1.0);
                values += rows;
                rows = (rows as f64 * part) as u64;
            }
            if let Some(limit) = self.limit {
                rows = rows.min(limit.rows() as u64);
            }
            values += rows * (columns + 1);
            if values > SCAN_VALUES && end > self.next {
                break;
            }
            end += 1;
        }
        self.next..end
    }

    /// Reads a window of series.
    fn fill(&mut self) -> Result<()> {
        let window = self.window();
        self.next = window.end;
        let limit = self.limit;
        let runs = self.read(window.clone(), limit)?;
        for (index, (runs, is_short)) in window.zip(runs) {
            let mut merged = merge(runs, &self.kinds)?;
            if let Some(limit) = limit.filter(|_| is_short)
                && merged.iter().map(Run::rows_with_value).sum::<usize>() < limit.rows()
            {
                let mut whole = self.read(index..index + 1, None)?;
                let (runs, _) = whole.pop().expect("one series was asked for");
                merged = merge(runs, &self.kinds)?;
            }
            if !merged.is_empty() {
                let slice = |run: Run| Slice {
                    times: run.times,
                    columns: run.columns,
                };
                let slices = merged.into_iter().map(slice).collect();
                self.ready.push_back(SeriesSlices { index, slices });
            }
        }
        Ok(())
    }

    /// The runs of each series of the window, from old to new, and whether rows were left out
    /// because of the limit.
    fn read(&self, window: Range<usize>, limit: Option<Limit>) -> Result<Vec<(Vec<Run>, bool)>> {
        let mut runs: Vec<(Vec<Run>, bool)> = Vec::new();
        runs.resize_with(window.len(), Default::default);
        let mut wanted: Vec<Vec<(usize, u32)>> = vec![Vec::new(); self.view.sources.len()];
        for (at, series) in self.series[window.clone()].iter().enumerate() {
            let positions = series.positions.as_slice();
            let one = match limit {
                Some(limit) if positions.len() > 1 => self.decisive_source(positions, limit)?,
                _ => None,
            };
            runs[at].1 = one.is_some();
            for &(source, position) in one.as_ref().map_or(positions, std::slice::from_ref) {
                wanted[source as usize].push((at, position));
            }
        }
        for (source, wanted) in self.view.sources.iter().zip(wanted) {
            if wanted.is_empty() {
                continue;
            }
            match source {
                Source::Block(block) => {
                    for (at, position) in wanted {
                        runs[at]
                            .0
                            .push(block.run(position, self.range, &self.slots)?);
                    }
                }
                Source::File(file) => {
                    let is_alone = |at: usize| {
                        let positions = self.series[window.start + at].positions.as_slice();
                        positions.len() == 1 || runs[at].1
                    };
                    let (wants, short) = self.plan(file, wanted, limit, is_alone)?;
                    for at in short {
                        runs[at].1 = true;
                    }
                    self.read_file(file, wants, &mut runs)?;
                }
            }
        }
        Ok(runs)
    }

    /// The source that alone decides about the last (first) rows of a series: all its times in
    /// the range are after (before) those of the others.
    fn decisive_source(
        &self,
        positions: &[(u32, u32)],
        limit: Limit,
    ) -> Result<Option<(u32, u32)>> {
        let mut hulls = Vec::with_capacity(positions.len());
        for &(source, position) in positions {
            let hull = match &self.view.sources[source as usize] {
                Source::Block(block) => block.series_range(position),
                Source::File(file) => {
                    let directory = file.file.directory()?;
                    TimeRange::new(directory.min_time(position), directory.max_time(position))
                }
            };
            if hull.overlaps(self.range) {
                hulls.push(((source, position), hull));
            }
        }
        let decisive = match limit {
            Limit::First(_) => hulls.iter().min_by_key(|(_, hull)| hull.start),
            Limit::Last(_) => hulls.iter().max_by_key(|(_, hull)| hull.end),
        };
        let Some(&(position, hull)) = decisive else {
            return Ok(None);
        };
        let is_apart =
            |&(other, range): &((u32, u32), TimeRange)| other == position || !range.overlaps(hull);
        Ok(hulls.iter().all(is_apart).then_some(position))
    }

    /// Which rows of a file to read, and of which series (by position in the window) the limit
    /// left rows out.
    fn plan(
        &self,
        source: &FileSource,
        mut wanted: Vec<(usize, u32)>,
        limit: Option<Limit>,
        is_alone: impl Fn(usize) -> bool,
    ) -> Result<(Vec<Want>, Vec<usize>)> {
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
            let needs_times = self.with_times || !cuts.is_empty() || !is_alone(at);
            let rows = directory.row_range(series);
            wants.push(Want {
                at,
                rows,
                times: None,
                cuts,
                needs_times,
            });
        }
        if !partial.is_empty() {
            self.narrow(source, &mut wants, &partial)?;
        }
        let mut short = Vec::new();
        if let Some(limit) = limit {
            for want in &mut wants {
                let rows = limit.shorten(want.rows.clone());
                if rows != want.rows && want.cuts.is_empty() && is_alone(want.at) {
                    if let Some(times) = &mut want.times {
                        let start = (rows.start - want.rows.start) as usize;
                        *times = times.slice(start, (rows.end - rows.start) as usize);
                    }
                    want.rows = rows;
                    short.push(want.at);
                }
            }
        }
        wants.retain(|want| !want.rows.is_empty());
        Ok((wants, short))
    }

    /// Cuts the wants at `partial` to the rows in the range, by their times.
    fn narrow(&self, source: &FileSource, wants: &mut [Want], partial: &[usize]) -> Result<()> {
        let rows: Vec<_> = partial.iter().map(|&at| wants[at].rows.clone()).collect();
        let batch = source.file.data()?.read(&join(rows), &[], true)?;
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

    /// Reads the wanted rows, which ascend, and adds them to the runs of their series.
    fn read_file(
        &self,
        source: &FileSource,
        wants: Vec<Want>,
        runs: &mut [(Vec<Run>, bool)],
    ) -> Result<()> {
        if wants.is_empty() {
            return Ok(());
        }
        let directory = source.file.directory()?;
        let names: Vec<&str> = self.columns.iter().map(|name| &**name).collect();
        let with_time = wants
            .iter()
            .any(|want| want.needs_times && want.times.is_none());
        let rows = join(wants.iter().map(|want| want.rows.clone()).collect());
        let mut batch = source.file.data()?.read(&rows, &names, with_time)?;
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
        for want in wants {
            let len = (want.rows.end - want.rows.start) as usize;
            let columns = batch
                .columns
                .iter()
                .map(|column| column.as_ref().map(|array| array.slice(offset, len)))
                .collect();
            let times = match want.times {
                Some(times) => times,
                None if with_time => batch.times.slice(offset, len),
                None => ScalarBuffer::from(Vec::new()),
            };
            offset += len;
            let run = Run::new(times, columns, false);
            if want.cuts.is_empty() {
                runs[want.at].0.push(run);
            } else {
                runs[want.at].0.extend(run.without(&want.cuts));
            }
        }
        Ok(())
    }
}

/// Ascending ranges with neighbours that touch made one.
fn join(rows: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(rows.len());
    for range in rows {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

impl Iterator for Scan {
    type Item = Result<SeriesSlices>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.next < self.series.len() {
            if let Err(error) = self.fill() {
                self.next = self.series.len();
                self.ready.clear();
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
