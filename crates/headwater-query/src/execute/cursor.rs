//! The row cursor: joins the streams of the calls (or takes the one of the raw rows), puts
//! defaults into missing cells and evaluates the select list (§3.9).

use std::{cmp::Ordering, rc::Rc};

use headwater_influxql::ast::Fill;
use headwater_model::{FieldType, Value};

use super::{
    call::Builder,
    expression,
    opened::Level,
    point::{Point, Points, Tags, cast},
    reduce::{Gap, Pause},
    stage::{fill_value, same_tags},
    types,
};
use crate::{
    error::Error,
    plan::{ColumnKind, RowExpr, SelectPlan},
};

/// One row: a value a column of the select list.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) tags: Tags,
    pub(super) values: Vec<Option<Value>>,
}

/// The rows of one group.
pub(super) struct Cursor<'a> {
    plan: &'a SelectPlan,
    streams: Vec<Stream<'a>>,
    fill: Fill,
    /// Named values: of the calls, then of the auxiliary columns.
    calls: Vec<Option<Value>>,
    aux: Vec<Option<Value>>,
    call_types: Vec<Option<FieldType>>,
    aux_types: Vec<Option<FieldType>>,
    tags: Option<Tags>,
    gap: Gap,
    /// There is a group after this one.
    is_followed: bool,
}

struct Stream<'a> {
    points: Points<'a>,
    next: Option<Point>,
    gap: Gap,
}

impl<'a> Cursor<'a> {
    pub(super) fn open(builder: &Builder<'a>, level: &Level<'a>) -> Result<Self, Error> {
        let plan = level.plan;
        let mut streams = Vec::with_capacity(plan.calls.len().max(1));
        if plan.calls.is_empty() {
            let own = builder.with_own_gap();
            streams.push(Stream {
                points: own.raw(level)?,
                next: None,
                gap: own.gap,
            });
        }
        for call in &plan.calls {
            let own = builder.with_own_gap();
            let points = own.limited_call(level, call)?;
            streams.push(Stream {
                points,
                next: None,
                gap: own.gap,
            });
        }
        let aux_type = |kind| match kind {
            ColumnKind::Field(field_type) => Some(field_type),
            ColumnKind::Tag | ColumnKind::Unknown => None,
        };
        Ok(Self {
            plan,
            streams,
            fill: level.fill,
            calls: vec![None; plan.calls.len()],
            aux: vec![None; plan.aux.len()],
            call_types: plan.calls.iter().map(types::call_type).collect(),
            aux_types: plan
                .aux
                .iter()
                .map(|column| aux_type(column.kind))
                .collect(),
            tags: None,
            gap: Rc::clone(&builder.gap),
            is_followed: builder.group.is_followed,
        })
    }

    /// The next row. After a `None` that the gap of the builder marks, there may be more.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Error> {
        self.poll()?;
        // Streams that have given no row yet may have none in the next group either.
        let goes_on = self.is_followed && self.tags.is_some();
        while self.is_held_up() {
            if goes_on && !self.streams.iter().any(|s| s.gap.get() == Pause::Once) {
                self.gap.set(Pause::No);
                return Ok(None);
            }
            self.poll()?;
            if !goes_on {
                break;
            }
        }
        let ascending = self.plan.ascending;
        let least = self
            .streams
            .iter()
            .filter_map(|stream| stream.next.as_ref())
            .reduce(|best, point| {
                if precedes(point, best, ascending) {
                    point
                } else {
                    best
                }
            });
        let Some(least) = least else {
            let pause = |stream: &Stream<'_>| stream.gap.get() != Pause::No;
            self.gap.set(Pause::once(self.streams.iter().any(pause)));
            return Ok(None);
        };
        let (time, tags) = (least.time, Rc::clone(&least.tags));
        if !self
            .tags
            .as_ref()
            .is_some_and(|known| same_tags(known, &tags))
        {
            self.tags = Some(Rc::clone(&tags));
            self.calls.fill(None);
            self.aux.fill(None);
        }
        for at in 0..self.streams.len() {
            // The reference looks at the streams once to find the row and once to read it.
            let stream = &mut self.streams[at];
            if stream.next.is_none() && stream.gap.get() == Pause::Once {
                stream.next = stream.points.next()?;
            }
            let is_here = |point: &mut Point| point.time == time && same_tags(&point.tags, &tags);
            let point = self.streams[at].next.take_if(is_here);
            self.contribute(at, point);
        }
        Ok(Some(Row {
            time,
            tags,
            values: self.evaluate(),
        }))
    }

    /// Whether some streams pause while the others have ended, and so would be at the next group
    /// if there is one.
    fn is_held_up(&self) -> bool {
        let gaps = self.streams.iter().filter(|s| s.gap.get() != Pause::No);
        let count = gaps.count();
        count > 0
            && count < self.streams.len()
            && self.streams.iter().all(|stream| stream.next.is_none())
    }

    fn poll(&mut self) -> Result<(), Error> {
        for stream in &mut self.streams {
            if stream.next.is_none() {
                stream.next = stream.points.next()?;
            }
        }
        Ok(())
    }

    /// Puts the values of a stream's point, or the defaults, in place.
    fn contribute(&mut self, at: usize, point: Option<Point>) {
        let has_call = !self.plan.calls.is_empty();
        let (value, aux) = point.map_or((None, None), |point| (point.value, point.aux));
        if has_call {
            // A call of unknown type has no default.
            let fill = match (self.fill, self.call_types[at]) {
                (Fill::Number(_), None) => Fill::Null,
                (fill, _) => fill,
            };
            put(&mut self.calls[at], value, fill, self.call_types[at]);
        }
        for (column, cell) in self.aux.iter_mut().enumerate() {
            let value = aux
                .as_ref()
                .and_then(|aux| aux.get(column).cloned().flatten());
            put(cell, value, self.fill, self.aux_types[column]);
        }
    }

    fn evaluate(&self) -> Vec<Option<Value>> {
        let call = |at: usize| self.calls[at].clone();
        let aux = |at: usize| self.aux[at].clone();
        self.plan
            .columns
            .iter()
            .map(|column| match &column.expr {
                RowExpr::Call(at) => self.calls[*at].clone(),
                RowExpr::Aux(at) => self.aux[*at].clone(),
                expr => expression::evaluate(expr, &call, &aux),
            })
            .collect()
    }
}

/// Whether a point comes out before another: by tags, then by time.
fn precedes(point: &Point, other: &Point, ascending: bool) -> bool {
    let order = point
        .tags
        .cmp(&other.tags)
        .then(point.time.cmp(&other.time));
    order
        == if ascending {
            Ordering::Less
        } else {
            Ordering::Greater
        }
}

/// A cell gets its value or its default (fill_and_windows.md §4.3).
fn put(cell: &mut Option<Value>, value: Option<Value>, fill: Fill, field_type: Option<FieldType>) {
    match (value, fill) {
        (Some(value), _) => *cell = Some(value),
        (None, Fill::Previous) => {}
        (None, Fill::Number(number)) => *cell = Some(default_value(fill_value(number), field_type)),
        (None, Fill::Null | Fill::None | Fill::Linear) => *cell = None,
    }
}

/// A fill number in a column: of the column's type if that is numeric, as written otherwise.
pub(super) fn default_value(number: Value, field_type: Option<FieldType>) -> Value {
    match field_type {
        Some(to) if to.is_numeric() => cast(&number, to).unwrap_or(number),
        _ => number,
    }
}
