//! Math functions of literals.

use headwater_influxql::ast::Expr;

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
        ("sin", [x]) => x.sin(),
        ("cos", [x]) => x.cos(),
        ("tan", [x]) => x.tan(),
        ("asin", [x]) => x.asin(),
        ("acos", [x]) => x.acos(),
        ("atan", [x]) => x.atan(),
        ("exp", [x]) => x.exp(),
        ("ln", [x]) => x.ln(),
        ("log2", [x]) => x.log2(),
        ("log10", [x]) => x.log10(),
        ("sqrt", [x]) => x.sqrt(),
        ("floor", [x]) => x.floor(),
        ("ceil", [x]) => x.ceil(),
        ("round", [x]) => x.round(),
        ("atan2", [y, x]) => y.atan2(*x),
        ("pow", [x, y]) => x.powf(*y),
        ("log", [x, base]) => x.ln() / base.ln(),
        _ => return None,
    };
    Some(Expr::Number(value))
}
