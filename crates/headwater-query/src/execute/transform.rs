//! Functions of a stream of points as stages: transformations, `integral`, `holt_winters`
//! (§3.5; the kernels are `crate::function`'s).

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use headwater_model::{FieldType, MIN_TIME, Value};

use super::{
    expression,
    point::{ListStream, Point, PointStream, Points, Tags},
    reduce::{Gap, Pause},
    sort,
    window::Windows,
};
use crate::{
    error::Error,
    function::{
        holt_winters,
        integral::Integral,
        transform::{self, StreamFunction},
    },
    guard::{Guard, Held},
    plan::Transform,
    profile::Operator,
};

/// Whether a transformation over windows reads one more window than its range.
pub(super) fn reads_more(function: Transform) -> bool {
    !matches!(function, Transform::CumulativeSum)
}

/// A transformation of each tag set's points.
pub(super) struct TransformStage<'a> {
    input: Points<'a>,
    function: Transform,
    input_type: FieldType,
    ascending: bool,
    states: BTreeMap<Tags, Box<dyn StreamFunction>>,
    pending: VecDeque<Point>,
    /// The input has paused once; this stage, unlike others, does not ask again.
    is_over: bool,
    guard: Rc<Guard>,
}

impl<'a> TransformStage<'a> {
    pub(super) fn new(
        input: Points<'a>,
        function: Transform,
        input_type: FieldType,
        ascending: bool,
        guard: &Rc<Guard>,
    ) -> Self {
        let (states, pending) = (BTreeMap::new(), VecDeque::new());
        Self {
            input,
            function,
            input_type,
            ascending,
            states,
            pending,
            is_over: false,
            guard: Rc::clone(guard),
        }
    }

    fn push(&mut self, point: &Point, value: &Value) -> Result<(), Error> {
        if !self.states.contains_key(&point.tags) {
            let state = transform::stream_function(self.function, self.input_type, self.ascending)
                .map_err(Error::Statement)?;
            self.states.insert(Rc::clone(&point.tags), state);
        }
        let Some(state) = self.states.get_mut(&point.tags) else {
            return Ok(());
        };
        let mut out = Vec::new();
        state.push(point.time, value, &mut out);
        self.pending.extend(
            out.into_iter()
                .map(|(time, value)| result(time, value, &point.tags)),
        );
        Ok(())
    }

    fn finish(&mut self) {
        for (tags, mut state) in std::mem::take(&mut self.states) {
            let mut out = Vec::new();
            state.finish(&mut out);
            self.pending.extend(
                out.into_iter()
                    .map(|(time, value)| result(time, value, &tags)),
            );
        }
    }
}

fn result(time: i64, value: Value, tags: &Tags) -> Point {
    Point {
        time,
        tags: Rc::clone(tags),
        value: Some(value),
        aux: None,
        weight: 0,
    }
}

impl PointStream for TransformStage<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        let guard = Rc::clone(&self.guard);
        let _transforming = guard.enter(Operator::Transform);
        loop {
            if let Some(point) = self.pending.pop_front() {
                return Ok(Some(point));
            }
            if self.is_over {
                return Ok(None);
            }
            let Some(point) = self.input.next()? else {
                self.is_over = true;
                self.finish();
                return Ok(self.pending.pop_front());
            };
            if let Some(value) = point.value.clone() {
                self.push(&point, &value)?;
            }
        }
    }
}

/// All areas of a stream, a tag set after the other.
pub(super) fn integral<'a>(
    mut points: Points<'a>,
    windows: Windows,
    unit: i64,
    input_type: FieldType,
    ascending: bool,
    guard: &Rc<Guard>,
) -> Result<Points<'a>, Error> {
    // Floats without windows have none at all, integers that of the range.
    let has_windows = !windows.is_single() || input_type != FieldType::Float;
    let window_of = || has_windows.then_some(move |time| windows.of(time));
    let mut states = BTreeMap::new();
    let mut out = Vec::new();
    let _transforming = guard.enter(Operator::Transform);
    let mut held = Held::new(guard);
    while let Some(point) = points.next()? {
        let Some(value) = &point.value else { continue };
        if !states.contains_key(&point.tags) {
            let state = Integral::new(input_type, unit, ascending, window_of())
                .map_err(Error::Statement)?;
            states.insert(Rc::clone(&point.tags), (state, Vec::new()));
        }
        if let Some((state, sums)) = states.get_mut(&point.tags) {
            let before = sums.len();
            state.push(point.time, value, sums);
            held.grow((sums.len() - before) * size_of::<(i64, f64)>())?;
        }
    }
    for (tags, (mut state, mut sums)) in states {
        state.finish(&mut sums);
        out.extend(sums.into_iter().map(|(time, sum)| {
            // Without a lower bound the range starts at no time that a row could have.
            let time = if time == MIN_TIME { 0 } else { time };
            result(time, Value::Float(sum), &tags)
        }));
    }
    Ok(Box::new(ListStream::new(out, guard)?))
}

/// What a forecast is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forecast {
    pub(super) forecasts: usize,
    pub(super) season: usize,
    pub(super) with_fit: bool,
    /// Nanoseconds.
    pub(super) every: i64,
    pub(super) ascending: bool,
}

/// The points of one round, or the pause of a round that has input and gives nothing.
struct Forecasts {
    points: ListStream,
    gap: Gap,
    pause: Pause,
}

impl PointStream for Forecasts {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        self.gap.set(std::mem::take(&mut self.pause));
        self.points.next()
    }
}

/// The forecast of each tag set, in the order of time. They are one round of a reduction, which
/// pauses (`Gap`) when no tag set has enough input.
pub(super) fn holt_winters<'a>(
    mut points: Points<'a>,
    forecast: Forecast,
    gap: Gap,
    guard: &Rc<Guard>,
) -> Result<Points<'a>, Error> {
    let _transforming = guard.enter(Operator::Transform);
    let mut held = Held::new(guard);
    let mut inputs: BTreeMap<Tags, Vec<(i64, Option<f64>)>> = BTreeMap::new();
    while let Some(point) = points.next()? {
        let Some(value) = point.value.as_ref().and_then(expression::as_float) else {
            continue;
        };
        held.grow(size_of::<(i64, Option<f64>)>())?;
        inputs
            .entry(point.tags)
            .or_default()
            .push((point.time, Some(value)));
    }
    let mut out = Vec::new();
    let has_input = !inputs.is_empty();
    for (tags, input) in inputs {
        let Forecast {
            forecasts,
            season,
            with_fit,
            every,
            ..
        } = forecast;
        let values = holt_winters::holt_winters(&input, forecasts, season, with_fit, every, guard)?;
        out.extend(
            values
                .into_iter()
                .map(|(time, v)| result(time, Value::Float(v), &tags)),
        );
    }
    sort::sort_by_time(&mut out, forecast.ascending, guard)?;
    let pause = Pause::once(has_input && out.is_empty());
    Ok(Box::new(Forecasts {
        points: ListStream::new(out, guard)?,
        gap,
        pause,
    }))
}
