//! Functions of a stream of points: differences, sums and averages
//! (`spec/influxql/functions.md` §3). `technical` has those of §6.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use headwater_model::{FieldType, Value};

use super::{technical, unsupported};
use crate::plan::Transform;

/// Takes the points of one group in the order of the statement and gives points back. State runs
/// on through windows.
pub(crate) trait StreamFunction: Send {
    /// Takes a point. `value` is of the type the function was made for. Results are added to
    /// `out` under the time of the point.
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>);

    /// Takes note of the end.
    fn finish(&mut self, _out: &mut Vec<(i64, Value)>) {}
}

/// A new stream function of values of type `input`; `ascending` tells in which order times come.
///
/// # Errors
/// The statement's text when the function takes no such values.
pub(crate) fn stream_function(
    function: Transform,
    input: FieldType,
    ascending: bool,
) -> Result<Box<dyn StreamFunction>, String> {
    if !input.is_numeric() && !matches!(function, Transform::Elapsed { .. }) {
        return Err(unsupported(iterator_name(function), input));
    }
    Ok(match function {
        Transform::Derivative { unit, non_negative } => Box::new(Derivative {
            unit,
            non_negative,
            ascending,
            previous: None,
        }),
        Transform::Difference { non_negative } => Box::new(Difference {
            non_negative,
            previous: None,
        }),
        Transform::Elapsed { unit } => Box::new(Elapsed {
            unit,
            previous: None,
        }),
        Transform::CumulativeSum => Box::new(CumulativeSum { sum: None }),
        Transform::MovingAverage { size } => Box::new(MovingAverage {
            size,
            values: VecDeque::new(),
            sum: None,
        }),
        _ => return technical::stream_function(function),
    })
}

/// The type of what the function makes of values of type `input`.
pub(crate) fn transform_output_type(function: Transform, input: FieldType) -> FieldType {
    match function {
        Transform::Elapsed { .. } => FieldType::Integer,
        Transform::Difference { .. } | Transform::CumulativeSum => input,
        _ => FieldType::Float,
    }
}

/// The name in the error for a type the function does not take.
fn iterator_name(function: Transform) -> &'static str {
    match function {
        Transform::Derivative { .. } => "derivative",
        Transform::Difference { .. } => "difference",
        Transform::Elapsed { .. } => "elapsed",
        Transform::CumulativeSum => "cumulative sum",
        Transform::MovingAverage { .. } => "moving average",
        Transform::ExponentialMovingAverage(_) => "exponential moving average",
        Transform::DoubleExponentialMovingAverage(_) => "double exponential moving average",
        Transform::TripleExponentialMovingAverage(_) => "triple exponential moving average",
        Transform::TripleExponentialDerivative(_) => "triple exponential derivative",
        Transform::RelativeStrengthIndex(_) => "relative strength index",
        Transform::KaufmansEfficiencyRatio { .. } => "kaufmans efficiency ratio",
        Transform::KaufmansAdaptiveMovingAverage { .. } => "kaufmans adaptive moving average",
        Transform::ChandeMomentumOscillator(_) => "chande momentum oscillator",
    }
}

/// A number as a float; not-numbers, which [`stream_function`] has refused, as zero.
pub(super) fn as_float(value: &Value) -> f64 {
    match value {
        Value::Float(value) => *value,
        Value::Integer(value) => *value as f64,
        Value::Unsigned(value) => *value as f64,
        Value::String(_) | Value::Boolean(_) => 0.0,
    }
}

/// `value - previous` as a float. Integers are subtracted as such, and wrap as the reference's.
fn float_difference(value: &Value, previous: &Value) -> f64 {
    match (value, previous) {
        (Value::Integer(value), Value::Integer(previous)) => value.wrapping_sub(*previous) as f64,
        (Value::Unsigned(value), Value::Unsigned(previous)) if value < previous => {
            -((previous - value) as f64)
        }
        (Value::Unsigned(value), Value::Unsigned(previous)) => (value - previous) as f64,
        _ => as_float(value) - as_float(previous),
    }
}

struct Derivative {
    /// Nanoseconds.
    unit: i64,
    non_negative: bool,
    ascending: bool,
    previous: Option<(i64, Value)>,
}

impl StreamFunction for Derivative {
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>) {
        let Some((previous_time, previous)) = &self.previous else {
            self.previous = Some((time, value.clone()));
            return;
        };
        // Of points at one time only the first counts.
        if *previous_time == time {
            return;
        }
        let difference = float_difference(value, previous);
        let elapsed = time.wrapping_sub(*previous_time);
        let elapsed = if self.ascending {
            elapsed
        } else {
            elapsed.wrapping_neg()
        };
        if !(self.non_negative && difference < 0.0) {
            let derivative = difference / (elapsed as f64 / self.unit as f64);
            out.push((time, Value::Float(derivative)));
        }
        self.previous = Some((time, value.clone()));
    }
}

struct Difference {
    non_negative: bool,
    previous: Option<(i64, Value)>,
}

impl StreamFunction for Difference {
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>) {
        let Some((previous_time, previous)) = &self.previous else {
            self.previous = Some((time, value.clone()));
            return;
        };
        if *previous_time == time {
            return;
        }
        let (difference, is_negative) = match (value, previous) {
            (Value::Integer(value), Value::Integer(previous)) => {
                let difference = value.wrapping_sub(*previous);
                (Value::Integer(difference), difference < 0)
            }
            (Value::Unsigned(value), Value::Unsigned(previous)) => (
                Value::Unsigned(value.wrapping_sub(*previous)),
                value < previous,
            ),
            _ => {
                let difference = as_float(value) - as_float(previous);
                (Value::Float(difference), difference < 0.0)
            }
        };
        if !(self.non_negative && is_negative) {
            out.push((time, difference));
        }
        self.previous = Some((time, value.clone()));
    }
}

struct Elapsed {
    /// Nanoseconds.
    unit: i64,
    previous: Option<i64>,
}

impl StreamFunction for Elapsed {
    fn push(&mut self, time: i64, _value: &Value, out: &mut Vec<(i64, Value)>) {
        if let Some(previous) = self.previous.replace(time) {
            let elapsed = time
                .wrapping_sub(previous)
                .checked_div(self.unit)
                .unwrap_or_default();
            out.push((time, Value::Integer(elapsed)));
        }
    }
}

struct CumulativeSum {
    sum: Option<Value>,
}

impl StreamFunction for CumulativeSum {
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>) {
        let sum = add(self.sum.as_ref(), value);
        out.push((time, sum.clone()));
        self.sum = Some(sum);
    }
}

struct MovingAverage {
    size: usize,
    /// The last `size` values at most.
    values: VecDeque<Value>,
    sum: Option<Value>,
}

impl StreamFunction for MovingAverage {
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>) {
        if self.values.len() == self.size
            && let (Some(expired), Some(sum)) = (self.values.pop_front(), &self.sum)
        {
            self.sum = Some(subtract(sum, &expired));
        }
        self.values.push_back(value.clone());
        let sum = add(self.sum.as_ref(), value);
        if self.values.len() == self.size {
            out.push((time, Value::Float(as_float(&sum) / self.size as f64)));
        }
        self.sum = Some(sum);
    }
}

/// Starts from zero, so that -0 becomes 0.
fn add(sum: Option<&Value>, value: &Value) -> Value {
    match (sum, value) {
        (None, Value::Integer(_) | Value::Unsigned(_)) => value.clone(),
        (None, _) => Value::Float(0.0 + as_float(value)),
        (Some(Value::Integer(sum)), Value::Integer(value)) => {
            Value::Integer(sum.wrapping_add(*value))
        }
        (Some(Value::Unsigned(sum)), Value::Unsigned(value)) => {
            Value::Unsigned(sum.wrapping_add(*value))
        }
        (Some(sum), _) => Value::Float(as_float(sum) + as_float(value)),
    }
}

fn subtract(sum: &Value, value: &Value) -> Value {
    match (sum, value) {
        (Value::Integer(sum), Value::Integer(value)) => Value::Integer(sum.wrapping_sub(*value)),
        (Value::Unsigned(sum), Value::Unsigned(value)) => Value::Unsigned(sum.wrapping_sub(*value)),
        _ => Value::Float(as_float(sum) - as_float(value)),
    }
}
