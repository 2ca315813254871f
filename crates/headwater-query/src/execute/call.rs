//! The stream of one call, or of the raw rows, for one group: which stages run over which
//! sources (`spec/influxql/00_execution_model.md` §4). This is the general path, point by point;
//! `dense` and `raw` take the common shapes over whole columns.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use headwater_influxql::ast::Fill;
use headwater_model::FieldType;

use super::{
    ExecuteContext,
    cells::Cells,
    dense::SeriesFold,
    feed::Feed,
    leaf::{Leaf, LeafShard, ReadRequest, Rows},
    merge::{Chain, SortedMerge, WindowMerge},
    opened::{Level, OpenedSource, SharedGroup},
    point::{ListStream, Nothing, Point, PointStream, Points, Tags, tags_of},
    reduce::{Gap, Reduce, ReducerKind},
    stage::{Cut, FillStage, Interval, Limit, TagSubset, effective_fill},
    subquery,
    transform::{self, Forecast, TransformStage},
    types,
};
use crate::{
    error::Error,
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, TransformInput},
    profile::Operator,
};

/// What the streams of a group are built with.
#[derive(Clone)]
pub(super) struct Builder<'a> {
    pub(super) context: &'a ExecuteContext<'a>,
    pub(super) group: SharedGroup,
    pub(super) gap: Gap,
}

/// A nested request for raw points: main column, auxiliary columns, and the limit that storage
/// applies (semantics_select.md §8).
#[derive(Clone)]
struct RawRequest<'a> {
    main: Option<&'a ColumnRef>,
    aux: &'a [ColumnRef],
    ascending: bool,
    limit: u64,
    offset: u64,
}

impl<'a> Builder<'a> {
    pub(super) fn new(context: &'a ExecuteContext<'a>, group: SharedGroup) -> Self {
        Self {
            context,
            group,
            gap: Gap::default(),
        }
    }

    /// The same for a stream of its own.
    pub(super) fn with_own_gap(&self) -> Self {
        Self {
            gap: Gap::default(),
            ..self.clone()
        }
    }

    /// The rows of a raw statement, limited.
    pub(super) fn raw(&self, level: &Level<'a>) -> Result<Points<'a>, Error> {
        let plan = level.plan;
        if plan
            .aux
            .iter()
            .all(|column| column.kind == ColumnKind::Unknown)
        {
            return Ok(Box::new(Nothing));
        }
        let request = RawRequest {
            main: None,
            aux: &plan.aux,
            ascending: plan.ascending,
            limit: plan.limit,
            offset: plan.offset,
        };
        let mut inputs = Vec::new();
        for source in &level.opened.sources {
            match source {
                OpenedSource::Leaf(leaf) => {
                    inputs.extend(self.leaf_points(level, leaf, request.clone())?);
                }
                OpenedSource::Subquery(inner) => {
                    inputs.extend(subquery::points(self, level, inner, None, &plan.aux)?);
                }
            }
        }
        let merged = merge(inputs, level, level.is_ordered);
        Ok(Limit::around(
            merged,
            plan.limit,
            plan.offset,
            level.is_one_run(),
        ))
    }

    /// The stream of a call of the select list, limited.
    pub(super) fn limited_call(
        &self,
        level: &Level<'a>,
        call: &'a CallPlan,
    ) -> Result<Points<'a>, Error> {
        let points = self.call(level, call)?;
        // The reference reads a group to its end, beyond the limit, and so beyond its pauses.
        let is_cut = level.is_one_run() && !can_pause(call);
        Ok(Limit::around(
            points,
            level.plan.limit,
            level.plan.offset,
            is_cut,
        ))
    }

    /// The stream of a call with its own post-processing.
    fn call(&self, level: &Level<'a>, call: &'a CallPlan) -> Result<Points<'a>, Error> {
        let ordered = Level {
            is_ordered: true,
            ..level.clone()
        };
        match call {
            CallPlan::Aggregate { function, input } => {
                let kind = ReducerKind::Aggregate(*function);
                let points = match function {
                    Aggregate::Median => {
                        self.reduce(&ordered, self.column(&ordered, input, (0, 0))?, kind)
                    }
                    Aggregate::Mode | Aggregate::Stddev | Aggregate::Spread => {
                        self.reduce(level, self.column(level, input, (0, 0))?, kind)
                    }
                    _ => self.layered(level, *function, input)?,
                };
                Ok(self.post(level, points, call))
            }
            CallPlan::CountDistinct { input } => {
                let distinct = self.distinct(&ordered, input)?;
                let count = ReducerKind::Aggregate(Aggregate::Count);
                Ok(self.post(level, self.reduce(level, distinct, count), call))
            }
            CallPlan::Distinct { input } => self.distinct(&ordered, input),
            CallPlan::Percentile { input, percentile } => {
                let points = self.column(&ordered, input, (0, 0))?;
                let reduced = self.reduce(&ordered, points, ReducerKind::Percentile(*percentile));
                Ok(self.post(level, reduced, call))
            }
            CallPlan::Sample { input, size } => {
                let random = Arc::clone(&self.context.random);
                let points = self.column(&ordered, input, (0, 0))?;
                Ok(self.reduce(
                    &ordered,
                    points,
                    ReducerKind::Sample {
                        size: *size,
                        random,
                    },
                ))
            }
            CallPlan::TopBottom {
                is_top,
                input,
                tags,
                size,
            } => self.extremes(level, *is_top, input, tags, *size),
            CallPlan::Transform { function, input } => {
                // Over a column there are windows only where an enclosing statement has them.
                let is_wide = level.windows.every > 0 && transform::reads_more(*function);
                let below = if is_wide { ordered.widened() } else { ordered };
                let points = match input {
                    TransformInput::Column(column) => self.column(&below, column, (0, 0))?,
                    TransformInput::Call(inner) => self.call(&below, inner)?,
                };
                let Some(input_type) = types::transform_type(input) else {
                    return Ok(Box::new(Nothing));
                };
                let ascending = level.plan.ascending;
                let guard = &self.context.guard;
                Ok(Box::new(TransformStage::new(
                    points, *function, input_type, ascending, guard,
                )))
            }
            CallPlan::Integral { input, unit } => {
                let points = self.column(&ordered, input, (0, 0))?;
                let Some(input_type) = types::column_type(input) else {
                    return Ok(Box::new(Nothing));
                };
                let ascending = level.plan.ascending;
                let guard = &self.context.guard;
                transform::integral(points, level.windows, *unit, input_type, ascending, guard)
            }
            CallPlan::HoltWinters {
                input,
                forecasts,
                season,
                with_fit,
            } => {
                let points = self.call(&ordered, input)?;
                let forecast = Forecast {
                    forecasts: *forecasts,
                    season: *season,
                    with_fit: *with_fit,
                    every: level.windows.every,
                    ascending: level.plan.ascending,
                };
                let gap = Rc::clone(&self.gap);
                transform::holt_winters(points, forecast, gap, &self.context.guard)
            }
            CallPlan::CountHll { input } => {
                let points = self.column(level, input, (0, 0))?;
                let counted = self.reduce(level, points, ReducerKind::DistinctCount);
                Ok(self.post(level, counted, call))
            }
        }
    }

    fn reduce(&self, level: &Level<'a>, input: Points<'a>, kind: ReducerKind) -> Points<'a> {
        let ascending = level.plan.ascending;
        let gap = Rc::clone(&self.gap);
        Box::new(Reduce::new(
            input,
            level.windows,
            ascending,
            level.is_ordered,
            kind,
            gap,
            &self.context.guard,
        ))
    }

    /// A reduction whose own gaps no consumer sees.
    fn inner_reduce(&self, level: &Level<'a>, input: Points<'a>, kind: ReducerKind) -> Points<'a> {
        self.with_own_gap().reduce(level, input, kind)
    }

    /// Post: window starts as times, and fill.
    fn post(&self, level: &Level<'a>, points: Points<'a>, call: &CallPlan) -> Points<'a> {
        let windows = level.windows;
        if level.plan.is_selector && windows.is_single() {
            return points;
        }
        let points: Points<'a> = Box::new(Interval {
            input: points,
            windows,
        });
        if windows.is_single() || level.fill == Fill::None {
            return points;
        }
        let is_count = matches!(
            call,
            CallPlan::Aggregate {
                function: Aggregate::Count,
                ..
            } | CallPlan::CountDistinct { .. }
        );
        let fill = effective_fill(level.fill, is_count);
        let field_type = types::call_type(call).unwrap_or(FieldType::Float);
        let aux_count = level.plan.aux.len();
        let ascending = level.plan.ascending;
        let guard = &self.context.guard;
        Box::new(FillStage::new(
            points, windows, ascending, fill, field_type, aux_count, guard,
        ))
    }

    fn distinct(&self, level: &Level<'a>, input: &'a ColumnRef) -> Result<Points<'a>, Error> {
        let points = self.column(level, input, (0, 0))?;
        let reduced = self.reduce(level, points, ReducerKind::Distinct);
        Ok(Box::new(Interval {
            input: reduced,
            windows: level.windows,
        }))
    }

    fn extremes(
        &self,
        level: &Level<'a>,
        is_top: bool,
        input: &'a ColumnRef,
        tags: &[ColumnRef],
        size: usize,
    ) -> Result<Points<'a>, Error> {
        let kind = ReducerKind::Extremes { is_top, size };
        if tags.is_empty() {
            // The statement's limit reaches the scan here: a defect that answers depend on.
            let limits = (level.plan.limit, level.plan.offset);
            return Ok(self.reduce(level, self.column(level, input, limits)?, kind));
        }
        let mut keep: Vec<Arc<str>> = level.keep.to_vec();
        keep.extend(tags.iter().map(|tag| Arc::clone(&tag.name)));
        keep.sort();
        keep.dedup();
        let by_tags = Level {
            keep: keep.into(),
            ..level.clone()
        };
        let best = if is_top {
            Aggregate::Max
        } else {
            Aggregate::Min
        };
        let points = self.layered(&by_tags, best, input)?;
        let points = TagSubset::around(points, &by_tags.keep, &level.keep);
        Ok(self.reduce(level, points, kind))
    }

    /// The raw points of a column for a call. Sources are merged by window.
    fn column(
        &self,
        level: &Level<'a>,
        input: &'a ColumnRef,
        (limit, offset): (u64, u64),
    ) -> Result<Points<'a>, Error> {
        let aux = &level.plan.aux[..];
        let request = RawRequest {
            main: Some(input),
            aux,
            ascending: level.plan.ascending,
            limit,
            offset,
        };
        let mut inputs = Vec::new();
        for source in &level.opened.sources {
            match source {
                OpenedSource::Leaf(leaf) => {
                    inputs.extend(self.leaf_points(level, leaf, request.clone())?);
                }
                OpenedSource::Subquery(inner) => {
                    inputs.extend(subquery::points(self, level, inner, Some(input), aux)?);
                }
            }
        }
        Ok(merge(inputs, level, false))
    }

    /// Layered reduction: per series, shard, over shards, over sources.
    fn layered(
        &self,
        level: &Level<'a>,
        function: Aggregate,
        input: &'a ColumnRef,
    ) -> Result<Points<'a>, Error> {
        let mut level = level.clone();
        let mut inputs = Vec::new();
        let mut lacks_column = false;
        for source in &level.clone().opened.sources {
            match source {
                OpenedSource::Leaf(leaf) => {
                    inputs.extend(self.leaf_call(&level, leaf, function, input)?);
                }
                OpenedSource::Subquery(inner) => {
                    // From here on, order is not asked for (README D5).
                    level.is_ordered = false;
                    let aux = &level.plan.aux[..];
                    if let Some(points) = subquery::points(self, &level, inner, Some(input), aux)? {
                        let kind = ReducerKind::Aggregate(function);
                        inputs.push(self.reduce(&level, points, kind));
                    } else {
                        lacks_column = true;
                    }
                }
            }
        }
        // A subquery without the column is an empty stream of floats there, and beside floats the
        // values of other types are left out.
        let keeps_type = !matches!(function, Aggregate::Count | Aggregate::Mean);
        if lacks_column && keeps_type && types::column_type(input) != Some(FieldType::Float) {
            return Ok(Box::new(Nothing));
        }
        Ok(self.upper(&level, inputs, function))
    }

    /// A layer above the first one.
    fn upper(&self, level: &Level<'a>, inputs: Vec<Points<'a>>, function: Aggregate) -> Points<'a> {
        let function = if function == Aggregate::Count {
            Aggregate::Sum
        } else {
            function
        };
        let merged = Box::new(WindowMerge::new(
            inputs,
            level.windows,
            level.plan.ascending,
        ));
        self.reduce(level, merged, ReducerKind::Aggregate(function))
    }

    /// Whether a measurement has anything for this group at all.
    fn reads(&self, level: &Level<'a>, leaf: &Leaf) -> bool {
        leaf.name == self.group.name && !level.windows.range.is_empty()
    }

    /// The layers of one measurement; its shards one after the other, since they do not overlap
    /// unless windows do.
    fn leaf_call(
        &self,
        level: &Level<'a>,
        leaf: &'a Leaf,
        function: Aggregate,
        input: &'a ColumnRef,
    ) -> Result<Option<Points<'a>>, Error> {
        let is_edge = matches!(function, Aggregate::First | Aggregate::Last);
        if level.windows.is_single() && is_edge {
            return Ok(self.leaf_edge(level, leaf, function, input));
        }
        if !self.reads(level, leaf) || !leaf.has_column(input) {
            return Ok(None);
        }
        let folded_type = types::column_type(input).filter(|input_type| {
            level.plan.aux.is_empty() && SeriesFold::is_taken(function, *input_type)
        });
        let builder = self.clone();
        let shard_level = level.clone();
        let mut shards = in_order(leaf, level.plan.ascending);
        let mut next = move || {
            let level = &shard_level;
            let Some(shard) = shards.next() else {
                return Ok(None);
            };
            let request = RawRequest {
                main: Some(input),
                aux: &level.plan.aux,
                ascending: level.plan.ascending,
                limit: 0,
                offset: 0,
            };
            let inputs = match folded_type {
                Some(input_type) => {
                    builder.fold_series(level, shard, &request, function, input_type)?
                }
                None => {
                    let kind = ReducerKind::Aggregate(function);
                    let reduce = |points| builder.inner_reduce(level, points, kind.clone());
                    let inputs = builder.series_points(level, shard, &request)?;
                    inputs.into_iter().map(reduce).collect()
                }
            };
            Ok(Some(builder.upper(level, inputs, function)))
        };
        if level.windows.may_overlap() {
            let mut inputs = Vec::new();
            while let Some(points) = next()? {
                inputs.push(points);
            }
            return Ok(Some(self.upper(level, inputs, function)));
        }
        let chain: Points<'a> = Box::new(Chain::new(next));
        Ok(Some(self.upper(level, vec![chain], function)))
    }

    /// `first` and `last` without windows: the two outermost points of each shard's merge.
    fn leaf_edge(
        &self,
        level: &Level<'a>,
        leaf: &'a Leaf,
        function: Aggregate,
        input: &'a ColumnRef,
    ) -> Option<Points<'a>> {
        if !self.reads(level, leaf) || !leaf.has_column(input) {
            return None;
        }
        let builder = self.clone();
        let shard_level = Level {
            is_ordered: true,
            ..level.clone()
        };
        let ascending = function == Aggregate::First;
        let mut shards = in_order(leaf, ascending);
        let mut is_found = false;
        let is_one_run = level.is_one_run();
        let chain = Chain::new(move || {
            loop {
                // All points of a further shard lie behind those of this one.
                if is_found && is_one_run {
                    return Ok(None);
                }
                let Some(shard) = shards.next() else {
                    return Ok(None);
                };
                let request = RawRequest {
                    main: Some(input),
                    aux: &shard_level.plan.aux,
                    ascending,
                    limit: 1,
                    offset: 0,
                };
                let mut points = builder.shard_points(&shard_level, shard, &request)?;
                let mut list = Vec::new();
                while let Some(point) = points.next()? {
                    list.push(point);
                }
                if !list.is_empty() {
                    is_found = true;
                    let list = ListStream::new(list, &builder.context.guard)?;
                    return Ok(Some(Box::new(list) as Points<'a>));
                }
            }
        });
        let chain: Points<'a> = Box::new(chain);
        Some(self.upper(level, vec![chain], function))
    }

    /// The raw points of a measurement, shard after shard.
    fn leaf_points(
        &self,
        level: &Level<'a>,
        leaf: &'a Leaf,
        request: RawRequest<'a>,
    ) -> Result<Option<Points<'a>>, Error> {
        let is_there = match request.main {
            Some(main) => leaf.has_column(main),
            None => request.aux.iter().any(|column| leaf.has_column(column)),
        };
        if !is_there || !self.reads(level, leaf) {
            return Ok(None);
        }
        let builder = self.clone();
        let level = level.clone();
        let mut shards = in_order(leaf, request.ascending);
        let windows = level.windows;
        let (is_ordered, ascending) = (level.is_ordered, request.ascending);
        let mut open = move || {
            let Some(shard) = shards.next() else {
                return Ok(None);
            };
            builder.shard_points(&level, shard, &request).map(Some)
        };
        if is_ordered || leaf.shards.len() < 2 {
            return Ok(Some(Box::new(Chain::new(open))));
        }
        // Without windows all shards are in one, and come in the order of the heap.
        let mut inputs = Vec::new();
        while let Some(points) = open()? {
            inputs.push(points);
        }
        Ok(Some(Box::new(WindowMerge::new(inputs, windows, ascending))))
    }

    /// The raw points of a shard, merged and cut as storage does.
    fn shard_points(
        &self,
        level: &Level<'a>,
        shard: &'a LeafShard,
        request: &RawRequest<'a>,
    ) -> Result<Points<'a>, Error> {
        let mut inputs = self.series_points(level, shard, request)?;
        let is_limited = request.limit > 0 || request.offset > 0;
        let cut = |input| -> Points<'a> {
            let left = request
                .limit
                .saturating_add(request.offset)
                .saturating_add(1);
            Box::new(Cut { input, left })
        };
        if is_limited && !level.is_one_run() {
            inputs = inputs.into_iter().map(cut).collect();
        }
        let merged: Points<'a> = if level.is_ordered {
            Box::new(SortedMerge::new(inputs, request.ascending))
        } else {
            Box::new(WindowMerge::new(inputs, level.windows, request.ascending))
        };
        Ok(if !is_limited {
            merged
        } else if level.is_one_run() {
            cut(merged)
        } else {
            Limit::around(merged, request.limit, request.offset, false)
        })
    }

    /// The windows of each series of the group in a shard, by kernels on its columns.
    fn fold_series(
        &self,
        level: &Level<'a>,
        shard: &'a LeafShard,
        request: &RawRequest<'a>,
        function: Aggregate,
        input: FieldType,
    ) -> Result<Vec<Points<'a>>, Error> {
        self.context.check()?;
        let Some(series) = shard.groups.get(&self.group.dims) else {
            return Ok(Vec::new());
        };
        let columns: Vec<ColumnRef> = request.main.into_iter().cloned().collect();
        let read = ReadRequest {
            range: level.windows.range,
            with_times: true,
            limit: None,
            ascending: request.ascending,
        };
        let mut inputs: Vec<Points<'a>> = Vec::new();
        for rows in shard.read(series, &columns, read)? {
            self.context.check()?;
            let rows = rows?;
            let fold = SeriesFold {
                function,
                input,
                windows: &level.windows,
                ascending: request.ascending,
                tags: tags_of(&shard.series[rows.series].key, &level.keep),
            };
            let _folding = self.context.guard.enter(Operator::Aggregate);
            let points = fold.points(&rows);
            inputs.push(Box::new(ListStream::new(points, &self.context.guard)?));
        }
        if !request.ascending {
            inputs.reverse();
        }
        Ok(inputs)
    }

    /// The points of each series of the group in a shard, in the order in which they are merged.
    fn series_points(
        &self,
        level: &Level<'a>,
        shard: &'a LeafShard,
        request: &RawRequest<'a>,
    ) -> Result<Vec<Points<'a>>, Error> {
        self.context.check()?;
        let Some(series) = shard.groups.get(&self.group.dims) else {
            return Ok(Vec::new());
        };
        let mut columns: Vec<ColumnRef> = request.main.into_iter().cloned().collect();
        columns.extend(request.aux.iter().cloned());
        let needed = request
            .limit
            .saturating_add(request.offset)
            .saturating_add(1);
        let is_limited = request.limit > 0 || request.offset > 0;
        let limit = usize::try_from(needed).ok().filter(|_| is_limited);
        // The auxiliary columns of a call do not make rows, so that they spoil the hint.
        let limit = limit.filter(|_| request.main.is_none() || request.aux.is_empty());
        let read = ReadRequest {
            range: level.windows.range,
            with_times: true,
            limit,
            ascending: request.ascending,
        };
        let feed = if shard.is_large(series, columns.len(), &read) {
            shard.feed(series, &columns, read)?
        } else {
            let mut all = Vec::new();
            for rows in shard.read(series, &columns, read)? {
                self.context.check()?;
                all.push(rows?);
            }
            Feed::of(all, read.ascending)
        };
        let tags = |at: &usize| tags_of(&shard.series[*at].key, &level.keep);
        let tags: Vec<Tags> = feed.series().iter().map(tags).collect();
        let feed = Rc::new(RefCell::new(feed));
        let mut inputs: Vec<Points<'a>> = Vec::with_capacity(tags.len());
        for (at, tags) in tags.into_iter().enumerate() {
            inputs.push(Box::new(RowPoints {
                context: self.context,
                feed: Rc::clone(&feed),
                at,
                current: None,
                tags,
                has_main: request.main.is_some(),
                ascending: request.ascending,
            }));
        }
        if !request.ascending {
            inputs.reverse();
        }
        Ok(inputs)
    }
}

/// Whether windows with points may give nothing.
fn can_pause(call: &CallPlan) -> bool {
    match call {
        CallPlan::Percentile { .. } => true,
        CallPlan::Transform {
            input: TransformInput::Call(inner),
            ..
        }
        | CallPlan::HoltWinters { input: inner, .. } => can_pause(inner),
        _ => false,
    }
}

/// The shards of a measurement in the direction of a statement.
fn in_order(leaf: &Leaf, ascending: bool) -> Box<dyn Iterator<Item = &LeafShard> + '_> {
    if ascending {
        Box::new(leaf.shards.iter())
    } else {
        Box::new(leaf.shards.iter().rev())
    }
}

/// One input as it is, several merged.
fn merge<'a>(mut inputs: Vec<Points<'a>>, level: &Level<'a>, is_sorted: bool) -> Points<'a> {
    if inputs.len() == 1 {
        inputs.remove(0)
    } else if is_sorted {
        Box::new(SortedMerge::new(inputs, level.plan.ascending))
    } else {
        Box::new(WindowMerge::new(
            inputs,
            level.windows,
            level.plan.ascending,
        ))
    }
}

/// The points of one series of a shard.
struct RowPoints<'a> {
    context: &'a ExecuteContext<'a>,
    /// Shared by the series of the group.
    feed: Rc<RefCell<Feed<'a>>>,
    /// Of this series in the feed.
    at: usize,
    current: Option<(Rows, usize)>,
    tags: Tags,
    has_main: bool,
    ascending: bool,
}

impl PointStream for RowPoints<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        loop {
            let Some((rows, at)) = &mut self.current else {
                let Some(rows) = self.feed.borrow_mut().next(self.at)? else {
                    return Ok(None);
                };
                self.current = Some((rows, 0));
                continue;
            };
            let count = rows.passing.as_ref().map_or(rows.rows, Vec::len);
            if *at >= count {
                self.current = None;
                continue;
            }
            let place = if self.ascending { *at } else { count - 1 - *at };
            *at += 1;
            self.context.guard.work(1)?;
            let row = rows
                .passing
                .as_ref()
                .map_or(place, |rows| rows[place] as usize);
            if let Some(point) = row_point(rows, row, &self.tags, self.has_main) {
                return Ok(Some(point));
            }
        }
    }
}

/// The point of a row; none where the main column, or, without one, every field, is null.
fn row_point(rows: &Rows, row: usize, tags: &Tags, has_main: bool) -> Option<Point> {
    let (main, aux) = if has_main {
        rows.columns.split_at(1)
    } else {
        (&[][..], &rows.columns[..])
    };
    let value = match main {
        [main] => Some(main.get(row)?),
        _ => {
            let is_field = |cells: &Cells| !matches!(cells, Cells::Constant(_));
            if !aux
                .iter()
                .any(|cells| is_field(cells) && cells.is_valid(row))
            {
                return None;
            }
            None
        }
    };
    let aux = (!aux.is_empty()).then(|| aux.iter().map(|cells| cells.get(row)).collect());
    Some(Point {
        time: rows.times[row],
        tags: Rc::clone(tags),
        value,
        aux,
        weight: 0,
    })
}
