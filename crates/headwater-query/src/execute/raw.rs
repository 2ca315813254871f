//! Raw rows over whole columns: the path of statements without calls that read one measurement
//! and fill nothing. Gives exactly what the pipeline of points gives (§3.1, §3.2, §3.8).
//!
//! The series of a group are merged by time as they are read, so that a group takes the memory
//! of a few rows of each of its series, however many rows it has.

use std::{cmp::Ordering, rc::Rc, sync::Arc, vec};

use headwater_influxql::ast::Fill;

use super::{
    Emit, ExecuteContext,
    cells::Cells,
    expression,
    feed::Feed,
    heap,
    leaf::{GroupReader, Leaf, ReadRequest, ReadUnit, Rows},
    opened::{Group, Opened, OpenedSource},
    output::SeriesBuilder,
};
use crate::{
    error::Error,
    plan::{ColumnKind, ColumnRef, RowExpr, SelectPlan},
};

/// Rows that are merged before their cells are copied, column by column.
const BATCH_ROWS: usize = 4096;

/// Runs raw statements for one group after the other.
pub(super) struct RawRunner<'a> {
    plan: &'a SelectPlan,
    context: &'a ExecuteContext<'a>,
    leaf: &'a Leaf,
    readers: Vec<GroupReader<'a>>,
    /// Rows that each series, and each shard, is asked for.
    limit: Option<usize>,
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
        let reader =
            |shard| GroupReader::new(shard, groups, Rc::clone(&columns), read, ReadUnit::Group);
        let readers = leaf.shards.iter().map(reader).collect();
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
            let feed = self.readers[shard].feed(at, is_alone, self.context)?;
            let mut merge = Merge::open(feed, plan)?;
            let mut of_shard = self.limit.unwrap_or(usize::MAX);
            loop {
                let rows_max = if offset > 0 {
                    offset.min(BATCH_ROWS)
                } else {
                    series.room().min(left).min(BATCH_ROWS)
                };
                let batch = merge.batch(rows_max.min(of_shard))?;
                self.context.guard.work(batch.rows)?;
                if batch.rows == 0 {
                    break;
                }
                of_shard -= batch.rows;
                if offset > 0 {
                    offset -= batch.rows;
                    continue;
                }
                left -= batch.rows;
                series.make_room(emit)?;
                batch.copy(plan, series);
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

/// A run of rows of a slice in the order of the answer.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The first row of the answer, which in a descending answer is the last in time.
    first: usize,
    len: usize,
}

/// The rows of a group in a shard, merged (§3.2).
struct Merge<'a> {
    plan: &'a SelectPlan,
    feed: Feed<'a>,
    inputs: Vec<Input>,
    /// Positions of the inputs that have a next row.
    heap: Vec<usize>,
    /// Counts the batches.
    batch: usize,
}

/// Where the merge stands in a series.
struct Input {
    /// In the feed.
    at: usize,
    rows: Rc<Rows>,
    /// What follows the current segment in `rows`.
    segments: vec::IntoIter<Segment>,
    /// What is left of the current segment, its first row the next one.
    segment: Segment,
    time: i64,
    /// The batch that knows `rows`, and their number there.
    slice: (usize, usize),
    /// Among the inputs by the strings that decide ties, where these are tags.
    rank: Option<u32>,
}

/// Rows of the answer that are merged and not copied yet.
struct Batch {
    slices: Vec<Rc<Rows>>,
    /// Each with the number of its slice.
    segments: Vec<(usize, Segment)>,
    rows: usize,
}

impl<'a> Merge<'a> {
    fn open(mut feed: Feed<'a>, plan: &'a SelectPlan) -> Result<Self, Error> {
        let count = feed.series().len();
        let mut inputs = Vec::with_capacity(count);
        for step in 0..count {
            let at = if plan.ascending {
                step
            } else {
                count - 1 - step
            };
            inputs.extend(Input::open(at, &mut feed, plan)?);
        }
        rank(&mut inputs);
        let mut heap: Vec<usize> = (0..inputs.len()).collect();
        heap::heapify(&mut heap, |left, right| {
            precedes(&inputs, *left, *right, plan.ascending)
        });
        Ok(Self {
            plan,
            feed,
            inputs,
            heap,
            batch: 0,
        })
    }

    /// The next rows, at most `rows_max`; none at the end.
    fn batch(&mut self, rows_max: usize) -> Result<Batch, Error> {
        let ascending = self.plan.ascending;
        self.batch += 1;
        let mut batch = Batch {
            slices: Vec::new(),
            segments: Vec::new(),
            rows: 0,
        };
        while batch.rows < rows_max {
            let inputs = &self.inputs;
            let less = |left: &usize, right: &usize| precedes(inputs, *left, *right, ascending);
            let Some(at) = heap::pop(&mut self.heap, less) else {
                break;
            };
            let input = &mut self.inputs[at];
            // The last series left needs no merging.
            let len = match self.heap.is_empty() {
                true => input.segment.len.min(rows_max - batch.rows),
                false => 1,
            };
            batch.add(input, self.batch, len, ascending);
            if input.advance(len, &mut self.feed, self.plan)? {
                let inputs = &self.inputs;
                heap::push(&mut self.heap, at, |left, right| {
                    precedes(inputs, *left, *right, ascending)
                });
            }
        }
        Ok(batch)
    }
}

/// Whether the next row of an input comes before that of another.
fn precedes(inputs: &[Input], left: usize, right: usize, ascending: bool) -> bool {
    let (left, right) = (&inputs[left], &inputs[right]);
    let order = left.time.cmp(&right.time);
    let order = order.then_with(|| match (left.rank, right.rank) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.compare_strings(right),
    });
    order
        == if ascending {
            Ordering::Less
        } else {
            Ordering::Greater
        }
}

/// Ranks inputs whose ties are decided by tags alone, which are the same in all of their rows.
fn rank(inputs: &mut [Input]) {
    let count = inputs.first().map_or(0, |input| input.rows.columns.len());
    let tag = |input: &Input, column: usize| match &input.rows.columns[column] {
        Cells::Constant(text) => Some(Arc::clone(text)),
        _ => None,
    };
    let mut tags: Vec<Vec<Arc<str>>> = vec![Vec::new(); inputs.len()];
    for column in 0..count {
        let of_column: Option<Vec<Arc<str>>> =
            inputs.iter().map(|input| tag(input, column)).collect();
        match of_column {
            Some(of_column) => tags
                .iter_mut()
                .zip(of_column)
                .for_each(|(t, tag)| t.push(tag)),
            // The first column without text ends the comparison.
            None if inputs
                .iter()
                .all(|input| input.rows.columns[column].is_number()) =>
            {
                break;
            }
            None => return,
        }
    }
    let mut distinct: Vec<&Vec<Arc<str>>> = tags.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    for (input, tags) in inputs.iter_mut().zip(&tags) {
        let rank = distinct.binary_search(&tags).ok();
        input.rank = rank.and_then(|rank| u32::try_from(rank).ok());
    }
}

impl Input {
    /// At the first row of a series, if it has any.
    fn open(at: usize, feed: &mut Feed<'_>, plan: &SelectPlan) -> Result<Option<Self>, Error> {
        while let Some(rows) = feed.next(at)? {
            let mut segments = segments_of(&rows, plan).into_iter();
            if let Some(segment) = segments.next() {
                return Ok(Some(Self {
                    at,
                    time: rows.times[segment.first],
                    rows: Rc::new(rows),
                    segments,
                    segment,
                    slice: (0, 0),
                    rank: None,
                }));
            }
        }
        Ok(None)
    }

    /// Goes `len` rows of the segment further; false at the end of the series.
    fn advance(
        &mut self,
        len: usize,
        feed: &mut Feed<'_>,
        plan: &SelectPlan,
    ) -> Result<bool, Error> {
        self.segment.advance(len, plan.ascending);
        if self.segment.len == 0 {
            match self.segments.next() {
                Some(segment) => self.segment = segment,
                None => match Self::open(self.at, feed, plan)? {
                    Some(input) => {
                        let rank = self.rank;
                        *self = Self { rank, ..input };
                    }
                    None => return Ok(false),
                },
            }
        }
        self.time = self.rows.times[self.segment.first];
        Ok(true)
    }

    /// The string columns of two rows of equal time (§3.2).
    fn compare_strings(&self, other: &Self) -> Ordering {
        for (left, right) in self.rows.columns.iter().zip(&other.rows.columns) {
            match (
                left.text(self.segment.first),
                right.text(other.segment.first),
            ) {
                (Some(left), Some(right)) => match left.cmp(right) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                },
                _ => return Ordering::Equal,
            }
        }
        Ordering::Equal
    }
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

impl Batch {
    /// Adds the next `len` rows of an input.
    fn add(&mut self, input: &mut Input, batch: usize, len: usize, ascending: bool) {
        if input.slice.0 != batch {
            input.slice = (batch, self.slices.len());
            self.slices.push(Rc::clone(&input.rows));
        }
        let (slice, first) = (input.slice.1, input.segment.first);
        self.rows += len;
        match self.segments.last_mut() {
            Some((known, last))
                if *known == slice && ascending && last.first + last.len == first =>
            {
                last.len += len;
            }
            _ => self.segments.push((slice, Segment { first, len })),
        }
    }

    /// Puts the rows behind those of `series`, which must have room.
    fn copy(&self, plan: &SelectPlan, series: &mut SeriesBuilder<'_>) {
        let ascending = plan.ascending;
        let rows = || {
            self.segments.iter().flat_map(|(slice, segment)| {
                let rows = &*self.slices[*slice];
                (0..segment.len).map(move |at| (rows, segment.row(at, ascending)))
            })
        };
        series.extend_times(rows().map(|(rows, row)| rows.times[row]));
        for (column, builder) in plan.columns.iter().zip(series.columns_mut()) {
            match &column.expr {
                RowExpr::Aux(aux) => {
                    for (slice, segment) in &self.segments {
                        let cells = &self.slices[*slice].columns[*aux];
                        if ascending && segment.len > 1 {
                            builder.extend(cells, segment.first, segment.len);
                        } else {
                            (0..segment.len).for_each(|at| {
                                builder.push_cell(cells, segment.row(at, ascending))
                            });
                        }
                    }
                }
                expr => {
                    for (rows, row) in rows() {
                        let aux = |column: usize| rows.columns[column].get(row);
                        builder.push(expression::evaluate(expr, &|_| None, &aux));
                    }
                }
            }
        }
    }
}

impl Segment {
    /// The row at a place of the answer.
    fn row(&self, at: usize, ascending: bool) -> usize {
        if ascending {
            self.first + at
        } else {
            self.first - at
        }
    }
}

/// The rows of a slice that pass the condition and have a value in a field, as runs in the order
/// of the answer.
fn segments_of(rows: &Rows, plan: &SelectPlan) -> Vec<Segment> {
    let fields: Vec<_> = plan
        .aux
        .iter()
        .zip(&rows.columns)
        .filter(|(column, _)| matches!(column.kind, ColumnKind::Field(_)))
        .map(|(_, cells)| cells)
        .collect();
    let is_dense = fields.iter().any(|cells| cells.is_dense());
    let has_value = |row: &usize| is_dense || fields.iter().any(|cells| cells.is_valid(*row));
    let mut out: Vec<Segment> = Vec::new();
    let add = |row: usize| match out.last_mut() {
        Some(last) if last.first + last.len == row => last.len += 1,
        _ => out.push(Segment { first: row, len: 1 }),
    };
    match &rows.passing {
        None if is_dense && rows.rows > 0 => {
            let (first, len) = (0, rows.rows);
            out.push(Segment { first, len });
        }
        None => (0..rows.rows).filter(has_value).for_each(add),
        Some(passing) => {
            let passing = passing.iter().map(|row| *row as usize);
            passing.filter(has_value).for_each(add);
        }
    }
    if !plan.ascending {
        out.reverse();
        for segment in &mut out {
            segment.first += segment.len - 1;
        }
    }
    out
}
