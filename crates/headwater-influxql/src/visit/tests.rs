//! Tests of the walks.

use super::{calls, has_calls, var_refs, walk_measurements_mut, walk_mut};
use crate::ast::{Expr, Statement};
use crate::{parse_expr, parse_statement};

#[test]
fn names_and_calls_are_found_in_written_order() {
    let expr = parse_expr("f(a, g(b)) + (c - h(-d)) AND e =~ /x/").unwrap();
    let names: Vec<_> = var_refs(&expr)
        .iter()
        .map(|var_ref| var_ref.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let functions: Vec<_> = calls(&expr).iter().map(|call| call.name.as_str()).collect();
    assert_eq!(functions, ["f", "g", "h"]);
}

#[test]
fn changes_reach_every_level() {
    let mut expr = parse_expr("f(a) + (a * 2)").unwrap();
    walk_mut(&mut expr, &mut |node| {
        if matches!(node, Expr::VarRef(_)) {
            *node = Expr::Integer(7);
        }
    });
    assert_eq!(expr.to_string(), "f(7) + (7 * 2)");
}

#[test]
fn measurements_of_subqueries_and_targets_are_visited() {
    let text = "SELECT a INTO t FROM m, (SELECT max(a) FROM n)";
    let Statement::Select(mut select) = parse_statement(text).unwrap() else {
        panic!("not a Statement::Select")
    };
    assert!(!has_calls(&select));
    walk_measurements_mut(&mut select, &mut |measurement| {
        measurement.database = "d".to_owned()
    });
    assert_eq!(
        select.to_string(),
        "SELECT a INTO d..t FROM d..m, (SELECT max(a) FROM d..n)"
    );
}
