//! The area under a series by the trapezoid rule (`spec/influxql/functions.md` §5).

#[cfg(test)]
mod tests;

use headwater_model::{FieldType, Value};

use super::{transform::as_float, unsupported};

/// Takes the points of one group in the order of the statement and gives one sum a window, which
/// is known only once a later point or the end has come.
///
/// Integers and unsigned integers follow another path than floats, with the reference's faults: at
/// the end of a window the interpolated value stands in for that of the point instead of for that
/// of the point before.
pub(crate) struct Integral<W> {
    is_float: bool,
    /// Nanoseconds.
    unit: i64,
    ascending: bool,
    window_of: Option<W>,
    /// The present window; with descending time it starts where it ends. Without windows it never
    /// ends.
    start: i64,
    end: Option<i64>,
    previous: Option<(i64, f64)>,
    sum: f64,
}

impl<W: Fn(i64) -> (i64, i64)> Integral<W> {
    /// `window_of` gives the window of a time as start and end, the latter exclusive. Without GROUP
    /// BY time it is `None` for floats, and for integers the range of the statement.
    ///
    /// # Errors
    /// The statement's text when `input` is no numeric type.
    pub(crate) fn new(
        input: FieldType,
        unit: i64,
        ascending: bool,
        window_of: Option<W>,
    ) -> Result<Self, String> {
        if !input.is_numeric() {
            return Err(unsupported("integral", input));
        }
        let is_float = input == FieldType::Float;
        let (previous, sum) = (None, 0.0);
        Ok(Self {
            is_float,
            unit,
            ascending,
            window_of,
            start: 0,
            end: None,
            previous,
            sum,
        })
    }

    /// Takes a point. Sums of windows that are over are added to `out` under their start.
    pub(crate) fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, f64)>) {
        let point = as_float(value);
        let Some((mut previous_time, mut previous)) = self.previous else {
            self.previous = Some((time, point));
            self.enter_window(time);
            return;
        };
        if previous_time == time {
            self.previous = Some((time, point));
            return;
        }
        let mut value = point;
        if let Some(end) = self.end.filter(|end| self.is_over(*end, time)) {
            if previous_time != end {
                let slope = (point - previous) / time.wrapping_sub(previous_time) as f64;
                let at_end = slope * end.wrapping_sub(previous_time) as f64 + previous;
                self.sum += self.area(previous_time, previous, end, at_end);
                previous_time = end;
                if self.is_float {
                    previous = at_end;
                } else {
                    value = at_end;
                }
            }
            out.push((self.start, self.sum));
            self.enter_window(time);
            self.sum = 0.0;
        }
        self.sum += self.area(previous_time, previous, time, value);
        self.previous = Some((time, point));
    }

    /// Adds the last window's sum. A point at its very start spans no area and gives none.
    pub(crate) fn finish(&mut self, out: &mut Vec<(i64, f64)>) {
        if let Some((time, _)) = self.previous.take()
            && time != self.start
        {
            out.push((self.start, self.sum));
        }
    }

    fn enter_window(&mut self, time: i64) {
        if let Some(window_of) = &self.window_of {
            let (first, last) = window_of(time);
            let (start, end) = if self.ascending {
                (first, last)
            } else {
                (last, first)
            };
            self.start = start;
            self.end = Some(end);
        }
    }

    fn is_over(&self, end: i64, time: i64) -> bool {
        if self.ascending {
            time >= end
        } else {
            time <= end
        }
    }

    fn area(&self, from: i64, left: f64, to: i64, right: f64) -> f64 {
        let elapsed = to.wrapping_sub(from) as f64 / self.unit as f64;
        0.5 * (right + left) * elapsed
    }
}
