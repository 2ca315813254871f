//! Window aggregates over whole columns: the path of `count`, `sum`, `mean`, `min`, `max`,
//! `first` and `last` over one measurement. All calls share one scan a partition; a window is a
//! contiguous range of a slice; partial results meet in arrays that are indexed by window. The
//! layers of §3.4 (series, shard, shards, sources) are kept where the order of additions shows.

use std::rc::Rc;

use headwater_influxql::ast::Fill;
use headwater_model::{FieldType, MIN_TIME};

use super::{
    Emit, ExecuteContext,
    leaf::{GroupReader, Leaf, ReadRequest, Rows, SeriesRows},
    opened::{Group, Opened},
    output::SeriesBuilder,
    raw::only_leaf,
    window::Windows,
};
use crate::{
    error::Error,
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, SelectPlan},
};

mod fill;
mod track;

use fill::{CallRows, Frame};
use track::{Layers, Runs};

/// Windows that a group may span without regard to its rows.
const WINDOWS_FREE: u64 = 1 << 16;
/// Windows a row beyond that; sparser groups go through the general pipeline.
const WINDOWS_PER_ROW: u64 = 16;

/// A call as this path runs it.
#[derive(Debug, Clone, Copy)]
struct DenseCall {
    function: Aggregate,
    /// Into the columns that are read.
    column: usize,
    input: FieldType,
}

/// Runs aggregates for one group after the other.
pub(super) struct DenseRunner<'a> {
    plan: &'a SelectPlan,
    context: &'a ExecuteContext<'a>,
    leaf: &'a Leaf,
    calls: Vec<DenseCall>,
    readers: Vec<GroupReader<'a>>,
    windows: Windows,
    /// Where windows are counted from: the start of window 0.
    base: i64,
}

impl<'a> DenseRunner<'a> {
    /// `None` when the statement needs the general path for this measurement.
    pub(super) fn new(
        opened: &'a Opened<'a>,
        name: &str,
        groups: &[Group],
        context: &'a ExecuteContext<'a>,
    ) -> Option<Self> {
        let plan = opened.plan;
        let windows = Windows::new(plan.window, plan.timezone, plan.range);
        let is_simple = plan.aux.is_empty() && plan.grouping == plan.dims;
        if plan.calls.is_empty() || !is_simple || plan.range.is_empty() {
            return None;
        }
        if !windows.is_single() && (!windows.is_regular() || plan.fill == Fill::Linear) {
            return None;
        }
        let mut columns: Vec<ColumnRef> = Vec::new();
        let calls = plan
            .calls
            .iter()
            .map(|call| dense_call(call, &windows, &mut columns))
            .collect::<Option<Vec<_>>>()?;
        let leaf = only_leaf(opened, name)?;
        let base = base(&windows, leaf)?;
        let read = ReadRequest {
            range: plan.range,
            with_times: !windows.is_single() || plan.is_selector,
            limit: None,
            ascending: plan.ascending,
        };
        let columns: Rc<[ColumnRef]> = columns.into();
        let readers = leaf
            .shards
            .iter()
            .map(|shard| GroupReader::new(shard, groups, Rc::clone(&columns), read))
            .collect();
        Some(Self {
            plan,
            context,
            leaf,
            calls,
            readers,
            windows,
            base,
        })
    }

    /// The rows of one group; groups must come in the order given to `new`. False: the group is
    /// not for this path, and nothing was emitted.
    pub(super) fn group(
        &mut self,
        at: usize,
        series: &mut SeriesBuilder<'_>,
        emit: &mut Emit<'_>,
    ) -> Result<bool, Error> {
        let mut layers: Vec<Layers> = self
            .calls
            .iter()
            .map(|call| Layers::new(call.function, call.input))
            .collect();
        let mut reach = Reach::default();
        let count = self.leaf.shards.len();
        for step in 0..count {
            let shard = if self.plan.ascending {
                step
            } else {
                count - 1 - step
            };
            let (calls, windows, base) = (&self.calls, &self.windows, self.base);
            self.readers[shard].each(at, false, self.context, &mut |rows| {
                if reach.is_sparse() {
                    return Ok(());
                }
                add_series(&rows, calls, windows, base, &mut layers, &mut reach);
                Ok(())
            })?;
            layers.iter_mut().for_each(Layers::end_shard);
        }
        if reach.is_sparse() {
            return Ok(false);
        }
        let frame = Frame::new(self.plan, self.windows, self.base);
        let mut calls = Vec::with_capacity(layers.len());
        for layer in &layers {
            match frame.rows(layer) {
                Some(rows) => calls.push(rows),
                None => return Ok(false),
            }
        }
        let (times, columns) = CallRows::join(calls, self.plan);
        if !times.is_empty() {
            series.push_columns(times, columns, emit)?;
        }
        Ok(true)
    }
}

/// The window span and the rows of a group so far.
#[derive(Debug, Default)]
struct Reach {
    rows: u64,
    span: Option<(i64, i64)>,
}

impl Reach {
    fn add(&mut self, first: i64, last: i64, rows: usize) {
        self.rows += rows as u64;
        let (from, to) = self.span.unwrap_or((first, last));
        self.span = Some((from.min(first), to.max(last)));
    }

    fn is_sparse(&self) -> bool {
        let Some((first, last)) = self.span else {
            return false;
        };
        last.abs_diff(first) > WINDOWS_FREE.max(self.rows.saturating_mul(WINDOWS_PER_ROW))
    }
}

fn dense_call(
    call: &CallPlan,
    windows: &Windows,
    columns: &mut Vec<ColumnRef>,
) -> Option<DenseCall> {
    let CallPlan::Aggregate { function, input } = call else {
        return None;
    };
    let ColumnKind::Field(field_type) = input.kind else {
        return None;
    };
    let is_taken = match function {
        Aggregate::Count => true,
        Aggregate::Sum | Aggregate::Mean | Aggregate::Min | Aggregate::Max => {
            field_type.is_numeric()
        }
        // Without windows, storage gives two points of a shard, and ties show.
        Aggregate::First | Aggregate::Last => field_type.is_numeric() && !windows.is_single(),
        _ => false,
    };
    if !is_taken {
        return None;
    }
    let column = columns
        .iter()
        .position(|known| known == input)
        .unwrap_or_else(|| {
            columns.push(input.clone());
            columns.len() - 1
        });
    Some(DenseCall {
        function: *function,
        column,
        input: field_type,
    })
}

/// The start of the first window that can have points.
fn base(windows: &Windows, leaf: &Leaf) -> Option<i64> {
    if windows.is_single() {
        return Some(0);
    }
    let first = leaf
        .shards
        .first()
        .map_or(0, |shard| shard.shard.range().start);
    let last = leaf
        .shards
        .last()
        .map_or(0, |shard| shard.shard.range().end);
    let base = windows.start(first.max(windows.range.start));
    // Window numbers must fit.
    last.min(windows.range.end).checked_sub(base)?;
    (base > MIN_TIME).then_some(base)
}

/// Adds the rows of a series to all calls.
fn add_series(
    series: &SeriesRows,
    calls: &[DenseCall],
    windows: &Windows,
    base: i64,
    layers: &mut [Layers],
    reach: &mut Reach,
) {
    for rows in &series.slices {
        let runs = runs_of(rows, windows, base);
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            continue;
        };
        reach.add(first, last, rows.rows);
        if reach.is_sparse() {
            return;
        }
        for (call, layer) in calls.iter().zip(layers.iter_mut()) {
            layer.add(&rows.columns[call.column], &rows.times, &runs);
        }
    }
    layers.iter_mut().for_each(Layers::end_series);
}

/// The windows of a slice's rows.
fn runs_of<'a>(rows: &'a Rows, windows: &Windows, base: i64) -> Runs<'a> {
    match &rows.passing {
        _ if windows.is_single() => Runs::single(rows.rows, rows.passing.as_deref()),
        None => Runs::new(&rows.times, None, base, windows.every),
        Some(passing) => {
            let times: Vec<i64> = passing
                .iter()
                .map(|row| rows.times[*row as usize])
                .collect();
            Runs::new(&times, Some(passing), base, windows.every)
        }
    }
}
