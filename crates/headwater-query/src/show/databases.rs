//! SHOW DATABASES, SHOW RETENTION POLICIES: the mappings that the caller may read.

use std::sync::Arc;

use headwater_catalog::Profile;
use headwater_influxql::format_clock_duration;
use headwater_model::Value;

use super::strings;
use crate::{
    Error,
    run::{Failure, Output, StatementContext},
    series::{Column, Series},
};

/// The shard group duration that the compatibility API shows for every policy.
const SHARD_GROUP_SECONDS_SHOWN: u64 = 7 * 24 * 60 * 60;

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

/// In the profile `v1` the durations are those of the buckets; elsewhere they are constants, as the
/// compatibility API of 2.x shows them (`spec/query.md` §9).
pub(super) fn show_retention_policies(
    database: Option<&String>,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let database = context.database(database);
    if database.is_empty() {
        return Err(Error::statement("database name required").into());
    }
    let state = context.catalog().state();
    let tells_durations = state.profile() == Profile::V1;
    let (mut names, mut retentions, mut shard_groups, mut defaults) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for mapping in context.databases.of_database(database) {
        let bucket = state.bucket(mapping.bucket_id).filter(|_| tells_durations);
        let (retention, shard_group) = bucket.map_or((0, SHARD_GROUP_SECONDS_SHOWN), |bucket| {
            (bucket.retention_seconds, bucket.shard_group_seconds)
        });
        names.push(Some(Arc::from(mapping.retention_policy.as_str())));
        retentions.push(Some(clock_duration(retention)));
        shard_groups.push(Some(clock_duration(shard_group)));
        defaults.push(mapping.is_default);
    }
    if tells_durations && names.is_empty() {
        return Err(headwater_catalog::Error::DatabaseNotFound(database.to_owned()).into());
    }
    let replication = Column::Constant {
        value: Some(Value::Integer(1)),
        len: names.len(),
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
            Column::String(retentions),
            Column::String(shard_groups),
            replication,
            Column::Boolean {
                values: defaults,
                valid: None,
            },
        ],
        ..Series::default()
    })?;
    Ok(())
}

fn clock_duration(seconds: u64) -> Arc<str> {
    let nanoseconds = i64::try_from(seconds.saturating_mul(1_000_000_000)).unwrap_or(i64::MAX);
    format_clock_duration(nanoseconds).into()
}
