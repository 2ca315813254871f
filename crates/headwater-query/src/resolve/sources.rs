//! FROM: system sources refused, databases and retention policies filled in, buckets found.

use headwater_influxql::ast::{Measurement, SelectStatement, Source};

use super::{
    ResolveContext,
    compile::{Compiled, CompiledSource},
};
use crate::Error;

/// Refuses the names of the reference's internal sources, at the top level only.
pub(super) fn refuse_system_sources(select: &SelectStatement) -> Result<(), Error> {
    for source in &select.sources {
        let Source::Measurement(measurement) = source else {
            continue;
        };
        let instead = match measurement.name.as_str() {
            "_fieldKeys" => "SHOW FIELD KEYS",
            "_measurements" => "SHOW MEASUREMENTS",
            "_series" => "SHOW SERIES",
            "_tagKeys" => "SHOW TAG KEYS",
            "_tags" => "SHOW TAG VALUES",
            "_name" | "_tagKey" => "the appropriate meta command",
            _ => continue,
        };
        return Err(Error::statement(format!(
            "unable to use system source '{}': use {instead} instead",
            measurement.name
        )));
    }
    Ok(())
}

/// Fills in the database and the retention policy of every measurement of the tree, the target
/// of INTO first (`spec/query.md` §9.2).
pub(crate) fn normalize(
    select: &mut SelectStatement,
    context: &ResolveContext<'_>,
) -> Result<(), Error> {
    if let Some(target) = &mut select.into {
        normalize_measurement(target, context)?;
    }
    for source in &mut select.sources {
        match source {
            Source::Measurement(measurement) => normalize_measurement(measurement, context)?,
            Source::Subquery(inner) => normalize(inner, context)?,
        }
    }
    Ok(())
}

pub(crate) fn normalize_measurement(
    measurement: &mut Measurement,
    context: &ResolveContext<'_>,
) -> Result<(), Error> {
    if !measurement.is_target && measurement.name.is_empty() && measurement.regex.is_none() {
        return Err(Error::statement("invalid measurement"));
    }
    if measurement.database.is_empty() {
        measurement.database = context.database.unwrap_or_default().to_owned();
    }
    if measurement.database.is_empty() {
        return Err(Error::statement("database name required"));
    }
    let policies = context.databases.policies(&measurement.database);
    if policies.is_empty() {
        return Err(Error::statement(format!(
            "database not found: {}",
            measurement.database
        )));
    }
    if measurement.retention_policy.is_empty() {
        let requested = context.retention_policy.filter(|policy| !policy.is_empty());
        let default = || policies.iter().find(|policy| policy.is_default);
        measurement.retention_policy = requested
            .map(str::to_owned)
            .or_else(|| default().map(|policy| policy.name.clone()))
            .ok_or_else(|| {
                Error::statement(format!(
                    "default retention policy not set for: {}",
                    measurement.database
                ))
            })?;
    }
    Ok(())
}

/// Finds the bucket of every measurement, depth first.
pub(super) fn map_buckets(
    compiled: &mut Compiled,
    context: &ResolveContext<'_>,
) -> Result<(), Error> {
    for source in &mut compiled.sources {
        match source {
            CompiledSource::Measurement {
                measurement,
                bucket,
            } => {
                let policies = context.databases.policies(&measurement.database);
                let policy = policies
                    .iter()
                    .find(|policy| policy.name == measurement.retention_policy)
                    .ok_or_else(|| {
                        Error::statement(format!(
                            "retention policy not found: {}",
                            measurement.retention_policy
                        ))
                    })?;
                *bucket = Some(policy.bucket);
            }
            CompiledSource::Subquery(inner) => map_buckets(inner, context)?,
        }
    }
    Ok(())
}
