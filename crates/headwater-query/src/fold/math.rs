//! Math functions of literals.

use headwater_influxql::ast::Expr;

use crate::function::math;

/// Whether a call is computed row by row from the other values of the row
/// (`spec/influxql/functions.md` §4).
pub(crate) fn is_math_function(name: &str) -> bool {
    argument_count(name).is_some()
}

/// How many arguments a math function takes; `None` for other functions.
pub(crate) fn argument_count(name: &str) -> Option<usize> {
    Some(match name {
        "abs" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "exp" | "ln" | "log2"
        | "log10" | "sqrt" | "floor" | "ceil" | "round" => 1,
        "atan2" | "pow" | "log" => 2,
        _ => return None,
    })
}

/// The value of a math function of literals; `None` where it is to be left as it is.
pub(super) fn fold_math(name: &str, args: &[Expr]) -> Option<Expr> {
    if let ("floor" | "ceil" | "round", [whole @ (Expr::Integer(_) | Expr::Unsigned(_))]) =
        (name, args)
    {
        return Some(whole.clone());
    }
    if let ("abs", [Expr::Integer(value)]) = (name, args) {
        return Some(Expr::Integer(value.wrapping_abs()));
    }
    if let ("abs", [value @ Expr::Unsigned(_)]) = (name, args) {
        return Some(value.clone());
    }
    let numbers: Vec<f64> = args.iter().map(super::as_number).collect::<Option<_>>()?;
    let value = match (name, numbers.as_slice()) {
        ("abs", [x]) => x.abs(),
        ("sin", [x]) => math::sin(*x),
        ("cos", [x]) => math::cos(*x),
        ("tan", [x]) => math::tan(*x),
        ("asin", [x]) => math::asin(*x),
        ("acos", [x]) => math::acos(*x),
        ("atan", [x]) => math::atan(*x),
        ("exp", [x]) => math::exp(*x),
        ("ln", [x]) => math::ln(*x),
        ("log2", [x]) => math::log2(*x),
        ("log10", [x]) => math::log10(*x),
        ("sqrt", [x]) => x.sqrt(),
        ("floor", [x]) => x.floor(),
        ("ceil", [x]) => x.ceil(),
        ("round", [x]) => x.round(),
        ("atan2", [y, x]) => math::atan2(*y, *x),
        ("pow", [x, y]) => math::pow(*x, *y),
        ("log", [x, base]) => math::log(*x, *base),
        _ => return None,
    };
    Some(Expr::Number(value))
}
