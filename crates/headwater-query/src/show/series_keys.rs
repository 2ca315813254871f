//! SHOW SERIES.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use headwater_influxql::{
    ast::{BinaryOp, Expr, ShowStatement},
    visit,
};

use super::{emit_chunked, matching::Matching, names_of, page, select_sources};
use crate::{
    Error,
    condition::tag_prefilter,
    guard::Held,
    resolve::time_bounds::split_condition,
    run::{Failure, Output, StatementContext},
};

pub(super) fn show(
    statement: &ShowStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let sources = select_sources(&statement.sources, statement.database.as_ref(), context)?;
    let (condition, bounds) = split_condition(statement.condition.as_ref(), context.now, Tz::UTC)?;
    let mut keys = BTreeSet::new();
    let mut held = Held::new(&context.guard);
    for (bucket, source) in sources {
        for name in names_of(bucket, &source, context)? {
            context.check()?;
            let snapshot = context.snapshots.get(bucket);
            let matching = Matching::new(&snapshot, &name, bounds, &context.guard);
            if !matching.has_time() {
                check_operators(condition.as_ref())?;
            }
            // Comparisons of fields select nothing and leave out nothing.
            let is_field = |name: &str| matching.has_field(name);
            let predicate = condition
                .as_ref()
                .and_then(|it| tag_prefilter(it, &name, &is_field));
            // Measurements go by their names, whose order differs from that of escaped ones.
            for key in matching.series(predicate.as_ref(), &mut held)? {
                context.guard.work(1)?;
                keys.insert((key.measurement().clone(), key));
            }
        }
    }
    let keys: Vec<_> = keys.into_iter().collect();
    context.check()?;
    let rows = page(keys, statement.limit, statement.offset)
        .into_iter()
        .map(|(_, key)| vec![key.as_str().to_owned()]);
    emit_chunked(None, &["key"], rows, context, out)
}

/// The index answers only for equality and regular expressions.
fn check_operators(condition: Option<&Expr>) -> Result<(), Error> {
    let mut is_supported = true;
    if let Some(condition) = condition {
        visit::walk(condition, &mut |node| {
            if let Expr::Binary(binary) = node {
                is_supported &= matches!(
                    binary.op,
                    BinaryOp::And
                        | BinaryOp::Or
                        | BinaryOp::Eq
                        | BinaryOp::NotEq
                        | BinaryOp::EqRegex
                        | BinaryOp::NotEqRegex
                );
            }
        });
    }
    if is_supported {
        Ok(())
    } else {
        Err(Error::statement("invalid tag comparison operator"))
    }
}
