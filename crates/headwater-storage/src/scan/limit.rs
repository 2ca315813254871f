//! Reading only one end of a series.
//!
//! Of each source the last (first) n rows are enough: the n last rows of the merged series have
//! their values there. Further back a row may lack what another source knows of it, so merged
//! rows count only from the latest time at which a shortened source begins. If fewer than n of
//! them have a value, the series is read as a whole.

use std::ops::Range;

use headwater_model::TimeRange;

/// Which end of a series is enough, and how many rows of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    First(usize),
    Last(usize),
}

impl Limit {
    pub(super) fn rows(self) -> usize {
        match self {
            Self::First(rows) | Self::Last(rows) => rows,
        }
    }

    /// The rows of `all` that are enough if each has a value.
    pub(super) fn shorten(self, all: Range<u64>) -> Range<u64> {
        let rows = self.rows() as u64;
        match self {
            Self::First(_) => all.start..all.end.min(all.start.saturating_add(rows)),
            Self::Last(_) => all.start.max(all.end.saturating_sub(rows))..all.end,
        }
    }

    /// The narrower of two bounds of completeness.
    pub(super) fn narrower(self, a: Option<i64>, b: Option<i64>) -> Option<i64> {
        match self {
            Self::First(_) => a.into_iter().chain(b).min(),
            Self::Last(_) => a.max(b),
        }
    }

    /// The bound of completeness of a source that was shortened to `times`.
    pub(super) fn bound(self, times: &[i64]) -> Option<i64> {
        match self {
            Self::First(_) => times.last().copied(),
            Self::Last(_) => times.first().copied(),
        }
    }

    /// The rows of a run that the bound leaves.
    pub(super) fn within(self, times: &[i64], bound: i64) -> Range<usize> {
        match self {
            Self::First(_) => 0..times.partition_point(|&time| time <= bound),
            Self::Last(_) => times.partition_point(|&time| time < bound)..times.len(),
        }
    }

    /// Which of the sources, given with their times and numbers of rows, need not be read, and
    /// the bound of completeness without them.
    pub(super) fn skipped(
        self,
        sources: &[(u32, TimeRange, u64)],
        range: TimeRange,
    ) -> Option<(Vec<u32>, i64)> {
        let outermost = match self {
            Self::First(_) => sources.iter().min_by_key(|(_, hull, _)| hull.start),
            Self::Last(_) => sources.iter().max_by_key(|(_, hull, _)| hull.end),
        };
        let &(_, hull, rows) = outermost?;
        let is_outermost_wanted = match self {
            Self::First(_) => hull.start >= range.start,
            Self::Last(_) => hull.end <= range.end,
        };
        if !is_outermost_wanted || rows < self.rows() as u64 {
            return None;
        }
        let is_beyond = |other: &TimeRange| match self {
            Self::First(_) => other.start > hull.end,
            Self::Last(_) => other.end < hull.start,
        };
        let beyond = sources.iter().filter(|(_, other, _)| is_beyond(other));
        let beyond: Vec<u32> = beyond.map(|(source, ..)| *source).collect();
        let bound = match self {
            Self::First(_) => hull.end,
            Self::Last(_) => hull.start,
        };
        (!beyond.is_empty()).then_some((beyond, bound))
    }
}
