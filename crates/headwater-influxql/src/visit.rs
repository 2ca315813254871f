//! Walks over syntax trees, for the crates that give them a meaning.

use crate::ast::{Call, Expr, Measurement, SelectStatement, Source, VarRef};

/// Calls `visit` for `expr` and everything below it, parents first, left before right.
pub fn walk<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    walk_if(expr, &mut |node| {
        visit(node);
        true
    });
}

/// As [`walk`], but does not go below a node for which `visit` returns false.
pub fn walk_if<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr) -> bool) {
    if !visit(expr) {
        return;
    }
    match expr {
        Expr::Binary(binary) => {
            walk_if(&binary.left, visit);
            walk_if(&binary.right, visit);
        }
        Expr::Paren(inner) => walk_if(inner, visit),
        Expr::Call(call) => call.args.iter().for_each(|arg| walk_if(arg, visit)),
        _ => {}
    }
}

/// Calls `visit` for everything below `expr` and then for `expr` itself, left before right.
pub fn walk_mut(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    match expr {
        Expr::Binary(binary) => {
            walk_mut(&mut binary.left, visit);
            walk_mut(&mut binary.right, visit);
        }
        Expr::Paren(inner) => walk_mut(inner, visit),
        Expr::Call(call) => call.args.iter_mut().for_each(|arg| walk_mut(arg, visit)),
        _ => {}
    }
    visit(expr);
}

/// The names that an expression refers to, in the order in which they are written. `DISTINCT
/// name` is not among them: it holds no [`VarRef`].
pub fn var_refs(expr: &Expr) -> Vec<&VarRef> {
    let mut found = Vec::new();
    walk(expr, &mut |node| {
        if let Expr::VarRef(var_ref) = node {
            found.push(var_ref);
        }
    });
    found
}

/// The calls in an expression, outer ones first.
pub fn calls(expr: &Expr) -> Vec<&Call> {
    let mut found = Vec::new();
    walk(expr, &mut |node| {
        if let Expr::Call(call) = node {
            found.push(call);
        }
    });
    found
}

/// Whether any field of a SELECT, subqueries apart, contains a call.
pub fn has_calls(select: &SelectStatement) -> bool {
    select
        .fields
        .iter()
        .any(|field| !calls(&field.expr).is_empty())
}

/// Calls `visit` for the target and every measurement that a SELECT reads, those of subqueries
/// included, in the order in which they are written.
pub fn walk_measurements<'a>(select: &'a SelectStatement, visit: &mut dyn FnMut(&'a Measurement)) {
    select.into.iter().for_each(&mut *visit);
    for source in &select.sources {
        match source {
            Source::Measurement(measurement) => visit(measurement),
            Source::Subquery(inner) => walk_measurements(inner, visit),
        }
    }
}

/// As [`walk_measurements`], to change them.
pub fn walk_measurements_mut(
    select: &mut SelectStatement,
    visit: &mut dyn FnMut(&mut Measurement),
) {
    select.into.iter_mut().for_each(&mut *visit);
    for source in &mut select.sources {
        match source {
            Source::Measurement(measurement) => visit(measurement),
            Source::Subquery(inner) => walk_measurements_mut(inner, visit),
        }
    }
}

#[cfg(test)]
mod tests;
