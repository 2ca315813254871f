//! Arithmetic and math functions on single values (`spec/influxql/semantics_select.md` §4), for
//! the select list and for conditions, which differ in how integers divide.

use headwater_influxql::ast::BinaryOp;
use headwater_model::Value;

use crate::{
    function::math,
    plan::{MathFunction, RowExpr},
};

/// Evaluates an expression of the select list; `call` and `aux` give its inputs. NaN becomes
/// null where it is printed, not here.
pub(super) fn evaluate(
    expr: &RowExpr,
    call: &dyn Fn(usize) -> Option<Value>,
    aux: &dyn Fn(usize) -> Option<Value>,
) -> Option<Value> {
    match expr {
        RowExpr::Call(at) => call(*at),
        RowExpr::Aux(at) => aux(*at),
        RowExpr::Literal(value) => Some(value.clone()),
        RowExpr::Null => None,
        RowExpr::Binary { op, left, right } => {
            let values = (evaluate(left, call, aux), evaluate(right, call, aux));
            let (l, r) = match values {
                // Beside a boolean, null is false.
                (None, Some(boolean @ Value::Boolean(_))) => (Value::Boolean(false), boolean),
                (Some(boolean @ Value::Boolean(_)), None) => (boolean, Value::Boolean(false)),
                (l, r) => (l?, r?),
            };
            binary(*op, left, right, &l, &r)
        }
        RowExpr::Math { function, args } => {
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                values.push(evaluate(arg, call, aux)?);
            }
            math_call(*function, &values)
        }
    }
}

/// An integer literal beside an unsigned value is read as unsigned.
fn binary(
    op: BinaryOp,
    left_expr: &RowExpr,
    right_expr: &RowExpr,
    left: &Value,
    right: &Value,
) -> Option<Value> {
    match (left, right, left_expr, right_expr) {
        (Value::Unsigned(_), Value::Integer(r), _, RowExpr::Literal(_)) => {
            arithmetic(op, left, &Value::Unsigned(*r as u64), false)
        }
        (Value::Integer(l), Value::Unsigned(_), RowExpr::Literal(_), _) => {
            arithmetic(op, &Value::Unsigned(*l as u64), right, false)
        }
        _ => arithmetic(op, left, right, false),
    }
}

/// One arithmetic or bitwise operator. With `integer_division`, as conditions have it, integers
/// divide to integers.
pub(super) fn arithmetic(
    op: BinaryOp,
    left: &Value,
    right: &Value,
    integer_division: bool,
) -> Option<Value> {
    match (left, right) {
        (Value::Boolean(l), Value::Boolean(r)) => Some(Value::Boolean(match op {
            BinaryOp::BitAnd => l & r,
            BinaryOp::BitOr => l | r,
            BinaryOp::BitXor => l ^ r,
            _ => return None,
        })),
        (Value::Boolean(_), _)
            if matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) =>
        {
            Some(Value::Boolean(false))
        }
        (Value::Integer(l), Value::Integer(r)) => integers(op, *l, *r, integer_division),
        (Value::Unsigned(l), Value::Unsigned(r)) => unsigned(op, *l, *r),
        (Value::Unsigned(l), Value::Integer(r)) => unsigned(op, *l, *r as u64),
        (Value::Integer(l), Value::Unsigned(r)) => unsigned(op, *l as u64, *r),
        _ => floats(op, as_float(left)?, as_float(right)?),
    }
}

fn floats(op: BinaryOp, left: f64, right: f64) -> Option<Value> {
    Some(Value::Float(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right == 0.0 => 0.0,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        _ => return None,
    }))
}

fn integers(op: BinaryOp, left: i64, right: i64, integer_division: bool) -> Option<Value> {
    Some(Value::Integer(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div if integer_division && right == 0 => 0,
        BinaryOp::Div if integer_division => left.wrapping_div(right),
        BinaryOp::Div => return floats(op, left as f64, right as f64),
        BinaryOp::Mod if right == 0 => 0,
        BinaryOp::Mod => left.wrapping_rem(right),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return None,
    }))
}

fn unsigned(op: BinaryOp, left: u64, right: u64) -> Option<Value> {
    Some(Value::Unsigned(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div => left.checked_div(right).unwrap_or(0),
        BinaryOp::Mod => left.checked_rem(right).unwrap_or(0),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return None,
    }))
}

/// A number as a float.
pub(super) fn as_float(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Float(v) => *v,
        Value::Integer(v) => *v as f64,
        Value::Unsigned(v) => *v as f64,
        _ => return None,
    })
}

/// A math function of its arguments (functions.md §4); `None` for arguments that are no numbers,
/// or too many or few of them: a condition may have such where no check reaches.
pub(super) fn math_call(function: MathFunction, args: &[Value]) -> Option<Value> {
    let count = match function {
        MathFunction::Atan2 | MathFunction::Log | MathFunction::Pow => 2,
        _ => 1,
    };
    let first = args.first().filter(|_| args.len() == count)?;
    match (function, first) {
        (MathFunction::Abs, Value::Integer(v)) => return Some(Value::Integer(v.wrapping_abs())),
        (
            MathFunction::Floor | MathFunction::Ceil | MathFunction::Round,
            Value::Integer(_) | Value::Unsigned(_),
        )
        | (MathFunction::Abs, Value::Unsigned(_)) => return Some(first.clone()),
        _ => {}
    }
    let x = as_float(first)?;
    let y = || args.get(1).and_then(as_float);
    Some(Value::Float(match function {
        MathFunction::Abs => x.abs(),
        MathFunction::Sin => math::sin(x),
        MathFunction::Cos => math::cos(x),
        MathFunction::Tan => math::tan(x),
        MathFunction::Asin => math::asin(x),
        MathFunction::Acos => math::acos(x),
        MathFunction::Atan => math::atan(x),
        MathFunction::Atan2 => math::atan2(x, y()?),
        MathFunction::Exp => math::exp(x),
        MathFunction::Ln => math::ln(x),
        MathFunction::Log => math::log(x, y()?),
        MathFunction::Log2 => math::log2(x),
        MathFunction::Log10 => math::log10(x),
        MathFunction::Sqrt => x.sqrt(),
        MathFunction::Pow => math::pow(x, y()?),
        MathFunction::Floor => x.floor(),
        MathFunction::Ceil => x.ceil(),
        MathFunction::Round => x.round(),
    }))
}
