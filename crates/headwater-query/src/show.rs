//! The SHOW statements (`spec/influxql/metadata_and_delete.md` §1–§4). A time range in WHERE is
//! held against the points themselves, not against partitions (`spec/decisions.md` 9).

use std::sync::Arc;

use headwater_influxql::ast::{Measurement, Statement};
use headwater_model::Id;

use crate::{
    Error,
    resolve::normalize_measurement,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
};

mod cardinality;
mod databases;
mod field_keys;
mod matching;
mod measurements;
mod series_keys;
mod tags;

/// Runs a SHOW statement.
pub(crate) fn run(
    statement: &Statement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    match statement {
        Statement::ShowDatabases => databases::show_databases(context, out),
        Statement::ShowRetentionPolicies { database } => {
            databases::show_retention_policies(database.as_ref(), context, out)
        }
        Statement::ShowMeasurements(statement) => measurements::show(statement, context, out),
        Statement::ShowSeries(statement) => series_keys::show(statement, context, out),
        Statement::ShowTagKeys(statement) => tags::show_keys(statement, context, out),
        Statement::ShowTagValues(statement) => tags::show_values(statement, context, out),
        Statement::ShowFieldKeys(statement) => field_keys::show(statement, context, out),
        Statement::ShowCardinality(statement) => cardinality::show(statement, context, out),
        _ => Err(Error::statement("invalid query").into()),
    }
}

/// A series of strings, one a cell.
fn strings<T: Into<Arc<str>>>(
    name: Option<Arc<str>>,
    columns: &[&str],
    rows: Vec<Vec<T>>,
) -> Series {
    let mut values: Vec<Vec<Option<Arc<str>>>> =
        vec![Vec::with_capacity(rows.len()); columns.len()];
    for row in rows {
        for (column, cell) in values.iter_mut().zip(row) {
            column.push(Some(cell.into()));
        }
    }
    Series {
        name,
        columns: columns.iter().map(|column| Arc::from(*column)).collect(),
        values: values.into_iter().map(Column::String).collect(),
        ..Series::default()
    }
}

/// Hands out a series of strings in pieces of the request's size; nothing if it has no rows.
fn emit_chunked<T: Into<Arc<str>>>(
    name: Option<Arc<str>>,
    columns: &[&str],
    rows: impl Iterator<Item = Vec<T>>,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        context.check()?;
        let piece = rows
            .by_ref()
            .take(context.request.chunk_size.max(1))
            .collect();
        let mut series = strings(name.clone(), columns, piece);
        series.partial = rows.peek().is_some();
        out.emit(series)?;
    }
    Ok(())
}

/// What goes wrong in a list of tags is told, and the next statement runs; not so what ends the
/// request.
fn reported(error: Error) -> Failure {
    if error.ends_request() {
        Failure::Raised(error)
    } else {
        Failure::Reported(error)
    }
}

/// OFFSET and LIMIT of a list; 0 is no limit.
fn page<T>(items: Vec<T>, limit: u64, offset: u64) -> Vec<T> {
    let limit = if limit == 0 {
        usize::MAX
    } else {
        usize::try_from(limit).unwrap_or(usize::MAX)
    };
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    items.into_iter().skip(offset).take(limit).collect()
}

/// Whether a measurement is among those of FROM; without FROM all are.
fn is_named(sources: &[Measurement], name: &str) -> bool {
    sources.is_empty()
        || sources.iter().any(|source| match &source.regex {
            Some(regex) => regex.is_match(name),
            None => source.name == name,
        })
}

/// The sources of a statement that the reference turns into a SELECT: database and policy of
/// each as of any measurement, the request's `rp` included. Without FROM, all measurements of
/// the default bucket. Errors are a SELECT's.
fn select_sources(
    sources: &[Measurement],
    database: Option<&String>,
    context: &StatementContext<'_>,
) -> Result<Vec<(Id, Measurement)>, Error> {
    let everything = Measurement {
        name: String::new(),
        ..Measurement::default()
    };
    let resolve = context.resolve_context();
    let list = if sources.is_empty() {
        std::slice::from_ref(&everything)
    } else {
        sources
    };
    let mut found = Vec::with_capacity(list.len());
    for source in list {
        let mut source = source.clone();
        if source.database.is_empty()
            && let Some(database) = database
        {
            source.database.clone_from(database);
        }
        // An empty name stands for all measurements only when FROM is missing.
        source.is_target = sources.is_empty();
        normalize_measurement(&mut source, &resolve)?;
        let bucket = context
            .databases
            .bucket(&source.database, &source.retention_policy)
            .ok_or_else(|| {
                Error::statement(format!(
                    "retention policy not found: {}",
                    source.retention_policy
                ))
            })?;
        found.push((bucket, source));
    }
    Ok(found)
}

/// The measurements that a source of `select_sources` stands for, ascending.
fn names_of(
    bucket: Id,
    source: &Measurement,
    context: &StatementContext<'_>,
) -> Result<Vec<Arc<str>>, Error> {
    let mut names = context.snapshots.get(bucket).measurements()?;
    if let Some(regex) = &source.regex {
        names.retain(|name| regex.is_match(name));
    } else if !source.is_target {
        names.retain(|name| **name == *source.name);
    }
    Ok(names)
}
