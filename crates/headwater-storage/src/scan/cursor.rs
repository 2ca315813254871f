//! Series side by side: a few rows of each at a time, in one direction of time, so that a merge
//! of any number of series by time holds little of each.
//!
//! A series may have rows in several sources. Each source is read on from where it stands, in
//! order of time; rows are handed out as far as no source can have an earlier one (a later one,
//! descending) that was not read yet. A source whose turn has not come is not touched.

use std::{ops::Range, sync::Arc};

use headwater_model::TimeRange;

use super::{
    handle::{CursorRequest, SeriesHandle, SeriesSlices},
    limit::Limit,
    reader::{Reader, Want},
    view::{PartitionView, Source},
};
use crate::{
    error::Result,
    limits::{CURSOR_BATCH_ROWS, CURSOR_ROWS, CURSOR_VALUES, SCAN_VALUES},
    run::{Run, merge},
};

/// Reads series side by side.
#[derive(Debug)]
pub struct Cursors {
    reader: Reader,
    /// Which end of what is left is read next, and how many rows of it.
    next: Limit,
    /// By position in the request: the sources of the series, from old to new.
    series: Vec<Vec<Part>>,
}

/// A series in one source.
#[derive(Debug)]
struct Part {
    source: u32,
    /// The series in that source.
    position: u32,
    /// Not read yet.
    rows: Range<u64>,
    /// No row that was not read is before (descending: after) this time.
    frontier: i64,
    /// What deletes hide.
    cuts: Vec<TimeRange>,
    /// Read and not handed out, in time order.
    head: Vec<Run>,
}

/// What a series needs before it can give rows.
enum Step {
    Give(Vec<Run>),
    /// Parts to read.
    Read(Vec<usize>),
    End,
}

impl Cursors {
    pub(crate) fn new(view: Arc<PartitionView>, request: CursorRequest<'_>) -> Result<Self> {
        let columns = request.columns.len() as u64 + 1;
        let share = CURSOR_VALUES / (columns * request.series.len().max(1) as u64);
        let rows = share.clamp(*CURSOR_ROWS.start(), *CURSOR_ROWS.end()) as usize;
        let rows = request.limit.map_or(rows, |limit| rows.min(limit.max(1)));
        let next = if request.ascending {
            Limit::First(rows)
        } else {
            Limit::Last(rows)
        };
        let mut cursors = Self {
            reader: Reader::new(view, request.columns, request.range, true),
            next,
            series: Vec::new(),
        };
        cursors
            .series
            .resize_with(request.series.len(), Vec::default);
        cursors.open(request.series)?;
        Ok(cursors)
    }

    /// Finds the rows of each series in each source.
    fn open(&mut self, series: &[SeriesHandle]) -> Result<()> {
        let view = Arc::clone(&self.reader.view);
        let mut wanted: Vec<Vec<(usize, u32)>> = vec![Vec::new(); view.sources.len()];
        for (at, handle) in series.iter().enumerate() {
            for &(source, position) in handle.positions.as_slice() {
                wanted[source as usize].push((at, position));
            }
        }
        for ((source, number), wanted) in view.sources.iter().zip(0..).zip(wanted) {
            match source {
                Source::Block(block) => {
                    for (at, position) in wanted {
                        let rows = block.rows_in(position, self.reader.range);
                        let hull = block.series_range(position);
                        self.add(at, number, position, rows, hull, Vec::new());
                    }
                }
                Source::File(file) => {
                    let directory = file.file.directory()?;
                    // The times of the rows may have to be looked at, but not of all at once.
                    let mut wanted = &wanted[..];
                    while !wanted.is_empty() {
                        let mut rows = 0;
                        let within = |&&(_, position): &&(usize, u32)| {
                            let range = directory.row_range(position);
                            rows += range.end - range.start;
                            rows <= SCAN_VALUES
                        };
                        let count = wanted.iter().take_while(within).count().max(1);
                        let (some, others) = wanted.split_at(count);
                        wanted = others;
                        for want in self.reader.plan(file, some.to_vec(), |_| false)? {
                            let position = want.position;
                            let hull = TimeRange::new(
                                directory.min_time(position),
                                directory.max_time(position),
                            );
                            self.add(want.at, number, position, want.rows, hull, want.cuts);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        at: usize,
        source: u32,
        position: u32,
        rows: Range<u64>,
        hull: TimeRange,
        cuts: Vec<TimeRange>,
    ) {
        let hull = hull.intersect(self.reader.range);
        let frontier = match self.next {
            Limit::First(_) => hull.start,
            Limit::Last(_) => hull.end,
        };
        if !rows.is_empty() {
            self.series[at].push(Part {
                source,
                position,
                rows,
                frontier,
                cuts,
                head: Vec::new(),
            });
        }
    }

    /// The next rows of each of `series` (positions in the request, ascending), in the same
    /// order; at least one row of each, and nothing of those that have no more. The slices of a
    /// series are in time order, also if later rows come first.
    pub fn read(&mut self, series: &[usize]) -> Result<Vec<SeriesSlices>> {
        let mut given = Vec::with_capacity(series.len());
        let mut waiting = series.to_vec();
        while !waiting.is_empty() {
            let mut wanted: Vec<Vec<(usize, usize)>> =
                vec![Vec::new(); self.reader.view.sources.len()];
            let mut still = Vec::new();
            for index in waiting {
                match self.step(index) {
                    Step::End => {}
                    Step::Give(runs) => {
                        let runs = merge(runs, &self.reader.kinds)?;
                        let slices = runs.into_iter().map(Run::into).collect();
                        given.push(SeriesSlices { index, slices });
                    }
                    Step::Read(parts) => {
                        for part in parts {
                            wanted[self.series[index][part].source as usize].push((index, part));
                        }
                        still.push(index);
                    }
                }
            }
            self.fetch(wanted)?;
            waiting = still;
        }
        given.sort_by_key(|slices| slices.index);
        Ok(given)
    }

    /// Takes the rows of a series that are complete.
    fn step(&mut self, index: usize) -> Step {
        let parts = &mut self.series[index];
        let unread = parts.iter().filter(|part| !part.rows.is_empty());
        let frontiers = unread.map(|part| part.frontier);
        let frontier = match self.next {
            Limit::First(_) => frontiers.min(),
            Limit::Last(_) => frontiers.max(),
        };
        let runs: Vec<Run> = parts
            .iter_mut()
            .flat_map(|part| match frontier {
                None => std::mem::take(&mut part.head),
                Some(frontier) => take_before(&mut part.head, self.next, frontier),
            })
            .collect();
        match frontier {
            _ if !runs.is_empty() => Step::Give(runs),
            None => Step::End,
            Some(frontier) => {
                let is_next = |part: &Part| !part.rows.is_empty() && part.frontier == frontier;
                Step::Read((0..parts.len()).filter(|&at| is_next(&parts[at])).collect())
            }
        }
    }

    /// Reads on in the parts of each source, given by series and number.
    fn fetch(&mut self, wanted: Vec<Vec<(usize, usize)>>) -> Result<()> {
        let view = Arc::clone(&self.reader.view);
        for (source, mut wanted) in view.sources.iter().zip(wanted) {
            match source {
                Source::Block(block) => {
                    for (series, part) in wanted {
                        let part = &mut self.series[series][part];
                        let rows = self.next.shorten(part.rows.clone());
                        let rows = block.whole_times(part.position, rows);
                        let run = block.run(rows.clone(), &self.reader.slots)?;
                        part.push(run, rows, self.next);
                    }
                }
                Source::File(file) => {
                    wanted.sort_by_key(|&(series, part)| self.series[series][part].rows.start);
                    let mut wanted = &wanted[..];
                    while !wanted.is_empty() {
                        let mut wants: Vec<Want> = Vec::new();
                        let mut rows = 0;
                        while rows < CURSOR_BATCH_ROWS && wants.len() < wanted.len() {
                            let (series, part) = wanted[wants.len()];
                            let part = &self.series[series][part];
                            let want = self.next.shorten(part.rows.clone());
                            rows += want.end - want.start;
                            wants.push(part.want(wants.len(), want));
                        }
                        let runs = self.reader.read_file(file, &wants)?;
                        let (some, others) = wanted.split_at(wants.len());
                        wanted = others;
                        for ((&(series, part), want), run) in some.iter().zip(wants).zip(runs) {
                            self.series[series][part].push(run, want.rows, self.next);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Part {
    fn want(&self, at: usize, rows: Range<u64>) -> Want {
        Want {
            at,
            position: self.position,
            rows,
            times: None,
            cuts: Vec::new(),
            needs_times: true,
            is_short: false,
        }
    }

    /// Takes `rows`, which were read as `run`.
    fn push(&mut self, run: Run, rows: Range<u64>, next: Limit) {
        match next {
            Limit::First(_) => {
                self.rows.start = rows.end;
                if let Some(last) = run.times.last() {
                    self.frontier = last.saturating_add(1);
                }
                self.head.extend(run.without(&self.cuts));
            }
            Limit::Last(_) => {
                self.rows.end = rows.start;
                if let Some(first) = run.times.first() {
                    self.frontier = first.saturating_sub(1);
                }
                self.head.splice(0..0, run.without(&self.cuts));
            }
        }
    }
}

/// Takes the rows before (descending: after) `frontier` out of runs in time order.
fn take_before(runs: &mut Vec<Run>, next: Limit, frontier: i64) -> Vec<Run> {
    let is_complete = |time: i64| match next {
        Limit::First(_) => time < frontier,
        Limit::Last(_) => time > frontier,
    };
    let mut taken = Vec::new();
    let mut kept = Vec::new();
    for run in runs.drain(..) {
        let (first, last) = (run.times[0], run.times[run.times.len() - 1]);
        match (is_complete(first), is_complete(last)) {
            (true, true) => taken.push(run),
            (false, false) => kept.push(run),
            _ => {
                let at = run.times.partition_point(|&time| match next {
                    Limit::First(_) => time < frontier,
                    Limit::Last(_) => time <= frontier,
                });
                let before = run.slice(0, at);
                let after = run.slice(at, run.times.len() - at);
                match next {
                    Limit::First(_) => {
                        taken.push(before);
                        kept.push(after);
                    }
                    Limit::Last(_) => {
                        kept.push(before);
                        taken.push(after);
                    }
                }
            }
        }
    }
    *runs = kept;
    taken
}
