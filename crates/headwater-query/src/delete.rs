//! DELETE, DROP MEASUREMENT and, in the profile `v1`, DROP SERIES
//! (`spec/influxql/metadata_and_delete.md` §6, §7).

use std::sync::Arc;

use chrono_tz::Tz;
use headwater_influxql::ast::{DeleteStatement, Expr, Measurement};
use headwater_model::{Id, TimeRange};
use headwater_storage::{DeleteRequest, Snapshot, TagPredicate};

use crate::{
    Error,
    condition::{is_about_tags, needs_rows, tag_prefilter},
    fold::{Constants, fold},
    resolve::time_bounds::split_condition,
    run::{Failure, StatementContext},
    snapshots::select_series,
};

/// Removes points from one bucket: that of the policy the first source names, else the default
/// one's.
pub(crate) fn delete(
    statement: &DeleteStatement,
    context: &StatementContext<'_>,
) -> Result<(), Failure> {
    let database = context.database(None);
    let policy = statement
        .sources
        .first()
        .map_or("", |source| source.retention_policy.as_str());
    let Some(mapping) = context.databases.mapping(database, policy) else {
        return Err(Failure::Raised(Error::statement(format!(
            "no dbrp mappings found: db={database}, rp={policy}, \
             please check to make sure db and rp exist"
        ))));
    };
    if !context.databases.may_write(mapping) {
        return Err(insufficient_permissions());
    }
    // Folded before it is split, unlike a SELECT's: a bound beside OR true is no bound.
    let constants = Constants::Now {
        now: context.now,
        timezone: Tz::UTC,
    };
    let condition = statement.condition.as_ref();
    let condition = condition.map(|it| fold(it, Some(&constants)));
    let (condition, bounds) = split_condition(condition.as_ref(), context.now, Tz::UTC)?;
    let range = bounds.range();
    if range.is_empty() {
        return Ok(());
    }
    let bucket = mapping.bucket_id;
    for request in requests(statement, condition.as_ref(), range, bucket, context)? {
        context.wait(context.engine().delete(bucket, request))?;
    }
    Ok(())
}

/// Removes a measurement from every bucket of the database.
pub(crate) fn drop_measurement(name: &str, context: &StatementContext<'_>) -> Result<(), Failure> {
    for bucket in buckets(context.database(None), context)? {
        let request = DeleteRequest {
            measurements: Some(vec![name.to_owned()]),
            predicate: None,
            range: TimeRange::ALL,
        };
        context.wait(context.engine().delete(bucket, request))?;
    }
    Ok(())
}

/// Removes series, with all their points, from every bucket of the database; by 1.x's rules and
/// with its texts.
pub(crate) fn drop_series(
    statement: &DeleteStatement,
    context: &StatementContext<'_>,
) -> Result<(), Failure> {
    let condition = statement.condition.as_ref();
    let names_time = |condition: &Expr| {
        headwater_influxql::visit::var_refs(condition)
            .iter()
            .any(|var| var.name.eq_ignore_ascii_case("time"))
    };
    if condition.is_some_and(names_time) {
        return Err(Error::statement("DROP SERIES doesn't support time in WHERE clause").into());
    }
    let database = context.database(None);
    let buckets = buckets(database, context)?;
    if buckets.is_empty() {
        return Err(headwater_catalog::Error::DatabaseNotFound(database.to_owned()).into());
    }
    let mut planned = Vec::new();
    for bucket in buckets {
        for request in requests(statement, condition, TimeRange::ALL, bucket, context)? {
            planned.push((bucket, request));
        }
    }
    for (bucket, request) in planned {
        context.wait(context.engine().delete(bucket, request))?;
    }
    Ok(())
}

/// The buckets of a database, all of which the caller must be allowed to change.
fn buckets(database: &str, context: &StatementContext<'_>) -> Result<Vec<Id>, Failure> {
    let mut buckets = Vec::new();
    for mapping in context.databases.of_database(database) {
        if !context.databases.may_write(mapping) {
            return Err(insufficient_permissions());
        }
        if !buckets.contains(&mapping.bucket_id) {
            buckets.push(mapping.bucket_id);
        }
    }
    Ok(buckets)
}

fn insufficient_permissions() -> Failure {
    Failure::Reported(Error::statement("insufficient permissions"))
}

/// One request where all measurements have the same predicate, which only `_name` prevents.
fn requests(
    statement: &DeleteStatement,
    condition: Option<&Expr>,
    range: TimeRange,
    bucket: Id,
    context: &StatementContext<'_>,
) -> Result<Vec<DeleteRequest>, Error> {
    let Some(condition) = condition else {
        let measurements = match statement.sources.as_slice() {
            [] => None,
            sources => {
                let known = context.snapshots.get(bucket).measurements()?;
                Some(
                    known
                        .iter()
                        .filter(|name| is_named(sources, name))
                        .map(to_owned)
                        .collect(),
                )
            }
        };
        return Ok(vec![DeleteRequest {
            measurements,
            predicate: None,
            range,
        }]);
    };
    let snapshot = context.snapshots.get(bucket);
    let mut requests: Vec<DeleteRequest> = Vec::new();
    for name in snapshot.measurements()? {
        if !statement.sources.is_empty() && !is_named(&statement.sources, &name) {
            continue;
        }
        let predicate = predicate(condition, &name, &snapshot, context)?;
        match requests
            .iter_mut()
            .find(|request| request.predicate == predicate)
        {
            Some(request) => request
                .measurements
                .get_or_insert_default()
                .push(to_owned(&name)),
            None => requests.push(DeleteRequest {
                measurements: Some(vec![to_owned(&name)]),
                predicate,
                range,
            }),
        }
    }
    requests.retain(|request| request.predicate != Some(TagPredicate::Constant(false)));
    Ok(requests)
}

fn to_owned(name: &Arc<str>) -> String {
    name.to_string()
}

fn is_named(sources: &[Measurement], name: &str) -> bool {
    sources.iter().any(|source| match &source.regex {
        Some(regex) => regex.is_match(name),
        None => source.name == name,
    })
}

/// The series of a measurement that the condition selects. Only conditions that tags decide are
/// possible: a series whose rows would have to be looked at is an error, whatever its time.
fn predicate(
    condition: &Expr,
    measurement: &str,
    snapshot: &Snapshot,
    context: &StatementContext<'_>,
) -> Result<Option<TagPredicate>, Error> {
    let partitions = snapshot.partitions(measurement, TimeRange::ALL);
    let is_field = |name: &str| partitions.iter().any(|it| it.fields().contains_key(name));
    let predicate = tag_prefilter(condition, measurement, &is_field);
    if is_about_tags(condition, measurement, &is_field) {
        return Ok(predicate);
    }
    for (at, partition) in partitions.iter().enumerate() {
        for series in select_series(partition, predicate.as_ref(), &context.guard)? {
            context.guard.work(1)?;
            if needs_rows(condition, &series.key, &is_field) {
                // The reference names the shard; ours have no numbers but their order.
                return Err(Error::statement(format!(
                    "shard {}: fields not supported in WHERE clause during deletion",
                    at + 1
                )));
            }
        }
    }
    Ok(predicate)
}
