//! EXPLAIN: one block of lines for each access to storage, with what the partitions say about it;
//! EXPLAIN ANALYZE: the statement is run and timed
//! (`spec/influxql/metadata_and_delete.md` §5).

use std::{rc::Rc, sync::Arc};

use headwater_influxql::ast::{ExplainStatement, Measurement, SelectStatement, Source};
use headwater_model::Id;

use crate::{
    Error,
    condition::tag_prefilter,
    execute::{call_type, input_column},
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, SelectPlan, SourcePlan, TransformInput},
    resolve::resolve_select,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
    snapshots::select_series,
};

pub(crate) fn run(
    statement: &ExplainStatement,
    context: StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let clock = Arc::clone(context.clock());
    let started = clock.monotonic();
    let plan = resolve_select(&statement.select, &context.resolve_context())?;
    let planned = clock.monotonic();
    let mut lines = Vec::new();
    blocks(&statement.select, &plan, &context, &mut lines)?;
    if !statement.analyze {
        // The last block has no empty row after it; nothing to read leaves one.
        if lines.len() > 1 {
            lines.pop();
        } else if lines.is_empty() {
            lines.push(String::new());
        }
        out.emit(text_column("QUERY PLAN", lines))?;
        return Ok(());
    }
    let guard = Rc::clone(&context.guard);
    let (mut series_count, mut row_count) = (0usize, 0usize);
    context.run_quietly(&plan, &mut |series| {
        series_count += usize::from(!series.partial);
        row_count += series.row_count();
    })?;
    let executed = clock.monotonic();
    let tree = vec![
        ".".to_owned(),
        "└── select".to_owned(),
        format!(
            "    ├── execution_time: {:?}",
            executed.saturating_sub(planned)
        ),
        format!(
            "    ├── planning_time: {:?}",
            planned.saturating_sub(started)
        ),
        format!("    ├── total_time: {:?}", executed.saturating_sub(started)),
        format!("    ├── output_series: {series_count}"),
        format!("    ├── output_rows: {row_count}"),
        format!("    └── memory_bytes: {}", guard.held_max()),
    ];
    out.emit(text_column("EXPLAIN ANALYZE", tree))?;
    Ok(())
}

fn text_column(name: &str, lines: Vec<String>) -> Series {
    Series {
        columns: Arc::from([Arc::from(name)]),
        values: vec![Column::String(
            lines.into_iter().map(|line| Some(line.into())).collect(),
        )],
        ..Series::default()
    }
}

/// The accesses of a plan: for each call, or the columns where there is none, each source as it
/// is written; in place of a subquery that gives the column the accesses of the subquery.
fn blocks(
    select: &SelectStatement,
    plan: &SelectPlan,
    context: &StatementContext<'_>,
    lines: &mut Vec<String>,
) -> Result<(), Error> {
    // Nothing is read for what has no type.
    if plan.calls.is_empty() {
        let is_known = |column: &ColumnRef| column.kind != ColumnKind::Unknown;
        if plan.aux.iter().any(is_known) {
            access(select, plan, None, context, lines)?;
        }
        return Ok(());
    }
    plan.calls
        .iter()
        .filter(|call| call_type(call).is_some())
        .try_for_each(|call| access(select, plan, Some(call), context, lines))
}

fn access(
    select: &SelectStatement,
    plan: &SelectPlan,
    call: Option<&CallPlan>,
    context: &StatementContext<'_>,
    lines: &mut Vec<String>,
) -> Result<(), Error> {
    let columns = match call {
        Some(call) => std::slice::from_ref(input_column(call)),
        None => &plan.aux[..],
    };
    let mut subqueries = plan.sources.iter().filter_map(|source| match source {
        SourcePlan::Subquery(inner) => Some(inner),
        SourcePlan::Measurement { .. } => None,
    });
    for source in &select.sources {
        match source {
            Source::Measurement(measurement) => {
                let mut measurements: Vec<(Id, &str)> = Vec::new();
                for source in &plan.sources {
                    if let SourcePlan::Measurement { bucket, name } = source
                        && is_of(name, measurement)
                        && !measurements.contains(&(*bucket, name))
                    {
                        measurements.push((*bucket, name));
                    }
                }
                block(plan, call, &measurements, context, lines)?;
            }
            Source::Subquery(select) => {
                if let Some(inner) = subqueries.next()
                    && columns.iter().any(|column| gives(inner, column))
                {
                    blocks(select, inner, context, lines)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a source as it is written means the measurement of this name.
fn is_of(name: &str, source: &Measurement) -> bool {
    match &source.regex {
        Some(regex) => regex.is_match(name),
        None => source.name == name,
    }
}

/// Whether a subquery has a column for a name of the enclosing statement.
fn gives(inner: &SelectPlan, column: &ColumnRef) -> bool {
    inner
        .columns
        .iter()
        .any(|known| known.lookup == column.name)
        || inner.own_tags.contains(&column.name)
}

fn block(
    plan: &SelectPlan,
    call: Option<&CallPlan>,
    measurements: &[(Id, &str)],
    context: &StatementContext<'_>,
    lines: &mut Vec<String>,
) -> Result<(), Error> {
    // A partition counts once for each measurement.
    let (mut shard_count, mut series_count) = (0usize, 0usize);
    let mut row_count: u64 = 0;
    for (bucket, name) in measurements {
        for partition in context
            .snapshots
            .get(*bucket)
            .partitions(name, plan.partition_range)
        {
            if partition.fields().is_empty() {
                continue;
            }
            let is_field = |name: &str| partition.fields().contains_key(name);
            let predicate = plan
                .condition
                .as_ref()
                .and_then(|it| tag_prefilter(it, name, &is_field));
            let selected = select_series(&partition, predicate.as_ref(), &context.guard)?;
            context.guard.check_series(selected.len())?;
            shard_count += 1;
            series_count += selected.len();
            row_count += selected.iter().map(|series| series.rows_max).sum::<u64>();
        }
    }
    let expression = call.map_or("<nil>".to_owned(), access_text);
    lines.push(format!("EXPRESSION: {expression}"));
    if !plan.aux.is_empty() {
        let aux: Vec<String> = plan.aux.iter().map(column_text).collect();
        lines.push(format!("AUXILIARY FIELDS: {}", aux.join(", ")));
    }
    lines.push(format!("NUMBER OF SHARDS: {shard_count}"));
    lines.push(format!("NUMBER OF SERIES: {series_count}"));
    lines.push("CACHED VALUES: 0".to_owned());
    lines.push(format!("NUMBER OF FILES: {shard_count}"));
    lines.push(format!("NUMBER OF BLOCKS: {series_count}"));
    // A value and its time take sixteen bytes before they are encoded.
    lines.push(format!("SIZE OF BLOCKS: {}", row_count.saturating_mul(16)));
    lines.push(String::new());
    Ok(())
}

/// What is asked of storage for a call: those that it computes itself, else their field.
fn access_text(call: &CallPlan) -> String {
    match call {
        CallPlan::Aggregate { function, input } => {
            let name = match function {
                Aggregate::Count => "count",
                Aggregate::Sum => "sum",
                Aggregate::Mean => "mean",
                Aggregate::Min => "min",
                Aggregate::Max => "max",
                Aggregate::First => "first",
                Aggregate::Last => "last",
                Aggregate::Median | Aggregate::Mode | Aggregate::Stddev | Aggregate::Spread => {
                    return column_text(input);
                }
            };
            format!("{name}({})", column_text(input))
        }
        CallPlan::TopBottom {
            is_top,
            input,
            tags,
            ..
        } if !tags.is_empty() => {
            format!(
                "{}({})",
                if *is_top { "max" } else { "min" },
                column_text(input)
            )
        }
        CallPlan::CountDistinct { input }
        | CallPlan::Distinct { input }
        | CallPlan::Integral { input, .. }
        | CallPlan::Percentile { input, .. }
        | CallPlan::Sample { input, .. }
        | CallPlan::TopBottom { input, .. }
        | CallPlan::CountHll { input }
        | CallPlan::Transform {
            input: TransformInput::Column(input),
            ..
        } => column_text(input),
        CallPlan::Transform {
            input: TransformInput::Call(inner),
            ..
        }
        | CallPlan::HoltWinters { input: inner, .. } => access_text(inner),
    }
}

fn column_text(column: &ColumnRef) -> String {
    let name = headwater_influxql::quote_ident(&column.name);
    match column.kind {
        ColumnKind::Field(field_type) => format!("{name}::{field_type}"),
        ColumnKind::Tag => format!("{name}::tag"),
        ColumnKind::Unknown => name,
    }
}
