//! SHOW DATABASES, SHOW RETENTION POLICIES: the mappings that the caller may read.

use std::sync::Arc;

use headwater_model::Value;

use super::strings;
use crate::{
    Error,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
};

/// In mapping order; a series even when there is none.
pub(super) fn show_databases(
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut names: Vec<&str> = Vec::new();
    for mapping in context.databases.mappings() {
        if !names.contains(&mapping.database.as_str()) {
            names.push(&mapping.database);
        }
    }
    let rows = names.into_iter().map(|name| vec![name]).collect();
    out.emit(strings(Some(Arc::from("databases")), &["name"], rows))?;
    Ok(())
}

/// Durations and replication are constants, as the compatibility API of 2.x shows them.
pub(super) fn show_retention_policies(
    database: Option<&String>,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let database = context.database(database);
    if database.is_empty() {
        return Err(Error::statement("database name required").into());
    }
    let (names, defaults): (Vec<_>, Vec<_>) = context
        .databases
        .of_database(database)
        .map(|mapping| {
            (
                Some(Arc::from(mapping.retention_policy.as_str())),
                mapping.is_default,
            )
        })
        .unzip();
    let len = names.len();
    let constant = |value| Column::Constant {
        value: Some(value),
        len,
    };
    let columns = [
        "name",
        "duration",
        "shardGroupDuration",
        "replicaN",
        "default",
    ];
    out.emit(Series {
        columns: columns.into_iter().map(Arc::from).collect(),
        values: vec![
            Column::String(names),
            constant(Value::String("0s".into())),
            constant(Value::String("168h0m0s".into())),
            constant(Value::Integer(1)),
            Column::Boolean {
                values: defaults,
                valid: None,
            },
        ],
        ..Series::default()
    })?;
    Ok(())
}
