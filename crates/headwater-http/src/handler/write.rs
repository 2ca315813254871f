//! `/write` and `/api/v2/write` (`spec/write.md`). The checks come in the order of its §4 and §7:
//! nothing of the body is read before the caller is known to be allowed to write.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use headwater_catalog::{Access, Authorization, Bucket};
use headwater_model::{Precision, line_protocol};
use headwater_storage::{RetentionLimit, WriteOutcome, WriteTarget};

use super::{query::allow, target};
use crate::{
    error::{Code, Error},
    extract::{
        body::WriteBody,
        credentials::{Caller, V1Caller},
        params::Params,
        precision,
    },
    state::Shared,
};

const ALLOW: &str = "OPTIONS, POST";
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;
/// Bodies from this size on are parsed where blocking is allowed.
const LARGE_BODY_BYTES: usize = 1 << 20;
/// How many refused lines an answer names, at most.
const REFUSED_LINES_MAX: usize = 1000;

/// `/write`: database and retention policy choose the bucket.
pub(crate) async fn v1(
    State(shared): State<Shared>,
    V1Caller(authorization): V1Caller,
    url: Params,
    request: Request,
) -> Result<Response, Error> {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Ok(allow(ALLOW)),
        _ => return Err(Error::method_not_allowed(ALLOW)),
    }
    let precision = precision::of_write(&url)?;
    let database = url
        .get_filled("db")
        .ok_or_else(|| Error::invalid("missing db").v1("database is required"))?;
    let (parts, body) = request.into_parts();
    let body = WriteBody::open(body, &parts.headers).await?;
    let policy = url.get_filled("rp");
    let bucket = shared
        .catalog
        .map_for_write(&authorization, database, policy)
        .await
        .map_err(|error| target_error(&shared, &authorization, error, (database, policy)))?;
    let body = read(&shared, body).await?;
    store(&shared, &bucket, body, precision, names_lines(&url)).await
}

/// `/api/v2/write`: names the bucket itself.
pub(crate) async fn v2(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
    request: Request,
) -> Result<Response, Error> {
    let precision = precision::of_write_v2(&url)?;
    let bucket = url
        .get_filled("bucket")
        .ok_or_else(|| Error::not_found("bucket not found"))?;
    let (parts, body) = request.into_parts();
    let body = WriteBody::open(body, &parts.headers).await?;
    let catalog = shared.catalog.state();
    let organization = target::organization(&catalog, &url, &caller)?;
    let bucket = target::bucket(&catalog, organization, bucket)?;
    caller.authorization.require_write(&bucket)?;
    let body = read(&shared, body).await?;
    store(&shared, &bucket, body, precision, names_lines(&url)).await
}

/// 1.x's words for a write that has no place to go. Agents create the database when they read
/// that it is not there, so a missing policy of a known database must not sound like that.
fn target_error(
    shared: &Shared,
    authorization: &Authorization,
    error: headwater_catalog::Error,
    (database, policy): (&str, Option<&str>),
) -> Error {
    use headwater_catalog::Error as Cause;
    let words = match error {
        Cause::NoMapping => {
            let state = shared.catalog.state();
            let is_known = state
                .database_mappings(authorization.org_id, database)
                .iter()
                .any(|mapping| authorization.sees(mapping, Access::ReadOrWrite));
            match policy {
                Some(policy) if is_known => Some(format!("retention policy not found: {policy}")),
                _ => Some(format!("database not found: {database:?}")),
            }
        }
        Cause::WriteForbidden => Some(format!(
            "user is not authorized to write to database {database:?}"
        )),
        _ => None,
    };
    let error = Error::from(error);
    match words {
        Some(words) => error.v1(words),
        None => error,
    }
}

/// Whether the answer to a partial write is to name the lines that were refused: a parameter of our
/// own, since clients of the references compare bodies whole.
fn names_lines(url: &Params) -> bool {
    url.get("refused_lines") == Some("true")
}

async fn read(shared: &Shared, body: WriteBody) -> Result<Bytes, Error> {
    let settings = &shared.settings;
    body.read(
        settings.write_bytes_max,
        settings.write_decompressed_bytes_max,
    )
    .await
}

async fn store(
    shared: &Shared,
    bucket: &Bucket,
    body: Bytes,
    precision: Precision,
    names_lines: bool,
) -> Result<Response, Error> {
    let now = shared.clock.now();
    let default_time = now - now.rem_euclid(precision.nanoseconds());
    let parse = || {
        line_protocol::parse(&body, precision, default_time)
            .map_err(|errors| Error::invalid(errors.to_string()))
    };
    let batch = if body.len() >= LARGE_BODY_BYTES {
        blocking(parse)
    } else {
        parse()
    }?;
    let points = batch.points.len();
    if points == 0 {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let target = WriteTarget {
        bucket: bucket.id,
        shard_group: seconds(bucket.shard_group_seconds),
        oldest: (bucket.retention_seconds > 0).then(|| {
            let duration = seconds(bucket.retention_seconds);
            RetentionLimit {
                lower_bound: now.saturating_sub(duration),
                duration,
            }
        }),
    };
    let outcome = shared
        .engine
        .write(target, body.clone(), precision, default_time, &batch)
        .await
        .map_err(|error| storage_error(error, shared.settings.back_pressure_status))?;
    match outcome {
        WriteOutcome::Accepted => {
            shared.metrics.count_write(points, 0, body.len());
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        WriteOutcome::Partial(partial) => {
            shared
                .metrics
                .count_write(points, partial.dropped, body.len());
            let rejected = partial.rejected.iter();
            let rejected = rejected.map(|at| batch.points[*at].line);
            let lines = line_numbers(&body, rejected.take(REFUSED_LINES_MAX));
            let error = partial_write(&partial, bucket);
            Err(if names_lines {
                error.lines(lines)
            } else {
                error
            })
        }
    }
}

/// The numbers, from 1, of lines that are slices of `body` in its order.
fn line_numbers<'a>(body: &[u8], lines: impl Iterator<Item = &'a [u8]>) -> Vec<usize> {
    let (mut from, mut newlines) = (0, 0);
    let number = |line: &[u8]| {
        let start = line.as_ptr().addr() - body.as_ptr().addr();
        newlines += body[from..start].iter().filter(|b| **b == b'\n').count();
        from = start;
        newlines + 1
    };
    lines.map(number).collect()
}

fn seconds(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(NANOSECONDS_PER_SECOND)
}

/// Runs `work` on this thread, telling a runtime of several threads that it may take long.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The texts of `spec/write.md` §6.1, and the words that 1.x's clients look for.
fn partial_write(partial: &headwater_storage::PartialWrite, bucket: &Bucket) -> Error {
    let headwater_storage::PartialWrite {
        reason,
        dropped,
        names_bucket,
        rejected: _,
    } = partial;
    let mut message =
        format!("failure writing points to database: partial write: {reason} dropped={dropped}");
    if *names_bucket {
        message.push_str(&format!(
            " for database: {} for retention policy: autogen",
            bucket.id
        ));
    }
    let reason = if reason.contains("Retention Policy Lower Bound") {
        "points beyond retention policy"
    } else {
        reason.as_str()
    };
    Error::new(Code::UnprocessableEntity, message)
        .v1(format!("partial write: {reason} dropped={dropped}"))
}

fn storage_error(error: headwater_storage::Error, back_pressure: StatusCode) -> Error {
    let text = format!("unexpected error writing points to database: {error}");
    if error.kind() == headwater_storage::ErrorKind::Unavailable {
        return Error::unavailable(text, back_pressure).v1(error.to_string());
    }
    tracing::error!(%error, "write failed");
    Error::new(Code::Internal, text).v1(error.to_string())
}
