//! The scan: reads the wanted rows of several series at once, then hands them out one by one.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use headwater_model::TimeRange;

use super::{
    handle::{ScanRequest, SeriesHandle, SeriesSlices},
    limit::Limit,
    reader::{Reader, Want},
    view::{FileSource, PartitionView, Source},
};
use crate::{
    error::Result,
    limits::{SCAN_SERIES, SCAN_VALUES},
    run::{Run, merge},
};

/// Iterates over the series of a request, in its order; a series without rows is left out.
#[derive(Debug)]
pub struct Scan {
    reader: Reader,
    series: Vec<SeriesHandle>,
    limit: Option<Limit>,
    next: usize,
    ready: VecDeque<SeriesSlices>,
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
        let limit = match (request.ascending_limit, request.descending_limit) {
            (Some(rows), None) => Some(Limit::First(rows)),
            (None, Some(rows)) => Some(Limit::Last(rows)),
            _ => None,
        };
        let reader = Reader::new(view, request.columns, request.range, request.with_times);
        Ok(Self {
            reader,
            series: request.series.to_vec(),
            limit,
            next: 0,
            ready: VecDeque::new(),
        })
    }

    /// The next series to read together.
    fn window(&self) -> Range<usize> {
        let columns = self.reader.columns.len() as u64;
        let range = self.reader.range;
        let mut values = 0;
        let mut end = self.next;
        while end < self.series.len() && end - self.next < SCAN_SERIES {
            let series = &self.series[end];
            let mut rows = series.rows_near(range);
            if !range.covers(series.hull()) {
                // Their times are read to find the others.
                values += series.rows_max;
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
            let mut merged = merge(reading.bounded(limit), &self.reader.kinds)?;
            if let Some(limit) = limit.filter(|_| is_short)
                && merged.iter().map(Run::rows_with_value).sum::<usize>() < limit.rows()
            {
                let mut whole = self.read(index..index + 1, None)?;
                let reading = whole.pop().expect("one series was asked for");
                merged = merge(reading.runs, &self.reader.kinds)?;
            }
            if !merged.is_empty() {
                let slices = merged.into_iter().map(Run::into).collect();
                self.ready.push_back(SeriesSlices { index, slices });
            }
        }
        Ok(())
    }

    /// The rows of each series of the window.
    fn read(&self, window: Range<usize>, limit: Option<Limit>) -> Result<Vec<Reading>> {
        let mut readings: Vec<Reading> = Vec::new();
        readings.resize_with(window.len(), Default::default);
        let mut wanted: Vec<Vec<(usize, u32)>> = vec![Vec::new(); self.reader.view.sources.len()];
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
        for (source, wanted) in self.reader.view.sources.iter().zip(wanted) {
            if wanted.is_empty() {
                continue;
            }
            match source {
                Source::Block(block) => {
                    for (at, position) in wanted {
                        let rows = block.rows_in(position, self.reader.range);
                        let short = limit.map_or(rows.clone(), |limit| {
                            block.whole_times(position, limit.shorten(rows.clone()))
                        });
                        let run = block.run(short.clone(), &self.reader.slots)?;
                        if let Some(limit) = limit.filter(|_| short != rows) {
                            readings[at].note_short(limit, &run.times);
                        }
                        readings[at].runs.push(run);
                    }
                }
                Source::File(file) => {
                    let mut wants = self.reader.plan(file, wanted, is_alone)?;
                    if let Some(limit) = limit {
                        wants.iter_mut().for_each(|want| shorten(want, limit));
                    }
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
            let (hull, rows) = match &self.reader.view.sources[source as usize] {
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
            if hull.overlaps(self.reader.range) {
                hulls.push((source, hull, rows));
            }
        }
        Ok(limit.skipped(&hulls, self.reader.range))
    }

    /// Reads the wanted rows, which ascend, and adds them to the runs of their series.
    fn read_file(
        &self,
        source: &FileSource,
        wants: Vec<Want>,
        limit: Option<Limit>,
        readings: &mut [Reading],
    ) -> Result<()> {
        let runs = self.reader.read_file(source, &wants)?;
        for (want, run) in wants.into_iter().zip(runs) {
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

/// Leaves only the rows that a limit needs.
fn shorten(want: &mut Want, limit: Limit) {
    let rows = limit.shorten(want.rows.clone());
    if rows == want.rows {
        return;
    }
    if let Some(times) = &mut want.times {
        let start = (rows.start - want.rows.start) as usize;
        *times = times.slice(start, (rows.end - rows.start) as usize);
    }
    want.rows = rows;
    want.is_short = true;
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
