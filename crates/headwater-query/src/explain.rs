//! EXPLAIN: one block of lines for each access to storage, with what its files say about it;
//! EXPLAIN ANALYZE: the statement is run, and a tree tells what it read, held and took
//! (`spec/influxql/metadata_and_delete.md` §5). The figures of an access are those of a read
//! without LIMIT.

use std::{collections::BTreeSet, rc::Rc, sync::Arc, time::Duration};

use headwater_influxql::{
    ast::{DataType, ExplainStatement, Measurement, SelectStatement, Source, VarRef},
    format_clock_duration,
};
use headwater_model::Id;
use headwater_storage::Footprint;

use crate::{
    Error,
    condition::tag_prefilter,
    execute::{call_type, input_column},
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, SelectPlan, SourcePlan, TransformInput},
    profile::Operator,
    resolve::resolve_select,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
    snapshots::select_series,
};

mod tree;

use tree::Node;

pub(crate) fn run(
    statement: &ExplainStatement,
    context: StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let clock = Arc::clone(context.clock());
    let started = clock.monotonic();
    let plan = resolve_select(&statement.select, &context.resolve_context())?;
    let planned = clock.monotonic();
    let mut accesses = Vec::new();
    blocks(&statement.select, &plan, &context, &mut accesses)?;
    if !statement.analyze {
        let blocks: Vec<String> = accesses.iter().map(Access::block).collect();
        // Nothing to read leaves an empty row.
        let text = blocks.join("\n\n");
        let lines = text.split('\n').map(str::to_owned).collect();
        out.emit(text_column("QUERY PLAN", lines))?;
        return Ok(());
    }
    let guard = Rc::clone(&context.guard);
    let (mut series_count, mut row_count) = (0usize, 0usize);
    let begun = clock.monotonic();
    context.run_quietly(&plan, &mut |series| {
        series_count += usize::from(!series.partial);
        row_count += series.row_count();
    })?;
    let planning = planned.saturating_sub(started);
    let execution = clock.monotonic().saturating_sub(begun);
    let mut select = Node::new("select");
    select.value("execution_time", duration(execution));
    select.value("planning_time", duration(planning));
    select.value("total_time", duration(planning + execution));
    select.value("output_series", series_count);
    select.value("output_rows", row_count);
    select.value("memory_bytes", guard.held_max());
    if let Some(profile) = guard.profile() {
        select.value("rows_read", profile.rows_read());
        select.value("bytes_decoded", profile.bytes_decoded());
        let mut operators = Node::new("operators");
        for (operator, name) in Operator::ALL {
            operators.value(name, duration(profile.spent(operator)));
        }
        select.children.push(operators);
    }
    select.children.extend(accesses.iter().map(Access::node));
    let lines = tree::lines(&select);
    out.emit(text_column("EXPLAIN ANALYZE", lines))?;
    Ok(())
}

fn duration(span: Duration) -> String {
    format_clock_duration(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
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
    accesses: &mut Vec<Access>,
) -> Result<(), Error> {
    // Nothing is read for what has no type.
    if plan.calls.is_empty() {
        let is_known = |column: &ColumnRef| column.kind != ColumnKind::Unknown;
        if plan.aux.iter().any(is_known) {
            access(select, plan, None, context, accesses)?;
        }
        return Ok(());
    }
    plan.calls
        .iter()
        .filter(|call| call_type(call).is_some())
        .try_for_each(|call| access(select, plan, Some(call), context, accesses))
}

fn access(
    select: &SelectStatement,
    plan: &SelectPlan,
    call: Option<&CallPlan>,
    context: &StatementContext<'_>,
    accesses: &mut Vec<Access>,
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
                block(plan, call, &measurements, context, accesses)?;
            }
            Source::Subquery(select) => {
                if let Some(inner) = subqueries.next()
                    && columns.iter().any(|column| gives(inner, column))
                {
                    blocks(select, inner, context, accesses)?;
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
    accesses: &mut Vec<Access>,
) -> Result<(), Error> {
    let mut access = Access {
        expression: call.map_or("<nil>".to_owned(), access_text),
        aux: plan.aux.iter().map(column_text).collect(),
        fields: 0,
        partitions: 0,
        series: 0,
        footprint: Footprint::default(),
    };
    let columns = columns_of(plan, call);
    access.fields = columns.len() as u64;
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
            access.partitions += 1;
            access.series += selected.len();
            let range = plan.range.intersect(plan.partition_range);
            let footprint = partition.footprint(&selected, &columns, range)?;
            access.footprint.add(footprint);
        }
    }
    accesses.push(access);
    Ok(())
}

/// The fields that an access reads, those of the condition among them.
fn columns_of(plan: &SelectPlan, call: Option<&CallPlan>) -> Vec<Arc<str>> {
    let is_field = |column: &&ColumnRef| matches!(column.kind, ColumnKind::Field(_));
    let read = call.map(input_column).into_iter().chain(&plan.aux);
    let mut names: BTreeSet<Arc<str>> = read
        .filter(is_field)
        .map(|column| Arc::clone(&column.name))
        .collect();
    if let Some(condition) = &plan.condition {
        let vars = headwater_influxql::visit::var_refs(condition);
        let is_field = |var: &&VarRef| !matches!(var.data_type, None | Some(DataType::Tag));
        names.extend(
            vars.into_iter()
                .filter(is_field)
                .map(|var| Arc::from(&*var.name)),
        );
    }
    names.into_iter().collect()
}

/// One access to storage.
struct Access {
    expression: String,
    aux: Vec<String>,
    /// How many fields are read.
    fields: u64,
    /// One counts once for each measurement.
    partitions: usize,
    series: usize,
    footprint: Footprint,
}

impl Access {
    /// The lines that the reference has. Its blocks are the chunks of columns in ours, its cache
    /// is the memtable.
    fn block(&self) -> String {
        let footprint = &self.footprint;
        let mut lines = vec![format!("EXPRESSION: {}", self.expression)];
        if !self.aux.is_empty() {
            lines.push(format!("AUXILIARY FIELDS: {}", self.aux.join(", ")));
        }
        lines.push(format!("NUMBER OF SHARDS: {}", self.partitions));
        lines.push(format!("NUMBER OF SERIES: {}", self.series));
        let cached = footprint.memtable_rows.saturating_mul(self.fields);
        lines.push(format!("CACHED VALUES: {cached}"));
        lines.push(format!("NUMBER OF FILES: {}", footprint.files_read));
        lines.push(format!("NUMBER OF BLOCKS: {}", footprint.chunks_read));
        lines.push(format!("SIZE OF BLOCKS: {}", footprint.bytes_read));
        lines.join("\n")
    }

    fn node(&self) -> Node {
        let footprint = &self.footprint;
        let pruned = |all: u64, read: u64| format!("{read} of {all}, {} pruned", all - read);
        let mut node = Node::new("access");
        node.value("expression", &self.expression);
        if !self.aux.is_empty() {
            node.value("auxiliary_fields", self.aux.join(", "));
        }
        node.value("partitions", self.partitions);
        node.value("series", self.series);
        node.value("files", pruned(footprint.files, footprint.files_read));
        let row_groups = pruned(footprint.row_groups, footprint.row_groups_read);
        node.value("row_groups", row_groups);
        node.value("column_chunks", footprint.chunks_read);
        node.value("bytes", footprint.bytes_read);
        node.value("file_rows", footprint.file_rows);
        node.value("memtable_rows", footprint.memtable_rows);
        node
    }
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
