//! The small stages between an aggregate and the rows: window starts as times, fill, limit, and
//! the reduction of tags (`spec/influxql/00_execution_model.md` §3.6 to §3.8).

use std::{rc::Rc, sync::Arc};

use headwater_influxql::ast::{Fill, FillNumber};
use headwater_model::{FieldType, MIN_TIME, Value};

use super::{
    Error,
    point::{Aux, Peekable, Point, PointStream, Points, Tags, cast},
    window::Windows,
};
use crate::{guard::Guard, profile::Operator};

/// Interval: the window start in place of the time; the smallest time becomes 0.
pub(super) struct Interval<'a> {
    pub(super) input: Points<'a>,
    pub(super) windows: Windows,
}

impl PointStream for Interval<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        let Some(mut point) = self.input.next()? else {
            return Ok(None);
        };
        point.time = window_time(&self.windows, point.time);
        Ok(Some(point))
    }
}

/// What Interval makes of a time.
pub(super) fn window_time(windows: &Windows, time: i64) -> i64 {
    match windows.start(time) {
        MIN_TIME => 0,
        start => start,
    }
}

/// Limit: skips and counts within a run of equal tags.
pub(super) struct Limit<'a> {
    input: Points<'a>,
    limit: u64,
    offset: u64,
    /// All points have the same tags, so that the end of the run is the end of the stream.
    is_single_run: bool,
    tags: Option<Tags>,
    seen: u64,
}

impl<'a> Limit<'a> {
    /// `input` itself when there is nothing to limit.
    pub(super) fn around(
        input: Points<'a>,
        limit: u64,
        offset: u64,
        is_single_run: bool,
    ) -> Points<'a> {
        if limit == 0 && offset == 0 {
            return input;
        }
        Box::new(Self {
            input,
            limit,
            offset,
            is_single_run,
            tags: None,
            seen: 0,
        })
    }
}

impl PointStream for Limit<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        loop {
            let is_over = self.limit > 0 && self.seen >= self.offset.saturating_add(self.limit);
            if self.is_single_run && is_over {
                return Ok(None);
            }
            let Some(point) = self.input.next()? else {
                return Ok(None);
            };
            if !self
                .tags
                .as_ref()
                .is_some_and(|tags| same_tags(tags, &point.tags))
            {
                self.tags = Some(Rc::clone(&point.tags));
                self.seen = 0;
            }
            self.seen += 1;
            if self.seen > self.offset && (self.limit == 0 || self.seen - self.offset <= self.limit)
            {
                return Ok(Some(point));
            }
        }
    }
}

/// The storage-level cut of §8 of semantics_select.md: the first `limit + offset + 1` points.
pub(super) struct Cut<'a> {
    pub(super) input: Points<'a>,
    pub(super) left: u64,
}

impl PointStream for Cut<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.input.next()
    }
}

/// Tags cut down to those that an outer level keeps.
pub(super) struct TagSubset<'a> {
    input: Points<'a>,
    /// Positions of the kept names among the input's.
    positions: Vec<usize>,
    last: Option<(Tags, Tags)>,
}

impl<'a> TagSubset<'a> {
    /// `input` itself when all are kept. `kept` must be among `names`.
    pub(super) fn around(input: Points<'a>, names: &[Arc<str>], kept: &[Arc<str>]) -> Points<'a> {
        if names.len() == kept.len() {
            return input;
        }
        let positions = kept
            .iter()
            .filter_map(|name| names.iter().position(|other| other == name))
            .collect();
        Box::new(Self {
            input,
            positions,
            last: None,
        })
    }
}

impl PointStream for TagSubset<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        let Some(mut point) = self.input.next()? else {
            return Ok(None);
        };
        let kept = match &self.last {
            Some((from, to)) if Rc::ptr_eq(from, &point.tags) => Rc::clone(to),
            _ => {
                let kept: Tags = self
                    .positions
                    .iter()
                    .map(|at| Arc::clone(&point.tags[*at]))
                    .collect();
                self.last = Some((Rc::clone(&point.tags), Rc::clone(&kept)));
                kept
            }
        };
        point.tags = kept;
        Ok(Some(point))
    }
}

pub(super) fn same_tags(left: &Tags, right: &Tags) -> bool {
    Rc::ptr_eq(left, right) || left == right
}

/// The number of a fill as a value.
pub(super) fn fill_value(number: FillNumber) -> Value {
    match number {
        FillNumber::Integer(v) => Value::Integer(v),
        FillNumber::Float(v) => Value::Float(v),
    }
}

/// A fill number in a stream of a type; what no number converts to is that type's zero
/// (fill_and_windows.md §4.1).
pub(super) fn fill_value_as(number: FillNumber, to: FieldType) -> Value {
    cast(&fill_value(number), to).unwrap_or_else(|| match to {
        FieldType::Boolean => Value::Boolean(false),
        _ => Value::String("".into()),
    })
}

/// What the Fill stage does: `count` answers 0 where others answer null.
pub(super) fn effective_fill(fill: Fill, is_count: bool) -> Fill {
    match fill {
        Fill::Null if is_count => Fill::Number(FillNumber::Integer(0)),
        other => other,
    }
}

/// Fill: a point for every window of the range, for each run of equal tags
/// (fill_and_windows.md §3 and §4.1).
pub(super) struct FillStage<'a> {
    input: Peekable<'a>,
    windows: Windows,
    ascending: bool,
    fill: Fill,
    /// The type of the stream, for fill numbers and interpolation.
    field_type: FieldType,
    aux_count: usize,
    /// First and last expected window, in the direction of the stream.
    start: i64,
    end: i64,
    run: Option<Run>,
    guard: Rc<Guard>,
}

/// Where a run of windows stands.
struct Run {
    tags: Tags,
    /// The next expected window.
    time: i64,
    zone: i64,
    previous: Option<Point>,
}

impl<'a> FillStage<'a> {
    pub(super) fn new(
        input: Points<'a>,
        windows: Windows,
        ascending: bool,
        fill: Fill,
        field_type: FieldType,
        aux_count: usize,
        guard: &Rc<Guard>,
    ) -> Self {
        let (first, last) = (
            windows.start(windows.range.start),
            windows.start(windows.range.end),
        );
        let (start, end) = if ascending {
            (first, last)
        } else {
            (last, first)
        };
        Self {
            input: Peekable::new(input),
            windows,
            ascending,
            fill,
            field_type,
            aux_count,
            start,
            end,
            run: None,
            guard: Rc::clone(guard),
        }
    }

    fn begin(&self, point: &Point) -> Run {
        let time = if self.start == MIN_TIME {
            self.windows.start(point.time)
        } else {
            self.start
        };
        Run {
            tags: Rc::clone(&point.tags),
            time,
            zone: self.windows.zone(time),
            previous: None,
        }
    }

    fn is_in_range(&self, time: i64) -> bool {
        if self.ascending {
            time <= self.end
        } else {
            time >= self.end && self.end != MIN_TIME
        }
    }

    /// The value of the empty window `time` of `run`.
    fn value(
        &mut self,
        time: i64,
        tags: &Tags,
        previous: Option<&Point>,
    ) -> Result<Option<Value>, Error> {
        Ok(match self.fill {
            Fill::Null | Fill::None => None,
            Fill::Number(number) => Some(fill_value_as(number, self.field_type)),
            Fill::Previous => previous.and_then(|p| p.value.clone()),
            Fill::Linear => {
                let every = self.windows.every;
                let Some(previous) = previous else {
                    return Ok(None);
                };
                match self.input.peek()? {
                    Some(next) if same_tags(&next.tags, tags) => {
                        interpolate(time, previous, next, every)
                    }
                    _ => None,
                }
            }
        })
    }

    /// The expected window after `run.time`, past a change of the zone's offset if there is one.
    fn advance(&self, run: &mut Run) {
        let step = if self.ascending {
            self.windows.every
        } else {
            -self.windows.every
        };
        run.time = run.time.saturating_add(step);
        if self.windows.timezone.is_some() {
            let zone = self.windows.zone(run.time.saturating_sub(1));
            if zone != run.zone {
                let shift = run.zone - zone;
                if shift.abs() < self.windows.every {
                    run.time = run.time.saturating_add(shift);
                }
                run.zone = zone;
            }
        }
    }
}

impl PointStream for FillStage<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        let guard = Rc::clone(&self.guard);
        let _filling = guard.enter(Operator::Fill);
        guard.work(1)?;
        let mut next = self.input.next()?;
        let mut run = match self.run.take() {
            Some(run) => run,
            None => match &next {
                Some(point) => self.begin(point),
                None => return Ok(None),
            },
        };
        if !next
            .as_ref()
            .is_some_and(|point| same_tags(&point.tags, &run.tags))
        {
            if self.is_in_range(run.time) {
                if let Some(point) = next.take() {
                    self.input.unread(point);
                }
            } else {
                match &next {
                    Some(point) => run = self.begin(point),
                    None => {
                        self.run = Some(run);
                        return Ok(None);
                    }
                }
            }
        }
        let is_expected = next.as_ref().is_some_and(|point| {
            if self.ascending {
                point.time <= run.time
            } else {
                point.time >= run.time
            }
        });
        let point = match next {
            Some(point) if is_expected => {
                run.previous = Some(point.clone());
                point
            }
            other => {
                if let Some(point) = other {
                    self.input.unread(point);
                }
                let value = self.value(run.time, &run.tags, run.previous.as_ref())?;
                let aux: Aux = (self.aux_count > 0).then(|| vec![None; self.aux_count].into());
                Point {
                    time: run.time,
                    tags: Rc::clone(&run.tags),
                    value,
                    aux,
                    weight: 0,
                }
            }
        };
        self.advance(&mut run);
        self.run = Some(run);
        Ok(Some(point))
    }
}

/// Linear between two windows, over the number of the window; integers truncate.
fn interpolate(time: i64, previous: &Point, next: &Point, every: i64) -> Option<Value> {
    let (at, from, to) = (time / every, previous.time / every, next.time / every);
    linear(at, from, to, previous.value.as_ref()?, next.value.as_ref()?)
}

/// The line through `(from, left)` and `(to, right)` at `at`.
pub(super) fn linear(at: i64, from: i64, to: i64, left: &Value, right: &Value) -> Option<Value> {
    let float = |left: f64, right: f64| {
        let slope = (right - left) / (to - from) as f64;
        slope * (at - from) as f64 + left
    };
    Some(match (left, right) {
        (Value::Float(l), Value::Float(r)) => Value::Float(float(*l, *r)),
        (Value::Integer(l), Value::Integer(r)) => {
            let slope = r.wrapping_sub(*l) as f64 / (to - from) as f64;
            Value::Integer((slope * (at - from) as f64 + *l as f64) as i64)
        }
        (Value::Unsigned(l), Value::Unsigned(r)) => {
            let slope = (*r as f64 - *l as f64) / (to - from) as f64;
            Value::Unsigned((slope * (at - from) as f64 + *l as f64) as u64)
        }
        _ => return None,
    })
}
