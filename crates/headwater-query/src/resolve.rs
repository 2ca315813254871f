//! From the syntax tree of a SELECT to its plan: databases and measurements found, compile rules
//! checked, time bounds split off, wildcards expanded, types assigned. Errors come in the order
//! of `spec/influxql/00_execution_model.md` §1, which the steps of `resolve_select` follow.

use chrono_tz::Tz;
use headwater_influxql::ast::{Expr, SelectStatement};

use crate::{
    Error,
    plan::SelectPlan,
    schema::{Databases, SchemaSource},
};

mod build;
mod calls;
mod compile;
mod dimensions;
mod names;
mod sources;
#[cfg(test)]
mod tests;
pub(crate) mod time_bounds;
mod typed;
mod types;
mod wildcards;

pub(crate) use sources::{normalize, normalize_measurement};

/// What a statement is resolved against.
pub(crate) struct ResolveContext<'a> {
    pub databases: &'a dyn Databases,
    pub schema: &'a dyn SchemaSource,
    /// The request's `db` and `rp`.
    pub database: Option<&'a str>,
    pub retention_policy: Option<&'a str>,
    /// `now()`: one instant for a statement and its subqueries.
    pub now: i64,
    /// `max-select-buckets`; 0 is no limit (`spec/influxql/fill_and_windows.md` §7).
    pub max_select_buckets: u64,
}

/// Makes the plan of a SELECT, or says what is wrong with it.
pub(crate) fn resolve_select(
    select: &SelectStatement,
    context: &ResolveContext<'_>,
) -> Result<SelectPlan, Error> {
    sources::refuse_system_sources(select)?;
    let mut select = select.clone();
    normalize(&mut select, context)?;
    let mut compiled = compile::compile(&select, context.now)?;
    let partition_range = compiled.partition_range(context.max_select_buckets);
    sources::map_buckets(&mut compiled, context)?;
    let typed = typed::assign_types(compiled, partition_range, context)?;
    types::check_types(&typed)?;
    if let Some(error) = &typed.compiled.offset_error {
        return Err(Error::statement(error.clone()));
    }
    build::check_bucket_limit(&typed, context)?;
    let plan = build::build(&typed, partition_range, context.now)?;
    if select.into.is_some() {
        return Err(Error::NotImplemented("SELECT INTO"));
    }
    Ok(plan)
}

/// The names, wildcards and regular expressions of a GROUP BY whose windows do not matter.
pub(crate) fn compile_dimensions(dimensions: &[Expr], now: i64) -> Result<Vec<Expr>, Error> {
    Ok(dimensions::compile(dimensions, now, Tz::UTC)?.tags)
}
