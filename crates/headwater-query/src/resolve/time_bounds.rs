//! WHERE split into a time range and the rest (`spec/influxql/semantics_select.md` §3.1, §3.2).

use chrono_tz::Tz;
use headwater_influxql::ast::{BinaryExpr, BinaryOp, Expr};
use headwater_model::{MAX_TIME, MIN_TIME, TimeRange};

use super::calls::{go_type, invalid_argument_count};
use crate::{
    Error,
    fold::{Constants, flip, fold, fold_inner, is_math_function},
    time_string::{ParsedTime, format_rfc3339, looks_like_time, parse_time},
};

#[cfg(test)]
mod tests;

/// The time bounds of a condition, inclusive. Wider than `i64` since `>` adds a nanosecond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TimeBounds {
    pub min: Option<i128>,
    pub max: Option<i128>,
}

impl TimeBounds {
    fn intersect(self, other: Self) -> Self {
        let pick = |a: Option<i128>, b: Option<i128>, choose: fn(i128, i128) -> i128| match (a, b) {
            (Some(a), Some(b)) => Some(choose(a, b)),
            (a, b) => a.or(b),
        };
        Self {
            min: pick(self.min, other.min, i128::max),
            max: pick(self.max, other.max, i128::min),
        }
    }

    /// The bounds as a range, open ones at the ends of time. A bound past the ends of `i64`
    /// wraps around, as the reference's does.
    pub(crate) fn range(self) -> TimeRange {
        TimeRange::new(
            self.min.map_or(MIN_TIME, |time| time as i64),
            self.max.map_or(MAX_TIME, |time| time as i64),
        )
    }
}

/// Splits a condition. What is left is `None` when every row passes.
pub(crate) fn split_condition(
    condition: Option<&Expr>,
    now: i64,
    timezone: Tz,
) -> Result<(Option<Expr>, TimeBounds), Error> {
    let Some(condition) = condition else {
        return Ok((None, TimeBounds::default()));
    };
    let constants = Constants::Now { now, timezone };
    let (rest, bounds) = split(condition, &constants, timezone)?;
    let rest = match rest {
        Some(Expr::Paren(inner)) => Some(*inner),
        rest => rest,
    };
    Ok((rest.filter(|rest| *rest != Expr::Boolean(true)), bounds))
}

/// Whether a condition names the time in a comparison.
pub(crate) fn mentions_time(condition: Option<&Expr>) -> bool {
    match condition {
        Some(Expr::Paren(inner)) => mentions_time(Some(inner)),
        Some(Expr::Binary(b)) if matches!(b.op, BinaryOp::And | BinaryOp::Or) => {
            mentions_time(Some(&b.left)) || mentions_time(Some(&b.right))
        }
        Some(Expr::Binary(b)) => is_time(&b.left) || is_time(&b.right),
        _ => false,
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::VarRef(var) if var.name.eq_ignore_ascii_case("time"))
}

fn split(
    condition: &Expr,
    constants: &Constants,
    timezone: Tz,
) -> Result<(Option<Expr>, TimeBounds), Error> {
    match condition {
        Expr::Binary(b) if matches!(b.op, BinaryOp::And | BinaryOp::Or) => {
            let (left, left_bounds) = split(&b.left, constants, timezone)?;
            let (right, right_bounds) = split(&b.right, constants, timezone)?;
            // Bounds intersect even under OR, and the time part of an OR vanishes.
            let rest = match (left, right) {
                (Some(left), Some(right)) => Some(fold_inner(
                    &Expr::Binary(Box::new(BinaryExpr {
                        op: b.op,
                        left,
                        right,
                    })),
                    None,
                )),
                (left, right) => left.or(right),
            };
            Ok((rest, left_bounds.intersect(right_bounds)))
        }
        Expr::Binary(b) if is_time(&b.left) => {
            Ok((None, time_bounds(b.op, &b.right, constants, timezone)?))
        }
        Expr::Binary(b) if is_time(&b.right) => {
            Ok((None, time_bounds(flip(b.op), &b.left, constants, timezone)?))
        }
        Expr::Binary(_) => Ok((
            Some(fold_inner(condition, Some(constants))),
            TimeBounds::default(),
        )),
        Expr::Paren(inner) => {
            let (rest, bounds) = split(inner, constants, timezone)?;
            let rest = rest.map(|rest| fold_inner(&Expr::Paren(Box::new(rest)), None));
            Ok((rest, bounds))
        }
        Expr::Boolean(_) => Ok((Some(condition.clone()), TimeBounds::default())),
        other => Err(Error::statement(format!(
            "invalid condition expression: {other}"
        ))),
    }
}

fn time_bounds(
    op: BinaryOp,
    value: &Expr,
    constants: &Constants,
    timezone: Tz,
) -> Result<TimeBounds, Error> {
    let time = time_value(value, constants, timezone)?;
    Ok(match op {
        BinaryOp::Gt => TimeBounds {
            min: Some(time + 1),
            max: None,
        },
        BinaryOp::GtEq => TimeBounds {
            min: Some(time),
            max: None,
        },
        BinaryOp::Lt => TimeBounds {
            min: None,
            max: Some(time - 1),
        },
        BinaryOp::LtEq => TimeBounds {
            min: None,
            max: Some(time),
        },
        BinaryOp::Eq => TimeBounds {
            min: Some(time),
            max: Some(time),
        },
        _ => {
            let text = format!("invalid time comparison operator: {}", op.as_str());
            return Err(Error::statement(text));
        }
    })
}

fn time_value(value: &Expr, constants: &Constants, timezone: Tz) -> Result<i128, Error> {
    if let Expr::String(text) = value
        && looks_like_time(text)
    {
        let time = parse_time(text, timezone)
            .ok_or_else(|| Error::statement("invalid timestamp string"))?;
        return in_range(time);
    }
    match fold(value, Some(constants)) {
        Expr::Time(time) => in_range(ParsedTime {
            nanoseconds: i128::from(time),
            offset: 0,
        }),
        Expr::Duration(time) | Expr::Integer(time) => Ok(i128::from(time)),
        Expr::Number(time) => Ok(i128::from(truncate(time))),
        other => Err(Error::statement(format!(
            "invalid operation: time and {} are not compatible",
            go_type(&other)
        ))),
    }
}

fn in_range(time: ParsedTime) -> Result<i128, Error> {
    let side = if time.nanoseconds > i128::from(MAX_TIME) {
        "overflows"
    } else if time.nanoseconds <= i128::from(MIN_TIME) {
        "underflows"
    } else {
        return Ok(time.nanoseconds);
    };
    Err(Error::statement(format!(
        "time {} {side} time literal",
        format_rfc3339(time)
    )))
}

/// As the reference's processors convert: what does not fit becomes the smallest integer.
fn truncate(value: f64) -> i64 {
    if value >= i64::MIN as f64 && value < i64::MAX as f64 {
        value as i64
    } else {
        i64::MIN
    }
}

/// Checks the calls of a condition without its time part.
pub(super) fn check_condition(condition: &Expr) -> Result<(), Error> {
    match condition {
        Expr::Binary(b) => {
            check_condition(&b.left)?;
            check_condition(&b.right)
        }
        Expr::Call(call) if !is_math_function(&call.name) => Err(Error::statement(format!(
            "invalid function call in condition: {condition}"
        ))),
        Expr::Call(call) => {
            // `log` counts as a function of one argument here.
            let expected = if matches!(call.name.as_str(), "atan2" | "pow") {
                2
            } else {
                1
            };
            if call.args.len() != expected {
                return Err(invalid_argument_count(
                    &call.name,
                    &expected.to_string(),
                    call.args.len(),
                ));
            }
            call.args.iter().try_for_each(check_condition)
        }
        _ => Ok(()),
    }
}
