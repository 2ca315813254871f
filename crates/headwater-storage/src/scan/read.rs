//! The scan: reads the wanted rows of several series at once, then hands them out one by one.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use arrow_buffer::ScalarBuffer;
use headwater_model::{FieldType, TimeRange};

use super::{
    handle::{ScanRequest, SeriesHandle, SeriesSlices, Slice},
    limit::Limit,
    liveness::Cuts,
    view::{FileSource, PartitionView, Source},
};
use crate::{
    error::{Error, Result},
    limits::{SCAN_SERIES, SCAN_VALUES},
    run::{Run, merge},
    schema::Slot,
};

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
    /// The limit left rows out.
    is_short: bool,
}

/// What was read of one series.
#[derive(Debug, Default)]
struct Reading {
    /// From old to new.
    runs: Vec<Run>,
    /// The limit left rows or sources out.
    is_short: bool,
    /// The runs are complete from this time on (up to it, if the first rows are wanted): what
    /// lies beyond has rows in other sources that were not read.
    bound: Option<i64>,
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
        let readings = self.read(window.clone(), limit)?;
        for (index, reading) in window.zip(readings) {
            let is_short = reading.is_short;
            let mut merged = merge(reading.bounded(limit), &self.kinds)?;
            if let Some(limit) = limit.filter(|_| is_short)
                && merged.iter().map(Run::rows_with_value).sum::<usize>() < limit.rows()
            {
                let mut whole = self.read(index..index + 1, None)?;
                let reading = whole.pop().expect("one series was asked for");
                merged = merge(reading.runs, &self.kinds)?;
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

    /// The rows of each series of the window.
    fn read(&self, window: Range<usize>, limit: Option<Limit>) -> Result<Vec<Reading>> {
        let mut readings: Vec<Reading> = Vec::new();
        readings.resize_with(window.len(), Default::default);
        let mut wanted: Vec<Vec<(usize, u32)>> = vec![Vec::new(); self.view.sources.len()];
        for (at, series) in self.series[window.clone()].iter().enumerate() {
            let positions = series.positions.as_slice();
            let skipped = match limit {
                Some(limit) if positions.len() > 1 => self.skipped_sources(positions, limit)?,
                _ => None,
            };
            let (skipped, bound) = skipped.unzip();
            readings[at].is_short = skipped.is_some();
            readings[at].bound = bound;
            let skipped = skipped.unwrap_or_default();
            for &(source, position) in positions {
                if !skipped.contains(&source) {
                    wanted[source as usize].push((at, position));
                }
            }
        }
        let is_alone = |at: usize| self.series[window.start + at].positions.as_slice().len() == 1;
        for (source, wanted) in self.view.sources.iter().zip(wanted) {
            if wanted.is_empty() {
                continue;
            }
            match source {
                Source::Block(block) => {
                    for (at, position) in wanted {
                        let rows = block.rows_in(position, self.range);
                        let short = limit.map_or(rows.clone(), |limit| {
                            block.whole_times(position, limit.shorten(rows.clone()))
                        });
                        let run = block.run(short.clone(), &self.slots)?;
                        if let Some(limit) = limit.filter(|_| short != rows) {
                            readings[at].note_short(limit, &run.times);
                        }
                        readings[at].runs.push(run);
                    }
                }
                Source::File(file) => {
                    let wants = self.plan(file, wanted, limit, is_alone)?;
                    self.read_file(file, wants, limit, &mut readings)?;
                }
            }
        }
        Ok(readings)
    }

    /// The sources of a series that the limit makes superfluous: all their times are before
    /// (after) those of one that has enough rows. With the bound of completeness.
    fn skipped_sources(
        &self,
        positions: &[(u32, u32)],
        limit: Limit,
    ) -> Result<Option<(Vec<u32>, i64)>> {
        let mut hulls = Vec::with_capacity(positions.len());
        for &(source, position) in positions {
            let (hull, rows) = match &self.view.sources[source as usize] {
                Source::Block(block) => (
                    block.series_range(position),
                    block.series_rows(position) as u64,
                ),
                Source::File(file) => {
                    let directory = file.file.directory()?;
                    let rows = directory.row_range(position);
                    let range =
                        TimeRange::new(directory.min_time(position), directory.max_time(position));
                    (range, rows.end - rows.start)
                }
            };
            if hull.overlaps(self.range) {
                hulls.push((source, hull, rows));
            }
        }
        Ok(limit.skipped(&hulls, self.range))
    }

    /// Which rows of a file to read.
    fn plan(
        &self,
        source: &FileSource,
        mut wanted: Vec<(usize, u32)>,
        limit: Option<Limit>,
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
            let needs_times = self.with_times || !cuts.is_empty() || !is_alone(at);
            let rows = directory.row_range(series);
            wants.push(Want {
                at,
                rows,
                times: None,
                cuts,
                needs_times,
                is_short: false,
            });
        }
        if !partial.is_empty() {
            self.narrow(source, &mut wants, &partial)?;
        }
        if let Some(limit) = limit {
            for want in &mut wants {
                let rows = limit.shorten(want.rows.clone());
                if rows != want.rows {
                    if let Some(times) = &mut want.times {
                        let start = (rows.start - want.rows.start) as usize;
                        *times = times.slice(start, (rows.end - rows.start) as usize);
                    }
                    want.rows = rows;
                    want.is_short = true;
                }
            }
        }
        wants.retain(|want| !want.rows.is_empty());
        Ok(wants)
    }

    /// Cuts the wants at `partial` to the rows in the range, by their times.
    fn narrow(&self, source: &FileSource, wants: &mut [Want], partial: &[usize]) -> Result<()> {
        let rows: Vec<_> = partial.iter().map(|&at| wants[at].rows.clone()).collect();
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

    /// Reads the wanted rows, which ascend, and adds them to the runs of their series.
    fn read_file(
        &self,
        source: &FileSource,
        wants: Vec<Want>,
        limit: Option<Limit>,
        readings: &mut [Reading],
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
            let reading = &mut readings[want.at];
            if let Some(limit) = limit.filter(|_| want.is_short) {
                reading.note_short(limit, &run.times);
            }
            if want.cuts.is_empty() {
                reading.runs.push(run);
            } else {
                reading.runs.extend(run.without(&want.cuts));
            }
        }
        Ok(())
    }
}

impl Reading {
    /// A source was read only in part; `times` are the first or last of it, and missing if it is
    /// the only one.
    fn note_short(&mut self, limit: Limit, times: &[i64]) {
        self.is_short = true;
        self.bound = limit.narrower(self.bound, limit.bound(times));
    }

    /// The runs as far as they are complete.
    fn bounded(self, limit: Option<Limit>) -> Vec<Run> {
        let (Some(limit), Some(bound)) = (limit, self.bound) else {
            return self.runs;
        };
        let within = |run: Run| {
            let rows = limit.within(&run.times, bound);
            run.slice(rows.start, rows.len())
        };
        self.runs.into_iter().map(within).collect()
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
