//! EXPLAIN: one block of lines for each access to storage, with what the partitions say about it;
//! EXPLAIN ANALYZE: the statement is run and timed
//! (`spec/influxql/metadata_and_delete.md` §5).

use std::{collections::BTreeSet, sync::Arc};

use headwater_influxql::ast::ExplainStatement;

use crate::{
    Error,
    condition::tag_prefilter,
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, SelectPlan, SourcePlan, TransformInput},
    resolve::resolve_select,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
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
    blocks(&plan, &context, &mut lines)?;
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
        format!("    └── output_rows: {row_count}"),
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

/// The accesses of a plan, those of its subqueries in place of its own.
fn blocks(
    plan: &SelectPlan,
    context: &StatementContext<'_>,
    lines: &mut Vec<String>,
) -> Result<(), Error> {
    for source in &plan.sources {
        if let SourcePlan::Subquery(inner) = source {
            blocks(inner, context, lines)?;
        }
    }
    let has_measurement = plan
        .sources
        .iter()
        .any(|source| matches!(source, SourcePlan::Measurement { .. }));
    if !has_measurement {
        return Ok(());
    }
    if plan.calls.is_empty() {
        return block(plan, None, context, lines);
    }
    plan.calls
        .iter()
        .try_for_each(|call| block(plan, Some(call), context, lines))
}

fn block(
    plan: &SelectPlan,
    call: Option<&CallPlan>,
    context: &StatementContext<'_>,
    lines: &mut Vec<String>,
) -> Result<(), Error> {
    let mut shards = BTreeSet::new();
    let (mut series_count, mut block_count) = (0usize, 0usize);
    let mut row_count: u64 = 0;
    for source in &plan.sources {
        let SourcePlan::Measurement { bucket, name } = source else {
            continue;
        };
        for partition in context
            .snapshots
            .get(*bucket)
            .partitions(name, plan.partition_range)
        {
            let is_field = |name: &str| partition.fields().contains_key(name);
            let predicate = plan
                .condition
                .as_ref()
                .and_then(|it| tag_prefilter(it, name, &is_field));
            let selected = partition.select(predicate.as_ref())?;
            if selected.is_empty() {
                continue;
            }
            shards.insert((*bucket, partition.range().start));
            series_count += selected.len();
            block_count += selected.len();
            row_count += selected.iter().map(|series| series.rows_max).sum::<u64>();
        }
    }
    if shards.is_empty() {
        return Ok(());
    }
    let expression = call.map_or("<nil>".to_owned(), access_text);
    lines.push(format!("EXPRESSION: {expression}"));
    if !plan.aux.is_empty() {
        let aux: Vec<String> = plan.aux.iter().map(column_text).collect();
        lines.push(format!("AUXILIARY FIELDS: {}", aux.join(", ")));
    }
    lines.push(format!("NUMBER OF SHARDS: {}", shards.len()));
    lines.push(format!("NUMBER OF SERIES: {series_count}"));
    lines.push("CACHED VALUES: 0".to_owned());
    lines.push(format!("NUMBER OF FILES: {}", shards.len()));
    lines.push(format!("NUMBER OF BLOCKS: {block_count}"));
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
