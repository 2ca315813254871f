//! SHOW MEASUREMENTS.

use std::{collections::BTreeSet, sync::Arc};

use headwater_catalog::DbrpMapping;
use headwater_influxql::ast::{
    BinaryExpr, BinaryOp, Expr, Measurement, OnName, ShowMeasurementsStatement,
};
use headwater_storage::{Pattern, Snapshot, TagPredicate};

use super::{is_named, matching::Matching, page, reported, strings};
use crate::{
    Error,
    resolve::time_bounds::{TimeBounds, mentions_time},
    run::{Failure, Output, StatementContext},
};

pub(super) fn show(
    statement: &ShowMeasurementsStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if mentions_time(statement.condition.as_ref()) {
        let text = "SHOW MEASUREMENTS doesn't support time in WHERE clause";
        return Err(Error::statement(text).into());
    }
    let (mappings, is_qualified) = mappings(statement, context)?;
    let sources: &[Measurement] = statement.with_measurement.as_slice();
    let mut rows: Vec<Vec<Arc<str>>> = Vec::new();
    for mapping in mappings {
        let snapshot = context.snapshots.get(mapping.bucket_id);
        // What goes wrong here is told, and the next statement runs.
        let names =
            matching_names(&snapshot, statement.condition.as_ref(), context).map_err(reported)?;
        for name in names.into_iter().filter(|name| is_named(sources, name)) {
            rows.push(if is_qualified {
                let policy = mapping.retention_policy.as_str();
                vec![name, mapping.database.as_str().into(), policy.into()]
            } else {
                vec![name]
            });
        }
    }
    let rows = page(rows, statement.limit, statement.offset);
    if rows.is_empty() {
        return Ok(());
    }
    let columns: &[&str] = if is_qualified {
        &["name", "database", "retention policy"]
    } else {
        &["name"]
    };
    out.emit(strings(Some(Arc::from("measurements")), columns, rows))?;
    Ok(())
}

/// The buckets to look into, and whether rows say which each name is from.
fn mappings<'a>(
    statement: &ShowMeasurementsStatement,
    context: &'a StatementContext<'_>,
) -> Result<(Vec<&'a DbrpMapping>, bool), Failure> {
    let unsupported = |on: &str| {
        Failure::Reported(Error::statement(format!(
            "query 'SHOW MEASUREMENTS ON {on}' not supported. use 'ON *.*' or specify a database"
        )))
    };
    let (database, policy) = match (&statement.database, &statement.retention_policy) {
        (Some(OnName::Wildcard), Some(OnName::Wildcard)) => {
            let mut all: Vec<&DbrpMapping> = context
                .databases
                .mappings()
                .iter()
                .map(|mapping| &**mapping)
                .collect();
            sort(&mut all);
            return Ok((all, true));
        }
        (Some(OnName::Wildcard), None) => return Err(unsupported("*")),
        (Some(OnName::Wildcard), Some(OnName::Name(_))) => return Err(unsupported("*.rp")),
        (Some(OnName::Name(name)), policy) => (context.database(Some(name)), policy),
        (None, policy) => (context.database(None), policy),
    };
    if database.is_empty() {
        return Err(Error::statement("database name required").into());
    }
    Ok(match policy {
        Some(OnName::Wildcard) => {
            let mut all: Vec<&DbrpMapping> = context.databases.of_database(database).collect();
            sort(&mut all);
            (all, true)
        }
        Some(OnName::Name(policy)) => (
            context
                .databases
                .mapping(database, policy)
                .into_iter()
                .collect(),
            true,
        ),
        None => (
            context
                .databases
                .mapping(database, "")
                .into_iter()
                .collect(),
            false,
        ),
    })
}

fn sort(mappings: &mut [&DbrpMapping]) {
    mappings.sort_by(|a, b| {
        (&a.database, &a.retention_policy).cmp(&(&b.database, &b.retention_policy))
    });
}

/// The names that a condition on tags keeps. It combines sets of measurements, not of series.
fn matching_names(
    snapshot: &Snapshot,
    condition: Option<&Expr>,
    context: &StatementContext<'_>,
) -> Result<BTreeSet<Arc<str>>, Error> {
    context.check()?;
    let binary = match condition {
        None => return Ok(snapshot.measurements()?.into_iter().collect()),
        Some(Expr::Paren(inner)) => return matching_names(snapshot, Some(inner), context),
        Some(Expr::Binary(binary)) => binary,
        Some(other) => {
            return Err(Error::statement(format!(
                "invalid measurement expression: {other}"
            )));
        }
    };
    match binary.op {
        BinaryOp::And | BinaryOp::Or => {
            let left = matching_names(snapshot, Some(&binary.left), context)?;
            let right = matching_names(snapshot, Some(&binary.right), context)?;
            Ok(if binary.op == BinaryOp::And {
                left.intersection(&right).cloned().collect()
            } else {
                left.union(&right).cloned().collect()
            })
        }
        BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::EqRegex | BinaryOp::NotEqRegex => {
            names_by_tag(snapshot, binary, context)
        }
        _ => Err(Error::statement("invalid tag comparison operator")),
    }
}

fn names_by_tag(
    snapshot: &Snapshot,
    binary: &BinaryExpr,
    context: &StatementContext<'_>,
) -> Result<BTreeSet<Arc<str>>, Error> {
    let op = binary.op.as_str();
    let Expr::VarRef(var) = &binary.left else {
        return Err(Error::statement(format!(
            "left side of '{op}' must be a tag key"
        )));
    };
    let wants_match = matches!(binary.op, BinaryOp::Eq | BinaryOp::EqRegex);
    let key = var.name.clone();
    let matches = match (binary.op, &binary.right) {
        (BinaryOp::Eq | BinaryOp::NotEq, Expr::String(value)) => TagPredicate::Equals {
            key: key.clone(),
            value: value.clone(),
        },
        (BinaryOp::EqRegex | BinaryOp::NotEqRegex, Expr::Regex(regex)) => {
            let pattern = Pattern::new(regex.compiled.as_str())
                .map_err(|error| Error::statement(error.to_string()))?;
            TagPredicate::Matches {
                key: key.clone(),
                pattern,
            }
        }
        (BinaryOp::Eq | BinaryOp::NotEq, _) => {
            let text = format!("right side of '{op}' must be a tag value string");
            return Err(Error::statement(text));
        }
        _ => {
            let text = format!("right side of '{op}' must be a regular expression");
            return Err(Error::statement(text));
        }
    };
    let mut names: BTreeSet<Arc<str>> = snapshot.measurements()?.into_iter().collect();
    if key == "_name" {
        names.retain(|name| matches.matches(&|_: &str| &**name) == wants_match);
        return Ok(names);
    }
    let has_key = TagPredicate::Has { key: key.clone() };
    let some_value_matches = TagPredicate::And(vec![has_key, matches]);
    let mut kept = BTreeSet::new();
    for name in names {
        context.check()?;
        let matching = Matching::new(snapshot, &name, TimeBounds::default(), &context.guard);
        let has_key = matching
            .partitions()
            .iter()
            .any(|it| it.tag_keys().contains(key.as_str()));
        if has_key && matching.any(&some_value_matches)? == wants_match {
            kept.insert(name);
        }
    }
    Ok(kept)
}
