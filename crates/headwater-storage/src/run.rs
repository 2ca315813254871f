//! Runs: rows of one series from one source, in time order; and how several become one. The rule
//! that decides which value wins is here and nowhere else: of rows with the same time, the newest
//! value of each field (`spec/write.md` §8).

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_select::interleave::interleave;
use headwater_model::{FieldType, TimeRange};

use crate::{arrays::data_type, error::Result};

/// Rows of one series in time order.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Empty when times were not asked for.
    pub(crate) times: ScalarBuffer<i64>,
    /// `None`: only nulls.
    pub(crate) columns: Vec<Option<ArrayRef>>,
    /// Whether a time may occur twice, the newer row after the older one.
    pub(crate) may_repeat: bool,
}

impl Run {
    pub(crate) fn new(
        times: ScalarBuffer<i64>,
        columns: Vec<Option<ArrayRef>>,
        may_repeat: bool,
    ) -> Self {
        let may_repeat = may_repeat && times.windows(2).any(|pair| pair[0] == pair[1]);
        Self {
            times,
            columns,
            may_repeat,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
            && self
                .columns
                .iter()
                .flatten()
                .all(|column| column.is_empty())
    }

    /// Rows `start..start + len`; only of a run with times.
    pub(crate) fn slice(&self, start: usize, len: usize) -> Self {
        Self {
            times: self.times.slice(start, len),
            columns: self
                .columns
                .iter()
                .map(|column| column.as_ref().map(|array| array.slice(start, len)))
                .collect(),
            may_repeat: self.may_repeat,
        }
    }

    /// The rows that are in none of `cuts`, as runs in time order.
    pub(crate) fn without(self, cuts: &[TimeRange]) -> Vec<Self> {
        let mut pieces = vec![self];
        for cut in cuts {
            let mut left = Vec::with_capacity(pieces.len() + 1);
            for piece in pieces {
                let start = piece.times.partition_point(|&t| t < cut.start);
                let end = piece.times.partition_point(|&t| t <= cut.end);
                if start >= end {
                    left.push(piece);
                    continue;
                }
                if start > 0 {
                    left.push(piece.slice(0, start));
                }
                if end < piece.times.len() {
                    left.push(piece.slice(end, piece.times.len() - end));
                }
            }
            pieces = left;
        }
        pieces
    }

    /// Rows in which at least one column has a value.
    pub(crate) fn rows_with_value(&self) -> usize {
        let arrays: Vec<_> = self.columns.iter().flatten().collect();
        if arrays.is_empty() {
            return 0;
        }
        if arrays.iter().any(|array| array.null_count() == 0) {
            return arrays[0].len();
        }
        let masks = arrays
            .iter()
            .filter_map(|array| array.nulls())
            .map(NullBuffer::inner);
        masks
            .cloned()
            .reduce(|a, b| &a | &b)
            .map_or(0, |any| any.count_set_bits())
    }
}

/// Makes one sequence of runs that do not overlap, strictly ascending in time, out of runs of one
/// series that are given from oldest to newest. `kinds` are the types of the columns.
pub(crate) fn merge(mut runs: Vec<Run>, kinds: &[FieldType]) -> Result<Vec<Run>> {
    runs.retain(|run| !run.is_empty());
    if runs.len() < 2 && runs.iter().all(|run| !run.may_repeat) {
        return Ok(runs);
    }
    // Time is cut wherever a run begins or ends: between two cuts either one run has rows, which
    // pass untouched, or several have and are merged. Writers that take turns overlap only at the
    // edges of their runs, so that hardly any row is touched.
    let mut cuts: Vec<i64> = Vec::with_capacity(2 * runs.len());
    for run in &runs {
        cuts.push(run.times[0]);
        cuts.push(run.times[run.times.len() - 1].saturating_add(1));
    }
    cuts.sort_unstable();
    cuts.dedup();
    // The first row of each run that is not handed on yet.
    let mut next = vec![0; runs.len()];
    let mut merged: Vec<Run> = Vec::with_capacity(cuts.len());
    let mut group: Vec<Run> = Vec::new();
    for cut in cuts {
        for (run, next) in runs.iter().zip(&mut next) {
            let rest = &run.times[*next..];
            if rest.first().is_none_or(|&time| time >= cut) {
                continue;
            }
            let len = rest.partition_point(|&time| time < cut);
            group.push(run.slice(*next, len));
            *next += len;
        }
        if !group.is_empty() {
            merged.push(merge_group(std::mem::take(&mut group), kinds)?);
        }
    }
    Ok(merged)
}

/// Merges runs that overlap, given from oldest to newest.
fn merge_group(mut runs: Vec<Run>, kinds: &[FieldType]) -> Result<Run> {
    if runs.len() == 1 && !runs[0].may_repeat {
        return Ok(runs.swap_remove(0));
    }
    // A stable sort of concatenated sorted runs is a merge, and leaves equal times in order of age.
    let mut rows: Vec<(i64, usize, usize)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        rows.extend(
            run.times
                .iter()
                .enumerate()
                .map(|(row, &time)| (time, at, row)),
        );
    }
    rows.sort_by_key(|&(time, ..)| time);
    let mut times = Vec::with_capacity(rows.len());
    let mut starts = Vec::with_capacity(rows.len());
    for (i, &(time, ..)) in rows.iter().enumerate() {
        if times.last() != Some(&time) {
            times.push(time);
            starts.push(i);
        }
    }
    starts.push(rows.len());
    let mut columns = Vec::with_capacity(kinds.len());
    for (at, kind) in kinds.iter().enumerate() {
        columns.push(merge_column(&runs, at, *kind, &rows, &starts)?);
    }
    Ok(Run {
        times: ScalarBuffer::from(times),
        columns,
        may_repeat: false,
    })
}

/// For each group of rows with one time the newest value of column `at`.
fn merge_column(
    runs: &[Run],
    at: usize,
    kind: FieldType,
    rows: &[(i64, usize, usize)],
    starts: &[usize],
) -> Result<Option<ArrayRef>> {
    if runs.iter().all(|run| run.columns[at].is_none()) {
        return Ok(None);
    }
    let null = new_null_array(&data_type(kind), 1);
    let mut arrays: Vec<&dyn Array> = vec![null.as_ref()];
    let mut position = vec![0; runs.len()];
    for (run, position) in runs.iter().zip(&mut position) {
        if let Some(array) = &run.columns[at] {
            *position = arrays.len();
            arrays.push(array.as_ref());
        }
    }
    let newest = |bounds: &[usize]| {
        rows[bounds[0]..bounds[1]]
            .iter()
            .rev()
            .map(|&(_, run, row)| (position[run], row))
            .find(|&(array, row)| array > 0 && arrays[array].is_valid(row))
            .unwrap_or((0, 0))
    };
    let indices: Vec<(usize, usize)> = starts.windows(2).map(newest).collect();
    Ok(Some(interleave(&arrays, &indices)?))
}

#[cfg(test)]
mod tests;
