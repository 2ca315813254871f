//! Window aggregates over whole columns: the path of `count`, `sum`, `mean`, `min`, `max`,
//! `first`, `last`, `percentile`, `median`, `spread` and `stddev` over one measurement. All calls share one scan a partition; a window is a
//! contiguous range of a slice; partial results meet in arrays that are indexed by window. The
//! layers of §3.4 (series, shard, shards, sources) are kept where the order of additions shows.

use std::rc::Rc;

use headwater_influxql::ast::Fill;
use headwater_model::{FieldType, MIN_TIME, TimeRange};

use super::{
    Emit, ExecuteContext,
    leaf::{GroupReader, Leaf, ReadRequest, ReadUnit, Rows, SeriesRows},
    opened::{Group, Opened},
    output::SeriesBuilder,
    raw::only_leaf,
    window::Windows,
};
use crate::{
    error::Error,
    guard::Held,
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, SelectPlan},
    profile::Operator,
};

mod fill;
mod series;
mod track;

use fill::{CallRows, Frame};
pub(super) use series::SeriesFold;
use track::{Function, Layers, Runs};

/// Windows that a group may span without regard to its rows.
const WINDOWS_FREE: u64 = 1 << 16;
/// Windows a row beyond that; sparser groups go through the general pipeline.
const WINDOWS_PER_ROW: u64 = 16;

/// A call as this path runs it.
#[derive(Debug, Clone, Copy)]
struct DenseCall {
    function: Function,
    /// Into the columns that are read.
    column: usize,
    input: FieldType,
}

/// Runs aggregates for one group after the other.
pub(super) struct DenseRunner<'a> {
    plan: &'a SelectPlan,
    context: &'a ExecuteContext<'a>,
    calls: Vec<DenseCall>,
    readers: Vec<GroupReader<'a>>,
    /// The windows that the limit lets through, read first; mostly they are enough.
    narrow: Option<Narrow<'a>>,
    windows: Windows,
    /// Where windows are counted from: the start of window 0.
    base: i64,
}

impl<'a> DenseRunner<'a> {
    /// `None` when the statement needs the general path for this measurement.
    pub(super) fn new(
        opened: &'a Opened<'a>,
        name: &str,
        groups: &'a [Group],
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
            .map(|call| dense_call(call, &windows, plan.is_selector, &mut columns))
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
        let open = |range| {
            let read = ReadRequest { range, ..read };
            let open = |shard| {
                GroupReader::new(shard, groups, Rc::clone(&columns), read, ReadUnit::Series)
            };
            leaf.shards.iter().map(open).collect()
        };
        let narrow = narrow_range(plan, &windows).map(|(range, first, count)| Narrow {
            readers: open(range),
            first,
            count,
        });
        let readers = open(plan.range);
        Some(Self {
            plan,
            context,
            calls,
            readers,
            narrow,
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
        let mut layers = None;
        if let Some(narrow) = &mut self.narrow {
            let read = Reading {
                at,
                is_alone: false,
                context: self.context,
            };
            layers = aggregate(
                &mut narrow.readers,
                &read,
                &self.calls,
                &self.windows,
                self.base,
                self.plan.ascending,
            )?
            .filter(|layers| {
                layers
                    .layers
                    .iter()
                    .all(|layer| narrow.suffices(layer, self.plan, &self.windows, self.base))
            });
        }
        let layers = match layers {
            Some(layers) => layers,
            None => {
                // After a narrow read few groups come here, and not in a row.
                let is_alone = self.narrow.is_some();
                let read = Reading {
                    at,
                    is_alone,
                    context: self.context,
                };
                let layers = aggregate(
                    &mut self.readers,
                    &read,
                    &self.calls,
                    &self.windows,
                    self.base,
                    self.plan.ascending,
                )?;
                let Some(layers) = layers else {
                    return Ok(false);
                };
                layers
            }
        };
        let filling = self.context.guard.enter(Operator::Fill);
        let frame = Frame::new(self.plan, self.windows, self.base);
        let mut calls = Vec::with_capacity(layers.layers.len());
        for layer in &layers.layers {
            match frame.rows(layer) {
                Some(rows) => calls.push(rows),
                None => return Ok(false),
            }
        }
        drop(filling);
        let bytes = calls.iter().map(CallRows::bytes).sum::<usize>();
        // The columns are made beside them.
        let _held = Held::of(&self.context.guard, 2 * bytes)?;
        let (times, columns) = CallRows::join(calls, self.plan, &self.context.guard)?;
        if !times.is_empty() {
            series.push_columns(times, columns, emit)?;
        }
        Ok(true)
    }
}

/// The readers of the windows that a limit lets through.
struct Narrow<'a> {
    readers: Vec<GroupReader<'a>>,
    /// The start of the earliest of these windows.
    first: i64,
    count: u64,
}

impl Narrow<'_> {
    /// Whether the answer's rows of a call are known from these windows alone.
    fn suffices(&self, layers: &Layers, plan: &SelectPlan, windows: &Windows, base: i64) -> bool {
        let Some((earliest, count)) = layers.extent() else {
            return false;
        };
        if plan.fill == Fill::None {
            return count as u64 >= self.count;
        }
        let is_bounded = windows.start(windows.range.start) != MIN_TIME;
        is_bounded || base.wrapping_add(earliest.wrapping_mul(windows.every)) <= self.first
    }
}

/// The range of the first `limit + offset` windows in the direction of the statement, the start
/// of the earliest of them, and their number; `None` if the range has no more than these.
fn narrow_range(plan: &SelectPlan, windows: &Windows) -> Option<(TimeRange, i64, u64)> {
    if plan.limit == 0 || windows.is_single() {
        return None;
    }
    let count = plan.limit.checked_add(plan.offset)?;
    let span = i64::try_from(count).ok()?.checked_mul(windows.every)?;
    let range = windows.range;
    if plan.ascending {
        let first = windows.start(range.start);
        let end = first.checked_add(span)?.checked_sub(1)?;
        let is_narrower = first > MIN_TIME && end < range.end;
        is_narrower.then_some((TimeRange::new(range.start, end), first, count))
    } else {
        let last = windows.start(range.end).checked_add(windows.every)?;
        let first = last.checked_sub(span)?;
        (first > range.start).then_some((TimeRange::new(first, range.end), first, count))
    }
}

/// Which group is read, and how.
struct Reading<'a> {
    at: usize,
    is_alone: bool,
    context: &'a ExecuteContext<'a>,
}

/// What the calls have found, and the bytes that it takes.
struct Aggregated {
    layers: Vec<Layers>,
    _held: Held,
}

/// Aggregates a group; `None` when it is not for this path.
fn aggregate(
    readers: &mut [GroupReader<'_>],
    reading: &Reading<'_>,
    calls: &[DenseCall],
    windows: &Windows,
    base: i64,
    ascending: bool,
) -> Result<Option<Aggregated>, Error> {
    let guard = &reading.context.guard;
    let mut held = Held::new(guard);
    let mut layers: Vec<Layers> = calls
        .iter()
        .map(|call| Layers::new(call.function, call.input))
        .collect();
    let mut reach = Reach::default();
    let count = readers.len();
    for step in 0..count {
        let shard = if ascending { step } else { count - 1 - step };
        readers[shard].each(reading.at, reading.is_alone, reading.context, &mut |rows| {
            let _aggregating = guard.enter(Operator::Aggregate);
            if !reach.is_sparse() {
                add_series(&rows, calls, windows, base, &mut layers, &mut reach);
                if rows.is_last {
                    for layer in &mut layers {
                        layer.end_series(guard)?;
                    }
                }
            }
            held.set(layers.iter().map(Layers::bytes).sum())
        })?;
        layers.iter_mut().for_each(Layers::end_shard);
    }
    let _aggregating = guard.enter(Operator::Aggregate);
    let mut is_dense = !reach.is_sparse();
    for layer in &mut layers {
        is_dense = is_dense && layer.finish(guard)?;
    }
    held.set(layers.iter().map(Layers::bytes).sum())?;
    let aggregated = Aggregated {
        layers,
        _held: held,
    };
    Ok(is_dense.then_some(aggregated))
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
    is_selector: bool,
    columns: &mut Vec<ColumnRef>,
) -> Option<DenseCall> {
    let (function, input) = match call {
        CallPlan::Aggregate { function, input } => {
            let function = match function {
                Aggregate::Median => Function::Median,
                Aggregate::Spread => Function::Spread,
                Aggregate::Stddev => Function::Stddev,
                Aggregate::Mode => return None,
                // Without windows, storage gives two points of a shard, and ties show.
                Aggregate::First | Aggregate::Last if windows.is_single() => return None,
                other => Function::Fold(*other),
            };
            (function, input)
        }
        // A lone percentile without windows has the time of a point.
        CallPlan::Percentile { input, percentile } if !(windows.is_single() && is_selector) => {
            (Function::Percentile(*percentile), input)
        }
        _ => return None,
    };
    let ColumnKind::Field(field_type) = input.kind else {
        return None;
    };
    if !field_type.is_numeric() && function != Function::Fold(Aggregate::Count) {
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
        function,
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

/// Adds rows of a series to all calls.
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
