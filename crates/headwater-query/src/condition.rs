//! WHERE against tags (`spec/influxql/semantics_select.md` §3.3): which series the index may
//! leave out, and what remains of the condition for the rows of one series. Time bounds are
//! gone and constants are folded when a condition comes here; the values of fields are
//! `execute`'s business.
//!
//! A name is a field if its `::type` says so, or, without one, if `is_field` says so. Every
//! other name is a tag, one that no series has included.

use headwater_influxql::{
    ast::{BinaryExpr, BinaryOp, DataType, Expr, VarRef},
    visit,
};
use headwater_model::SeriesKey;
use headwater_storage::{Pattern, TagPredicate};

use crate::fold;

#[cfg(test)]
mod tests;

/// The pseudo tag whose value is the measurement's name.
const MEASUREMENT_NAME: &str = "_name";

/// What is left of a condition for the rows of one series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Residual {
    /// No row of the series matches.
    Never,
    /// Every row of the series matches.
    Always,
    /// The rows for which the expression is true. Tags are replaced by their values; a
    /// variable that the reference would not load (§3.4, nested in a call's argument and
    /// nowhere else) by `Nil`.
    Rows(Expr),
}

/// A predicate that holds for every series of `measurement` that has a matching row; `None`
/// when no series can be left out. Where the condition is about tags alone it is exact.
pub(crate) fn tag_prefilter(
    condition: &Expr,
    measurement: &str,
    is_field: &dyn Fn(&str) -> bool,
) -> Option<TagPredicate> {
    match prefilter(condition, measurement, is_field) {
        TagPredicate::Constant(true) => None,
        predicate => Some(predicate),
    }
}

/// The condition with the tags of `series` put in.
pub(crate) fn residual_for_series(
    condition: &Expr,
    series: &SeriesKey,
    is_field: &dyn Fn(&str) -> bool,
) -> Residual {
    let comparison = |it: &BinaryExpr| comparison_residual(it, series, is_field);
    match residual(condition, &comparison) {
        Residual::Rows(expr) => {
            let mut loaded = Vec::new();
            loaded_names(&expr, &mut loaded);
            Residual::Rows(forget_unloaded(&expr, &loaded))
        }
        decided => decided,
    }
}

/// Whether the tags of every series decide a condition.
pub(crate) fn is_about_tags(
    condition: &Expr,
    measurement: &str,
    is_field: &dyn Fn(&str) -> bool,
) -> bool {
    match condition {
        Expr::Paren(inner) => is_about_tags(inner, measurement, is_field),
        Expr::Binary(b) if matches!(b.op, BinaryOp::And | BinaryOp::Or) => {
            is_about_tags(&b.left, measurement, is_field)
                && is_about_tags(&b.right, measurement, is_field)
        }
        Expr::Binary(comparison) => tag_comparison(comparison, measurement, is_field).is_some(),
        _ => true,
    }
}

/// Whether the tags of a series do not decide a condition, so that its rows would have to be looked
/// at; comparisons that no row can fulfil count, too.
pub(crate) fn needs_rows(
    condition: &Expr,
    series: &SeriesKey,
    is_field: &dyn Fn(&str) -> bool,
) -> bool {
    let left = residual(condition, &|comparison| {
        decided_by_tags(comparison, series, is_field)
            .unwrap_or_else(|| Residual::Rows(Expr::Binary(Box::new(comparison.clone()))))
    });
    matches!(left, Residual::Rows(_))
}

/// Whether a name of a condition is a field.
fn names_field(var: &VarRef, is_field: &dyn Fn(&str) -> bool) -> bool {
    if var.name == MEASUREMENT_NAME {
        return false;
    }
    match var.data_type {
        None => is_field(&var.name),
        Some(DataType::Tag) => false,
        Some(_) => true,
    }
}

fn prefilter(condition: &Expr, measurement: &str, is_field: &dyn Fn(&str) -> bool) -> TagPredicate {
    match condition {
        Expr::Paren(inner) => prefilter(inner, measurement, is_field),
        Expr::Boolean(value) => TagPredicate::Constant(*value),
        Expr::Binary(binary) => match binary.op {
            BinaryOp::And => conjunction(
                prefilter(&binary.left, measurement, is_field),
                prefilter(&binary.right, measurement, is_field),
            ),
            BinaryOp::Or => disjunction(
                prefilter(&binary.left, measurement, is_field),
                prefilter(&binary.right, measurement, is_field),
            ),
            _ => tag_comparison(binary, measurement, is_field)
                .unwrap_or(TagPredicate::Constant(true)),
        },
        // Nothing else is a condition: it selects no series.
        _ => TagPredicate::Constant(false),
    }
}

fn conjunction(left: TagPredicate, right: TagPredicate) -> TagPredicate {
    match (left, right) {
        (TagPredicate::Constant(true), other) | (other, TagPredicate::Constant(true)) => other,
        (TagPredicate::Constant(false), _) | (_, TagPredicate::Constant(false)) => {
            TagPredicate::Constant(false)
        }
        (TagPredicate::And(mut parts), other) => {
            parts.push(other);
            TagPredicate::And(parts)
        }
        (left, right) => TagPredicate::And(vec![left, right]),
    }
}

fn disjunction(left: TagPredicate, right: TagPredicate) -> TagPredicate {
    match (left, right) {
        (TagPredicate::Constant(false), other) | (other, TagPredicate::Constant(false)) => other,
        (TagPredicate::Constant(true), _) | (_, TagPredicate::Constant(true)) => {
            TagPredicate::Constant(true)
        }
        (TagPredicate::Or(mut parts), other) => {
            parts.push(other);
            TagPredicate::Or(parts)
        }
        (left, right) => TagPredicate::Or(vec![left, right]),
    }
}

fn negation(predicate: TagPredicate) -> TagPredicate {
    TagPredicate::Not(Box::new(predicate))
}

/// The series that a comparison selects by their tags alone; `None` if it is to be evaluated on
/// rows: it has a field, arithmetic, or two sides that are no name.
fn tag_comparison(
    binary: &BinaryExpr,
    measurement: &str,
    is_field: &dyn Fn(&str) -> bool,
) -> Option<TagPredicate> {
    if matches!(binary.left, Expr::Binary(_)) || matches!(binary.right, Expr::Binary(_)) {
        return None;
    }
    let (var, value) = match (&binary.left, &binary.right) {
        (Expr::VarRef(var), value) | (value, Expr::VarRef(var)) => (var, value),
        _ => return None,
    };
    if names_field(var, is_field) {
        return None;
    }
    let key = || var.name.clone();
    match value {
        Expr::VarRef(other) if names_field(other, is_field) => None,
        Expr::VarRef(other) => {
            let has_other = TagPredicate::Has {
                key: other.name.clone(),
            };
            let second = if binary.op == BinaryOp::Eq {
                has_other
            } else {
                negation(has_other)
            };
            Some(TagPredicate::And(vec![
                TagPredicate::Has { key: key() },
                second,
            ]))
        }
        Expr::String(text) if var.name == MEASUREMENT_NAME => {
            Some(TagPredicate::Constant(match binary.op {
                BinaryOp::Eq => text == measurement,
                BinaryOp::NotEq => text != measurement,
                _ => false,
            }))
        }
        Expr::String(text) => {
            // Every operator but `=` acts as `!=`, the ordering ones included.
            let equals = TagPredicate::Equals {
                key: key(),
                value: text.clone(),
            };
            Some(if binary.op == BinaryOp::Eq {
                equals
            } else {
                negation(equals)
            })
        }
        Expr::Regex(regex) if var.name == MEASUREMENT_NAME => Some(TagPredicate::Constant(
            regex.is_match(measurement) == (binary.op == BinaryOp::EqRegex),
        )),
        Expr::Regex(regex) => {
            let pattern = Pattern::new(regex.compiled.as_str()).ok()?;
            let matches = TagPredicate::Matches {
                key: key(),
                pattern,
            };
            Some(if binary.op == BinaryOp::EqRegex {
                matches
            } else {
                negation(matches)
            })
        }
        _ => None,
    }
}

fn residual(condition: &Expr, comparison: &dyn Fn(&BinaryExpr) -> Residual) -> Residual {
    match condition {
        Expr::Paren(inner) => match residual(inner, comparison) {
            Residual::Rows(expr @ Expr::Binary(_)) => Residual::Rows(Expr::Paren(Box::new(expr))),
            other => other,
        },
        Expr::Boolean(true) => Residual::Always,
        Expr::Binary(binary) => {
            let side = |side: &Expr| residual(side, comparison);
            match binary.op {
                BinaryOp::And => and(side(&binary.left), side(&binary.right)),
                BinaryOp::Or => or(side(&binary.left), side(&binary.right)),
                _ => comparison(binary),
            }
        }
        _ => Residual::Never,
    }
}

fn and(left: Residual, right: Residual) -> Residual {
    match (left, right) {
        (Residual::Never, _) | (_, Residual::Never) => Residual::Never,
        (Residual::Always, other) | (other, Residual::Always) => other,
        (Residual::Rows(left), Residual::Rows(right)) => {
            Residual::Rows(binary(BinaryOp::And, left, right))
        }
    }
}

fn or(left: Residual, right: Residual) -> Residual {
    match (left, right) {
        (Residual::Always, _) | (_, Residual::Always) => Residual::Always,
        (Residual::Never, other) | (other, Residual::Never) => other,
        (Residual::Rows(left), Residual::Rows(right)) => {
            Residual::Rows(binary(BinaryOp::Or, left, right))
        }
    }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary(Box::new(BinaryExpr { op, left, right }))
}

fn decided(is_true: bool) -> Residual {
    if is_true {
        Residual::Always
    } else {
        Residual::Never
    }
}

fn decided_by_tags(
    comparison: &BinaryExpr,
    series: &SeriesKey,
    is_field: &dyn Fn(&str) -> bool,
) -> Option<Residual> {
    let predicate = tag_comparison(comparison, series.measurement(), is_field)?;
    let tag = |key: &str| series.tag(key).map_or("", |value| value);
    Some(decided(predicate.matches(&tag)))
}

fn comparison_residual(
    comparison: &BinaryExpr,
    series: &SeriesKey,
    is_field: &dyn Fn(&str) -> bool,
) -> Residual {
    if let Some(decided) = decided_by_tags(comparison, series, is_field) {
        return decided;
    }
    if let (Expr::String(text), Expr::Regex(regex)) = (&comparison.left, &comparison.right) {
        return decided(regex.is_match(text) == (comparison.op == BinaryOp::EqRegex));
    }
    // A tag that the series lacks is a null of type string here, which compares with nothing.
    let is_missing = |side: &Expr| {
        matches!(side, Expr::VarRef(var)
            if !names_field(var, is_field) && series.tag(&var.name).is_none())
    };
    if is_missing(&comparison.left) || is_missing(&comparison.right) {
        return Residual::Never;
    }
    let expr = put_in_tags(
        &Expr::Binary(Box::new(comparison.clone())),
        series,
        is_field,
    );
    if has_name(&expr) {
        return Residual::Rows(expr);
    }
    if adds_strings(&expr) {
        // Folding joins strings, rows do not.
        return Residual::Never;
    }
    match fold::fold(&expr, None) {
        Expr::Boolean(true) => Residual::Always,
        // A math function of constants is left, or a null; rows evaluate it.
        folded if has_call(&folded) || has_null(&folded) => Residual::Rows(folded),
        _ => Residual::Never,
    }
}

fn adds_strings(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(inner) => adds_strings(inner),
        Expr::Binary(b) => {
            let is_string = |side: &Expr| matches!(side, Expr::String(_));
            (b.op == BinaryOp::Add && is_string(&b.left) && is_string(&b.right))
                || adds_strings(&b.left)
                || adds_strings(&b.right)
        }
        _ => false,
    }
}

/// Replaces the tags by their values.
fn put_in_tags(expr: &Expr, series: &SeriesKey, is_field: &dyn Fn(&str) -> bool) -> Expr {
    map_names(expr, &|var| {
        if names_field(var, is_field) {
            Expr::VarRef(var.clone())
        } else if var.name == MEASUREMENT_NAME {
            Expr::String(series.measurement().to_string())
        } else {
            series
                .tag(&var.name)
                .map_or(Expr::Nil, |value| Expr::String(value.to_string()))
        }
    })
}

fn map_names(expr: &Expr, replace: &dyn Fn(&VarRef) -> Expr) -> Expr {
    let mut expr = expr.clone();
    visit::walk_mut(&mut expr, &mut |node| {
        if let Expr::VarRef(var) = node {
            *node = replace(var);
        }
    });
    expr
}

fn has_name(expr: &Expr) -> bool {
    !visit::var_refs(expr).is_empty()
}

fn has_call(expr: &Expr) -> bool {
    !visit::calls(expr).is_empty()
}

fn has_null(expr: &Expr) -> bool {
    match expr {
        Expr::Nil => true,
        Expr::Paren(inner) => has_null(inner),
        Expr::Binary(binary) => has_null(&binary.left) || has_null(&binary.right),
        _ => false,
    }
}

/// The variables that a condition reads: operands, and direct arguments of calls.
fn loaded_names<'a>(expr: &'a Expr, loaded: &mut Vec<&'a VarRef>) {
    match expr {
        Expr::VarRef(var) => loaded.push(var),
        Expr::Paren(inner) => loaded_names(inner, loaded),
        Expr::Binary(b) => {
            loaded_names(&b.left, loaded);
            loaded_names(&b.right, loaded);
        }
        Expr::Call(call) => {
            for arg in &call.args {
                if let Expr::VarRef(var) = arg {
                    loaded.push(var);
                }
            }
        }
        _ => {}
    }
}

fn forget_unloaded(expr: &Expr, loaded: &[&VarRef]) -> Expr {
    map_names(expr, &|var| {
        if loaded.contains(&var) {
            Expr::VarRef(var.clone())
        } else {
            Expr::Nil
        }
    })
}
