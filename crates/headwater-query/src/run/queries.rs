//! SHOW QUERIES and KILL QUERY, in the profile `v1` only (`spec/query.md` §9).

use std::{sync::Arc, time::Duration};

use headwater_catalog::Profile;
use headwater_influxql::{format_clock_duration, redact_passwords};

use super::{
    Failure, Output, StatementContext,
    registry::{SHOW_QUERIES, Task},
};
use crate::{
    Error,
    series::{Column, Series},
};

/// Longest text of a query in the list, in bytes.
const TEXT_BYTES_MAX: usize = 16 << 10;

pub(super) fn show(context: &StatementContext<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
    check_profile(context)?;
    let now = context.clock().monotonic();
    let tasks = context.registry().visible(&context.request.authorization);
    let ids = tasks
        .iter()
        .map(|task| i64::try_from(task.id).unwrap_or(i64::MAX));
    let text = |cell: &dyn Fn(&Task) -> String| {
        let cells = tasks.iter().map(|task| Some(Arc::from(cell(task))));
        Column::String(cells.collect())
    };
    out.emit(Series {
        columns: ["qid", "query", "database", "duration", "status"]
            .map(Arc::from)
            .into(),
        values: vec![
            Column::Integer {
                values: ids.collect(),
                valid: None,
            },
            text(&query_text),
            text(&|task| task.request.database.clone().unwrap_or_default()),
            text(&|task| duration(now.saturating_sub(task.arrived))),
            text(&|task| task.status().to_owned()),
        ],
        ..Series::default()
    })?;
    Ok(())
}

pub(super) fn kill(id: u64, context: &StatementContext<'_>) -> Result<(), Failure> {
    check_profile(context)?;
    Ok(context
        .registry()
        .kill(id, &context.request.authorization)?)
}

fn check_profile(context: &StatementContext<'_>) -> Result<(), Error> {
    if context.catalog().state().profile() == Profile::V1 {
        Ok(())
    } else {
        Err(Error::NotImplemented(SHOW_QUERIES))
    }
}

/// The canonical text of all statements, without passwords.
fn query_text(task: &Task) -> String {
    let statements = task.request.query.statements.iter();
    let texts: Vec<String> = statements.map(ToString::to_string).collect();
    let mut text = redact_passwords(&texts.join(";\n"));
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
    }
    text
}

/// Cut to its largest unit, as the reference cuts it.
fn duration(span: Duration) -> String {
    let nanoseconds = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    let unit = match nanoseconds {
        1_000_000_000.. => 1_000_000_000,
        1_000_000.. => 1_000_000,
        1_000.. => 1_000,
        _ => 1,
    };
    format_clock_duration(nanoseconds - nanoseconds % unit)
}

#[cfg(test)]
mod tests;
