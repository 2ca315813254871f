//! From partials to rows: times, fill, limit, the join of the calls, and the select list.

use headwater_influxql::ast::{Fill, FillNumber};
use headwater_model::{FieldType, MIN_TIME, Value};

use super::track::{Function, Layers, Number, Partial, Track, Tracks, mean};
use crate::{
    Error,
    execute::{
        cursor::default_value,
        expression,
        output::ColumnBuilder,
        point::cast,
        stage::{effective_fill, fill_value},
        types,
        window::Windows,
    },
    guard::Guard,
    plan::{Aggregate, RowExpr, SelectPlan},
    series::Column,
};

/// Rows that are made at once; more come from the general pipeline, which streams them.
const ROWS_MAX: u64 = 1 << 18;

/// How the windows of a statement become rows.
pub(super) struct Frame<'a> {
    plan: &'a SelectPlan,
    windows: Windows,
    base: i64,
}

/// The limited rows of one call.
pub(super) struct CallRows {
    times: Vec<i64>,
    values: Values,
    /// `None`: all are.
    valid: Option<Vec<bool>>,
}

enum Values {
    Float(Vec<f64>),
    Integer(Vec<i64>),
    Unsigned(Vec<u64>),
}

impl<'a> Frame<'a> {
    pub(super) fn new(plan: &'a SelectPlan, windows: Windows, base: i64) -> Self {
        Self {
            plan,
            windows,
            base,
        }
    }

    /// The rows of a call; `None` if they are too many.
    pub(super) fn rows(&self, layers: &Layers) -> Option<CallRows> {
        let function = layers.function;
        let is_count = function == Function::Fold(Aggregate::Count);
        let fill = effective_fill(self.plan.fill, is_count);
        match &layers.total {
            Tracks::Float(track) => {
                let number = fill_number(fill, FieldType::Float, |v| match v {
                    Value::Float(v) => v,
                    _ => 0.0,
                });
                let finish = |partial: Partial<f64>| match function {
                    Function::Fold(Aggregate::Mean) => {
                        let value = mean(partial.value, partial.count);
                        if partial.count < 2 {
                            value
                        } else {
                            // The layer over the sources.
                            value * partial.count as f64 / partial.count as f64
                        }
                    }
                    _ => partial.value,
                };
                let (times, values, valid) = self.fill(track, fill, number, finish)?;
                Some(CallRows {
                    times,
                    values: Values::Float(values),
                    valid,
                })
            }
            Tracks::Integer(track) => {
                let number = fill_number(fill, FieldType::Integer, |v| match v {
                    Value::Integer(v) => v,
                    _ => 0,
                });
                let finish = |partial: Partial<i64>| match function {
                    Function::Fold(Aggregate::Count) => partial.count as i64,
                    _ => partial.value,
                };
                let (times, values, valid) = self.fill(track, fill, number, finish)?;
                Some(CallRows {
                    times,
                    values: Values::Integer(values),
                    valid,
                })
            }
            Tracks::Unsigned(track) => {
                let number = fill_number(fill, FieldType::Unsigned, |v| match v {
                    Value::Unsigned(v) => v,
                    _ => 0,
                });
                let (times, values, valid) = self.fill(track, fill, number, |p| p.value)?;
                Some(CallRows {
                    times,
                    values: Values::Unsigned(values),
                    valid,
                })
            }
        }
    }

    /// The time of a window's row.
    fn time(&self, window: i64, point_time: i64) -> i64 {
        if !self.windows.is_single() {
            // From a base before 1970 to the last window there is, the product alone may be too
            // large; the sum is not.
            return self
                .base
                .wrapping_add(window.wrapping_mul(self.windows.every));
        }
        match self.windows.range.start {
            _ if self.plan.is_selector => point_time,
            MIN_TIME => 0,
            start => start,
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "times, values and validity, unpacked at once"
    )]
    fn fill<T: Number>(
        &self,
        track: &Track<T>,
        fill: Fill,
        number: T,
        finish: impl Fn(Partial<T>) -> T,
    ) -> Option<(Vec<i64>, Vec<T>, Option<Vec<bool>>)> {
        let ascending = self.plan.ascending;
        let points: Vec<(i64, Partial<T>)> = if ascending {
            track.filled().collect()
        } else {
            track.filled().rev().collect()
        };
        let offset = self.plan.offset;
        let end = match self.plan.limit {
            0 => u64::MAX,
            limit => offset.saturating_add(limit),
        };
        let mut out = Rows {
            times: Vec::new(),
            values: Vec::new(),
            valid: None,
        };
        if self.windows.is_single() || fill == Fill::None {
            let skip = usize::try_from(offset).unwrap_or(usize::MAX);
            let take = usize::try_from(end - offset).unwrap_or(usize::MAX);
            for (window, partial) in points.into_iter().skip(skip).take(take) {
                out.push(self.time(window, partial.time), Some(finish(partial)));
            }
            return Some(out.parts());
        }
        let Some((start, count)) = self.sequence(&points) else {
            return Some(out.parts());
        };
        let end = end.min(count);
        if end > ROWS_MAX {
            return None;
        }
        let step = if ascending { 1 } else { -1 };
        let mut points = points.into_iter().peekable();
        let mut previous = None;
        for at in 0..end {
            let window = start + step * at as i64;
            let value = match points.next_if(|(w, _)| *w == window) {
                Some((_, partial)) => {
                    previous = Some(finish(partial));
                    previous
                }
                None => match fill {
                    Fill::Number(_) => Some(number),
                    Fill::Previous => previous,
                    _ => None,
                },
            };
            if at >= offset {
                out.push(self.time(window, 0), value);
            }
        }
        Some(out.parts())
    }

    /// The first window of the filled sequence, and its length; `None` without points.
    fn sequence<T>(&self, points: &[(i64, Partial<T>)]) -> Option<(i64, u64)> {
        let (first_point, last_point) = (points.first()?.0, points.last()?.0);
        let range = self.windows.range;
        let number = |time: i64| {
            (i128::from(self.windows.start(time)) - i128::from(self.base))
                / i128::from(self.windows.every)
        };
        let is_open = self.windows.start(range.start) == MIN_TIME;
        let (start, end) = if self.plan.ascending {
            let start = if is_open {
                i128::from(first_point)
            } else {
                number(range.start)
            };
            (start, number(range.end))
        } else {
            let end = if is_open {
                i128::from(last_point)
            } else {
                number(range.start)
            };
            (number(range.end), end)
        };
        let count = (end - start).unsigned_abs() + 1;
        Some((
            i64::try_from(start).ok()?,
            u64::try_from(count).unwrap_or(u64::MAX),
        ))
    }
}

fn fill_number<T: Default>(fill: Fill, field_type: FieldType, take: impl Fn(Value) -> T) -> T {
    match fill {
        Fill::Number(number) => cast(&fill_value(number), field_type).map_or_else(T::default, take),
        _ => T::default(),
    }
}

struct Rows<T> {
    times: Vec<i64>,
    values: Vec<T>,
    valid: Option<Vec<bool>>,
}

impl<T: Default> Rows<T> {
    fn push(&mut self, time: i64, value: Option<T>) {
        match (&mut self.valid, &value) {
            (Some(valid), value) => valid.push(value.is_some()),
            (none, None) => {
                let mut valid = vec![true; self.times.len()];
                valid.push(false);
                *none = Some(valid);
            }
            (None, Some(_)) => {}
        }
        self.times.push(time);
        self.values.push(value.unwrap_or_default());
    }

    fn parts(self) -> (Vec<i64>, Vec<T>, Option<Vec<bool>>) {
        (self.times, self.values, self.valid)
    }
}

impl CallRows {
    fn get(&self, row: usize) -> Option<Value> {
        if self.valid.as_ref().is_some_and(|valid| !valid[row]) {
            return None;
        }
        Some(match &self.values {
            Values::Float(v) => Value::Float(v[row]),
            Values::Integer(v) => Value::Integer(v[row]),
            Values::Unsigned(v) => Value::Unsigned(v[row]),
        })
    }

    /// The column as it is; NaN is null.
    fn column(&self) -> Column {
        let valid = self.valid.clone();
        match &self.values {
            Values::Float(values) if values.iter().any(|v| v.is_nan()) => {
                let is_valid = |at: usize| valid.as_ref().is_none_or(|valid| valid[at]);
                let valid = values
                    .iter()
                    .enumerate()
                    .map(|(at, v)| is_valid(at) && !v.is_nan())
                    .collect();
                Column::Float {
                    values: values.clone(),
                    valid: Some(valid),
                }
            }
            Values::Float(values) => Column::Float {
                values: values.clone(),
                valid,
            },
            Values::Integer(values) => Column::Integer {
                values: values.clone(),
                valid,
            },
            Values::Unsigned(values) => Column::Unsigned {
                values: values.clone(),
                valid,
            },
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.times.len() * size_of::<(i64, f64)>()
    }

    /// Joins the calls on time and evaluates the select list (§3.9).
    pub(super) fn join(
        calls: Vec<Self>,
        plan: &SelectPlan,
        guard: &Guard,
    ) -> Result<(Vec<i64>, Vec<Column>), Error> {
        let is_aligned = calls.windows(2).all(|pair| pair[0].times == pair[1].times);
        let is_plain = plan
            .columns
            .iter()
            .all(|c| matches!(c.expr, RowExpr::Call(_) | RowExpr::Null));
        if is_aligned && is_plain {
            let len = calls.first().map_or(0, |call| call.times.len());
            let columns = plan.columns.iter().map(|column| match column.expr {
                RowExpr::Call(at) => calls[at].column(),
                _ => Column::Constant { value: None, len },
            });
            let columns = columns.collect();
            let times = calls
                .into_iter()
                .next()
                .map_or_else(Vec::new, |call| call.times);
            return Ok((times, columns));
        }
        Self::join_rows(&calls, plan, guard)
    }

    fn join_rows(
        calls: &[Self],
        plan: &SelectPlan,
        guard: &Guard,
    ) -> Result<(Vec<i64>, Vec<Column>), Error> {
        let mut times: Vec<i64> = calls
            .iter()
            .flat_map(|call| call.times.iter().copied())
            .collect();
        times.sort_unstable();
        times.dedup();
        if !plan.ascending {
            times.reverse();
        }
        let defaults: Vec<Option<Value>> = plan
            .calls
            .iter()
            .map(|call| match plan.fill {
                Fill::Number(number) => {
                    types::call_type(call).map(|to| number_default(number, Some(to)))
                }
                _ => None,
            })
            .collect();
        let mut next = vec![0; calls.len()];
        let mut row: Vec<Option<Value>> = vec![None; calls.len()];
        let mut columns: Vec<ColumnBuilder> = plan
            .columns
            .iter()
            .map(|_| ColumnBuilder::Nulls(0))
            .collect();
        for time in &times {
            guard.work(1)?;
            for (at, call) in calls.iter().enumerate() {
                let is_here = call.times.get(next[at]) == Some(time);
                let value = if is_here { call.get(next[at]) } else { None };
                next[at] += usize::from(is_here);
                match (value, plan.fill) {
                    (Some(value), _) => row[at] = Some(value),
                    (None, Fill::Previous) => {}
                    (None, _) => row[at].clone_from(&defaults[at]),
                }
            }
            let call = |at: usize| row[at].clone();
            for (column, builder) in plan.columns.iter().zip(&mut columns) {
                builder.push(expression::evaluate(&column.expr, &call, &|_| None));
            }
        }
        let columns = columns.into_iter().map(ColumnBuilder::finish);
        Ok((times, columns.collect()))
    }
}

fn number_default(number: FillNumber, field_type: Option<FieldType>) -> Value {
    default_value(fill_value(number), field_type)
}
