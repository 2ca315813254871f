//! Constant folding, with the reference's arithmetic of literals
//! (`spec/influxql/semantics_select.md` §3.1, §3.2 and §4): integers divide as floats, a
//! division by zero is zero, a string next to a duration or a time is read as a time.

use chrono_tz::Tz;
use headwater_influxql::ast::{BinaryExpr, BinaryOp, Call, Expr};

use crate::time_string::{looks_like_time, parse_time};

mod math;
#[cfg(test)]
mod tests;

pub(crate) use math::{argument_count, is_math_function};

/// What the calls of an expression may be replaced by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Constants {
    /// `now()` is this time, and zone-less time strings are read in this zone: conditions.
    Now { now: i64, timezone: Tz },
    /// Math functions of literals are computed: the select list.
    Math,
}

impl Constants {
    fn timezone(this: Option<&Self>) -> Tz {
        match this {
            Some(Self::Now { timezone, .. }) => *timezone,
            _ => Tz::UTC,
        }
    }
}

/// Folds an expression. Parentheses around the whole are dropped, inner ones are kept around
/// operators.
pub(crate) fn fold(expr: &Expr, constants: Option<&Constants>) -> Expr {
    match fold_inner(expr, constants) {
        Expr::Paren(inner) => *inner,
        folded => folded,
    }
}

/// As `fold`, parentheses around the whole kept.
pub(crate) fn fold_inner(expr: &Expr, constants: Option<&Constants>) -> Expr {
    match expr {
        Expr::Binary(binary) => fold_binary(
            binary.op,
            fold_inner(&binary.left, constants),
            fold_inner(&binary.right, constants),
            Constants::timezone(constants),
        ),
        Expr::Call(call) => fold_call(call, constants),
        Expr::Paren(inner) => match fold_inner(inner, constants) {
            folded @ Expr::Binary(_) => Expr::Paren(Box::new(folded)),
            folded => folded,
        },
        other => other.clone(),
    }
}

/// Whether an expression is a literal, regular expressions included.
pub(crate) fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Regex(_)
            | Expr::String(_)
            | Expr::Number(_)
            | Expr::Integer(_)
            | Expr::Unsigned(_)
            | Expr::Boolean(_)
            | Expr::Duration(_)
            | Expr::Time(_)
            | Expr::Nil
            | Expr::List(_)
    )
}

fn fold_call(call: &Call, constants: Option<&Constants>) -> Expr {
    let args: Vec<Expr> = call
        .args
        .iter()
        .map(|arg| fold_inner(arg, constants))
        .collect();
    let value = match constants {
        Some(Constants::Now { now, .. }) if call.name == "now" && args.is_empty() => {
            Some(Expr::Time(*now))
        }
        Some(Constants::Math) => math::fold_math(&call.name, &args),
        _ => None,
    };
    value.unwrap_or_else(|| {
        Expr::Call(Call {
            name: call.name.clone(),
            args,
        })
    })
}

fn fold_binary(op: BinaryOp, left: Expr, right: Expr, timezone: Tz) -> Expr {
    match (op, &left, &right) {
        (BinaryOp::And, Expr::Boolean(false), _) | (BinaryOp::And, _, Expr::Boolean(false)) => {
            return Expr::Boolean(false);
        }
        (BinaryOp::And, Expr::Boolean(true), _) => return right,
        (BinaryOp::And, _, Expr::Boolean(true)) => return left,
        (BinaryOp::Or, Expr::Boolean(true), _) | (BinaryOp::Or, _, Expr::Boolean(true)) => {
            return Expr::Boolean(true);
        }
        (BinaryOp::Or, Expr::Boolean(false), _) => return right,
        (BinaryOp::Or, _, Expr::Boolean(false)) => return left,
        _ => {}
    }
    literals(op, &left, &right, timezone)
        .unwrap_or_else(|| Expr::Binary(Box::new(BinaryExpr { op, left, right })))
}

/// The value of an operator on two literals, if it has one.
fn literals(op: BinaryOp, left: &Expr, right: &Expr, timezone: Tz) -> Option<Expr> {
    match (left, right) {
        (Expr::Nil, _) => is_equality(op).then_some(Expr::Boolean(false)),
        (_, Expr::Nil) if is_literal(left) => Some(Expr::Boolean(false)),
        (Expr::Boolean(l), Expr::Boolean(r)) => booleans(op, *l, *r),
        (Expr::Integer(l), Expr::Integer(r)) => integers(op, *l, *r),
        (Expr::Integer(l), Expr::Unsigned(r)) => mixed_sign(op, *l, *r),
        (Expr::Unsigned(l), Expr::Integer(r)) => mixed_sign(flip(op), *r, *l)
            .filter(|_| *r < 0 && is_ordering(op))
            .or_else(|| unsigned(op, *l, r.cast_unsigned())),
        (Expr::Unsigned(l), Expr::Unsigned(r)) => unsigned(op, *l, *r),
        (Expr::Number(l), r) => numbers(op, *l, as_number(r)?),
        (l @ (Expr::Integer(_) | Expr::Unsigned(_)), Expr::Number(r)) => {
            numbers(op, as_number(l)?, *r)
        }
        (Expr::Duration(l), r) => durations(op, *l, r, timezone),
        (Expr::Integer(l), Expr::Duration(r)) => times(op, *l, &Expr::Duration(*r), timezone),
        (Expr::Integer(l), r @ (Expr::Time(_) | Expr::String(_))) => durations(op, *l, r, timezone),
        (Expr::Time(l), r) => times(op, *l, r, timezone),
        (Expr::String(l), r) => strings(op, l, r, timezone),
        _ => None,
    }
}

fn is_equality(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Eq | BinaryOp::NotEq)
}

fn is_ordering(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Lt | BinaryOp::LtEq | BinaryOp::Gt | BinaryOp::GtEq
    )
}

/// The operator that says the same with the sides exchanged.
pub(crate) fn flip(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::LtEq => BinaryOp::GtEq,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::GtEq => BinaryOp::LtEq,
        other => other,
    }
}

fn as_number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Number(v) => Some(*v),
        Expr::Integer(v) => Some(*v as f64),
        Expr::Unsigned(v) => Some(*v as f64),
        _ => None,
    }
}

/// The comparison operators on anything ordered.
fn compare<T: PartialOrd>(op: BinaryOp, left: T, right: T) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Eq => left == right,
        BinaryOp::NotEq => left != right,
        BinaryOp::Lt => left < right,
        BinaryOp::LtEq => left <= right,
        BinaryOp::Gt => left > right,
        BinaryOp::GtEq => left >= right,
        _ => return None,
    }))
}

fn booleans(op: BinaryOp, left: bool, right: bool) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Eq => left == right,
        BinaryOp::NotEq => left != right,
        BinaryOp::And | BinaryOp::BitAnd => left && right,
        BinaryOp::Or | BinaryOp::BitOr => left || right,
        BinaryOp::BitXor => left != right,
        _ => return None,
    }))
}

fn integers(op: BinaryOp, left: i64, right: i64) -> Option<Expr> {
    Some(Expr::Integer(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div if right == 0 => return Some(Expr::Number(0.0)),
        BinaryOp::Div => return Some(Expr::Number(left as f64 / right as f64)),
        BinaryOp::Mod if right == 0 => 0,
        BinaryOp::Mod => left.wrapping_rem(right),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return compare(op, left, right),
    }))
}

fn unsigned(op: BinaryOp, left: u64, right: u64) -> Option<Expr> {
    Some(Expr::Unsigned(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div => left.checked_div(right).unwrap_or(0),
        BinaryOp::Mod => left.checked_rem(right).unwrap_or(0),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return compare(op, left, right),
    }))
}

/// An integer left of an unsigned literal: below it if negative, else taken as unsigned.
fn mixed_sign(op: BinaryOp, left: i64, right: u64) -> Option<Expr> {
    if left < 0 && is_ordering(op) {
        return Some(Expr::Boolean(matches!(op, BinaryOp::Lt | BinaryOp::LtEq)));
    }
    unsigned(op, left.cast_unsigned(), right)
}

fn numbers(op: BinaryOp, left: f64, right: f64) -> Option<Expr> {
    Some(Expr::Number(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right == 0.0 => 0.0,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        _ => return compare(op, left, right),
    }))
}

/// A duration, or an integer taken as one, left of `right`.
fn durations(op: BinaryOp, left: i64, right: &Expr, timezone: Tz) -> Option<Expr> {
    Some(match (op, right) {
        (BinaryOp::Add, Expr::Duration(r)) => Expr::Duration(left.wrapping_add(*r)),
        (BinaryOp::Sub, Expr::Duration(r)) => Expr::Duration(left.wrapping_sub(*r)),
        (_, Expr::Duration(r)) => return compare(op, left, *r),
        (BinaryOp::Mul, Expr::Number(r)) => Expr::Duration((left as f64 * r) as i64),
        (BinaryOp::Div, Expr::Number(r)) if *r == 0.0 => Expr::Duration(0),
        (BinaryOp::Div, Expr::Number(r)) => Expr::Duration((left as f64 / r) as i64),
        (BinaryOp::Mul, Expr::Integer(r)) => Expr::Duration(left.wrapping_mul(*r)),
        (BinaryOp::Div, Expr::Integer(0)) => Expr::Duration(0),
        (BinaryOp::Div, Expr::Integer(r)) => Expr::Duration(left.wrapping_div(*r)),
        (BinaryOp::Add, Expr::Time(r)) => Expr::Time(r.saturating_add(left)),
        (_, Expr::String(text)) => {
            let time = time_of(text, timezone)?;
            return durations(op, left, &Expr::Time(time), timezone);
        }
        _ => return None,
    })
}

fn times(op: BinaryOp, left: i64, right: &Expr, timezone: Tz) -> Option<Expr> {
    Some(match (op, right) {
        (BinaryOp::Add, Expr::Duration(r) | Expr::Integer(r)) => {
            Expr::Time(left.saturating_add(*r))
        }
        (BinaryOp::Sub, Expr::Duration(r) | Expr::Integer(r)) => {
            Expr::Time(left.saturating_sub(*r))
        }
        (BinaryOp::Sub, Expr::Time(r)) => Expr::Duration(left.saturating_sub(*r)),
        (_, Expr::Time(r)) => return compare(op, left, *r),
        (_, Expr::String(text)) => {
            let time = time_of(text, timezone)?;
            return times(op, left, &Expr::Time(time), timezone);
        }
        _ => return None,
    })
}

fn strings(op: BinaryOp, left: &str, right: &Expr, timezone: Tz) -> Option<Expr> {
    match right {
        Expr::String(right) if is_equality(op) => {
            // Two spellings of one time are equal.
            let equal = match (time_of(left, timezone), time_of(right, timezone)) {
                (Some(l), Some(r)) => l == r,
                _ => left == right,
            };
            Some(Expr::Boolean(equal == (op == BinaryOp::Eq)))
        }
        Expr::String(right) if op == BinaryOp::Add => Some(Expr::String(format!("{left}{right}"))),
        Expr::String(_) | Expr::Duration(_) | Expr::Time(_) | Expr::Integer(_) => {
            times(op, time_of(left, timezone)?, right, timezone)
        }
        _ => None,
    }
}

/// The time of a time string, held to what an `i64` of nanoseconds can say.
fn time_of(text: &str, timezone: Tz) -> Option<i64> {
    if !looks_like_time(text) {
        return None;
    }
    let time = parse_time(text, timezone)?.nanoseconds;
    Some(time.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
}
