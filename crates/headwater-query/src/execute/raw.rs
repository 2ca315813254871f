//! Raw rows over whole columns: the path of statements without calls that read one measurement
//! and fill nothing. Gives exactly what the pipeline of points gives (§3.1, §3.2, §3.8).

use std::{cmp::Ordering, rc::Rc};

use headwater_influxql::ast::Fill;

use super::{
    Emit, ExecuteContext, expression, heap,
    leaf::{GroupReader, Leaf, ReadRequest, Rows, SeriesRows},
    opened::{Group, Opened, OpenedSource},
    output::SeriesBuilder,
};
use crate::{
    error::Error,
    plan::{ColumnKind, ColumnRef, RowExpr, SelectPlan},
};

/// Rows between two looks at whether the statement was cancelled.
const CHECK_ROWS: usize = 4096;

/// Runs raw statements for one group after the other.
pub(super) struct RawRunner<'a> {
    plan: &'a SelectPlan,
    context: &'a ExecuteContext<'a>,
    leaf: &'a Leaf,
    readers: Vec<GroupReader<'a>>,
    /// Rows that each series is asked for.
    limit: Option<usize>,
}

/// A run of rows of one slice in the order of the answer.
#[derive(Debug, Clone, Copy)]
struct Segment {
    slice: usize,
    /// The first row of the answer, which in a descending answer is the last in time.
    first: usize,
    len: usize,
}

impl<'a> RawRunner<'a> {
    /// `None` when the statement needs the general path for this measurement.
    pub(super) fn new(
        opened: &'a Opened<'a>,
        name: &str,
        groups: &'a [Group],
        context: &'a ExecuteContext<'a>,
    ) -> Option<Self> {
        let plan = opened.plan;
        if !plan.calls.is_empty() || plan.fill != Fill::Null || plan.grouping != plan.dims {
            return None;
        }
        let leaf = only_leaf(opened, name)?;
        let is_limited = plan.limit > 0 || plan.offset > 0;
        let needed = plan.limit.saturating_add(plan.offset).saturating_add(1);
        let limit = usize::try_from(needed).ok().filter(|_| is_limited);
        let read = ReadRequest {
            range: plan.range,
            with_times: true,
            limit,
            ascending: plan.ascending,
        };
        let columns: Rc<[ColumnRef]> = plan.aux.clone().into();
        let readers = leaf
            .shards
            .iter()
            .map(|shard| GroupReader::new(shard, groups, Rc::clone(&columns), read))
            .collect();
        Some(Self {
            plan,
            context,
            leaf,
            readers,
            limit,
        })
    }

    /// The rows of one group; groups must come in the order given to `new`. True: none is left
    /// for the general path.
    pub(super) fn group(
        &mut self,
        at: usize,
        series: &mut SeriesBuilder<'_>,
        emit: &mut Emit<'_>,
    ) -> Result<bool, Error> {
        let plan = self.plan;
        let is_null = |column: &ColumnRef| column.kind == ColumnKind::Unknown;
        if plan.aux.iter().all(is_null) || plan.range.is_empty() {
            return Ok(true);
        }
        let mut offset = usize::try_from(plan.offset).unwrap_or(usize::MAX);
        let mut left = match plan.limit {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let count = self.leaf.shards.len();
        for step in 0..count {
            let shard = if plan.ascending {
                step
            } else {
                count - 1 - step
            };
            // Behind the first shard, a limited statement mostly needs nothing more.
            let is_alone = step > 0 && plan.limit > 0;
            let mut rows = Vec::new();
            self.readers[shard].each(at, is_alone, self.context, &mut |one| {
                rows.push(one);
                Ok(())
            })?;
            let slices = Slices::new(rows, plan);
            let needed = self.limit.unwrap_or(usize::MAX);
            let order = slices.order(needed, plan.ascending, self.context)?;
            for (done, mut segment) in order.into_iter().enumerate() {
                if done.is_multiple_of(CHECK_ROWS) {
                    self.context.check()?;
                }
                let skipped = offset.min(segment.len);
                offset -= skipped;
                segment.advance(skipped, plan.ascending);
                segment.len = segment.len.min(left);
                left -= segment.len;
                slices.emit(segment, plan, series, emit)?;
                if left == 0 {
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }
}

/// The one source with this measurement's name; `None` if there are several, or subqueries.
pub(super) fn only_leaf<'a>(opened: &'a Opened<'a>, name: &str) -> Option<&'a Leaf> {
    let mut found = None;
    for source in &opened.sources {
        match source {
            OpenedSource::Subquery(_) => return None,
            OpenedSource::Leaf(leaf) if *leaf.name != *name => {}
            OpenedSource::Leaf(leaf) => {
                if found.replace(leaf).is_some() {
                    return None;
                }
            }
        }
    }
    found
}

impl Segment {
    /// Leaves out the first rows.
    fn advance(&mut self, rows: usize, ascending: bool) {
        if ascending {
            self.first += rows;
        } else {
            self.first = self.first.saturating_sub(rows);
        }
        self.len -= rows;
    }
}

/// The slices of a group's series in one shard, and of each series the rows that count.
struct Slices {
    slices: Vec<Rows>,
    /// By series, in the order of merging: runs of rows in the order of the answer.
    series: Vec<Vec<Segment>>,
}

impl Slices {
    fn new(rows: Vec<SeriesRows>, plan: &SelectPlan) -> Self {
        let mut slices = Vec::new();
        let mut series = Vec::with_capacity(rows.len());
        for one in rows {
            let mut segments = Vec::with_capacity(one.slices.len());
            for rows in one.slices {
                segments_of(&rows, slices.len(), plan, &mut segments);
                slices.push(rows);
            }
            if !plan.ascending {
                segments.reverse();
                for segment in &mut segments {
                    segment.first += segment.len - 1;
                }
            }
            if !segments.is_empty() {
                series.push(segments);
            }
        }
        if !plan.ascending {
            series.reverse();
        }
        Self { slices, series }
    }

    /// The rows of all series merged; at most `limit`.
    fn order(
        &self,
        limit: usize,
        ascending: bool,
        context: &ExecuteContext<'_>,
    ) -> Result<Vec<Segment>, Error> {
        if let [only] = &self.series[..] {
            let mut left = limit;
            let mut out = only.clone();
            out.iter_mut().for_each(|segment| {
                segment.len = segment.len.min(left);
                left -= segment.len;
            });
            out.retain(|segment| segment.len > 0);
            return Ok(out);
        }
        let mut inputs: Vec<Input<'_>> = self
            .series
            .iter()
            .filter_map(|runs| Input::new(self, runs))
            .collect();
        let order = if ascending {
            Ordering::Less
        } else {
            Ordering::Greater
        };
        let less = |inputs: &[Input<'_>], left: usize, right: usize| {
            let (left, right) = (&inputs[left], &inputs[right]);
            left.time
                .cmp(&right.time)
                .then_with(|| self.compare_strings(left, right))
                == order
        };
        let mut heap: Vec<usize> = (0..inputs.len()).collect();
        heap::heapify(&mut heap, |left, right| less(&inputs, *left, *right));
        let mut out = Vec::new();
        while out.len() < limit {
            if out.len().is_multiple_of(CHECK_ROWS) {
                context.check()?;
            }
            let Some(at) = heap::pop(&mut heap, |left, right| less(&inputs, *left, *right)) else {
                break;
            };
            let input = &mut inputs[at];
            out.push(Segment {
                slice: input.slice,
                first: input.row,
                len: 1,
            });
            if input.advance(self, ascending) {
                heap::push(&mut heap, at, |left, right| less(&inputs, *left, *right));
            }
        }
        Ok(out)
    }

    /// The string columns of two rows of equal time (§3.2).
    fn compare_strings(&self, left: &Input<'_>, right: &Input<'_>) -> Ordering {
        let columns = &self.slices[left.slice].columns;
        for (left_cells, right_cells) in columns.iter().zip(&self.slices[right.slice].columns) {
            match (left_cells.text(left.row), right_cells.text(right.row)) {
                (Some(left), Some(right)) => match left.cmp(right) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                },
                _ => return Ordering::Equal,
            }
        }
        Ordering::Equal
    }

    fn emit(
        &self,
        segment: Segment,
        plan: &SelectPlan,
        series: &mut SeriesBuilder<'_>,
        emit: &mut Emit<'_>,
    ) -> Result<(), Error> {
        let rows = &self.slices[segment.slice];
        let mut done = 0;
        while done < segment.len {
            let len = series.room(emit)?.min(segment.len - done);
            let from = done;
            let row = |at: usize| {
                let at = from + at;
                if plan.ascending {
                    segment.first + at
                } else {
                    segment.first - at
                }
            };
            series.extend_times((0..len).map(|at| rows.times[row(at)]));
            for (column, builder) in plan.columns.iter().zip(series.columns_mut()) {
                match &column.expr {
                    RowExpr::Aux(aux) if plan.ascending => {
                        builder.extend(&rows.columns[*aux], row(0), len);
                    }
                    RowExpr::Aux(aux) => {
                        (0..len).for_each(|at| builder.push(rows.columns[*aux].get(row(at))));
                    }
                    expr => (0..len).for_each(|at| {
                        let aux = |column: usize| rows.columns[column].get(row(at));
                        builder.push(expression::evaluate(expr, &|_| None, &aux));
                    }),
                }
            }
            done += len;
        }
        Ok(())
    }
}

/// Where the merge stands in a series.
struct Input<'a> {
    runs: &'a [Segment],
    run: usize,
    /// Rows of the run that are done.
    done: usize,
    slice: usize,
    row: usize,
    time: i64,
}

impl<'a> Input<'a> {
    fn new(slices: &Slices, runs: &'a [Segment]) -> Option<Self> {
        let first = runs.first()?;
        let time = slices.slices[first.slice].times[first.first];
        Some(Self {
            runs,
            run: 0,
            done: 0,
            slice: first.slice,
            row: first.first,
            time,
        })
    }

    /// Goes to the next row; false at the end.
    fn advance(&mut self, slices: &Slices, ascending: bool) -> bool {
        self.done += 1;
        if self.done == self.runs[self.run].len {
            self.run += 1;
            self.done = 0;
        }
        let Some(segment) = self.runs.get(self.run) else {
            return false;
        };
        self.slice = segment.slice;
        self.row = if ascending {
            segment.first + self.done
        } else {
            segment.first - self.done
        };
        self.time = slices.slices[self.slice].times[self.row];
        true
    }
}

/// The rows of a slice that pass the condition and have a value in a field, as runs.
fn segments_of(rows: &Rows, slice: usize, plan: &SelectPlan, out: &mut Vec<Segment>) {
    let fields: Vec<_> = plan
        .aux
        .iter()
        .zip(&rows.columns)
        .filter(|(column, _)| matches!(column.kind, ColumnKind::Field(_)))
        .map(|(_, cells)| cells)
        .collect();
    let is_dense = fields.iter().any(|cells| cells.is_dense());
    let has_value = |row: usize| is_dense || fields.iter().any(|cells| cells.is_valid(row));
    let mut add = |row: usize| match out.last_mut() {
        Some(last) if last.slice == slice && last.first + last.len == row => last.len += 1,
        _ => out.push(Segment {
            slice,
            first: row,
            len: 1,
        }),
    };
    match &rows.passing {
        None if is_dense && rows.rows > 0 => {
            out.push(Segment {
                slice,
                first: 0,
                len: rows.rows,
            });
        }
        None => (0..rows.rows)
            .filter(|row| has_value(*row))
            .for_each(&mut add),
        Some(passing) => {
            passing
                .iter()
                .map(|row| *row as usize)
                .filter(|row| has_value(*row))
                .for_each(add);
        }
    }
}
