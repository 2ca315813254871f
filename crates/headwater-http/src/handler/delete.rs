//! `POST /api/v2/delete` (`spec/v2_management.md` §8).

mod predicate;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use chrono::DateTime;
use headwater_catalog::{Bucket, Profile};
use headwater_model::{MAX_TIME, MIN_TIME, TimeRange};
use headwater_storage::{DeleteRequest, TagPredicate};
use serde::Deserialize;

use self::predicate::Rule;
use super::{no_content, target};
use crate::{
    encode::time::rfc3339,
    error::{Code, Error},
    extract::{body::read_json, credentials::Caller, id, params::Params},
    state::Shared,
};

const MALFORMED: &str = "error decoding json body: ";

#[derive(Deserialize)]
struct Body {
    start: Option<String>,
    stop: Option<String>,
    predicate: Option<String>,
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
    request: Request,
) -> Result<Response, Error> {
    let body: Body = read_json(&shared, request.into_body(), MALFORMED).await?;
    let range = time_range(&body)?;
    let rules = predicate::parse(body.predicate.as_deref().unwrap_or_default())?;
    let bucket = bucket(&shared, &url, &caller)?;
    caller.authorization.require_delete(&bucket)?;
    let request = delete_request(&shared, &bucket, range, rules)?;
    shared
        .engine
        .delete(bucket.id, request)
        .await
        .map_err(|error| {
            if error.kind() == headwater_storage::ErrorKind::Unavailable {
                Error::unavailable(error.to_string(), shared.settings.back_pressure_status)
            } else {
                Error::internal(error)
            }
        })?;
    Ok(no_content())
}

/// Both ends are inside.
fn time_range(body: &Body) -> Result<TimeRange, Error> {
    let start = time(body.start.as_deref(), "start", "2009-01-02T23:00:00Z")?;
    let stop = time(body.stop.as_deref(), "stop", "2009-01-01T23:00:00Z")?;
    if start < i128::from(MIN_TIME) {
        return Err(Error::invalid(format!(
            "{MALFORMED}invalid start time, start time must not be before {}",
            rfc3339(MIN_TIME)
        )));
    }
    if stop > i128::from(MAX_TIME) {
        return Err(Error::invalid(format!(
            "{MALFORMED}invalid stop time, stop time must not be after {}",
            rfc3339(MAX_TIME)
        )));
    }
    let clamp =
        |time: i128| i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX });
    Ok(TimeRange::new(clamp(start), clamp(stop)))
}

/// Nanoseconds since 1970, of which a date may have more than fit 64 bits.
fn time(text: Option<&str>, name: &str, example: &str) -> Result<i128, Error> {
    let parsed = DateTime::parse_from_rfc3339(text.unwrap_or_default()).map_err(|_| {
        Error::invalid(format!(
            "{MALFORMED}invalid RFC3339Nano for field {name}, please format your time with \
             RFC3339Nano format, example: {example}"
        ))
    })?;
    let fraction = i128::from(parsed.timestamp_subsec_nanos());
    Ok(i128::from(parsed.timestamp()) * 1_000_000_000 + fraction)
}

fn bucket(shared: &Shared, url: &Params, caller: &Caller) -> Result<Arc<Bucket>, Error> {
    let state = shared.catalog.state();
    let names_organization = ["orgID", "org"].map(|name| url.get_filled(name).is_some());
    if state.profile() == Profile::Oss && names_organization == [false; 2] {
        return Err(Error::invalid("Please provide either orgID or org"));
    }
    let organization = target::organization(&state, url, caller)?;
    if let Some(id) = id::of_param(url, "bucketID")? {
        return Ok(Arc::clone(state.require_bucket(id)?));
    }
    let text = url
        .get_filled("bucket")
        .ok_or_else(|| Error::invalid("Please provide either bucketID or bucket"))?;
    Ok(target::bucket(&state, organization, text)?)
}

/// What storage is to delete; rules on `_measurement` choose measurements, others tags.
fn delete_request(
    shared: &Shared,
    bucket: &Bucket,
    range: TimeRange,
    rules: Vec<Rule>,
) -> Result<DeleteRequest, Error> {
    if rules.iter().any(|rule| rule.key == "_field") {
        return Err(Error::new(
            Code::NotImplemented,
            "delete by field is not supported",
        ));
    }
    let (of_measurement, of_tags): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| rule.key == "_measurement");
    let measurements = if of_measurement.is_empty() {
        None
    } else {
        let all = shared
            .engine
            .snapshot(bucket.id)
            .measurements()
            .map_err(Error::internal)?;
        let wanted = |name: &&Arc<str>| {
            of_measurement
                .iter()
                .all(|rule| (***name == *rule.value) == rule.equal)
        };
        Some(
            all.iter()
                .filter(wanted)
                .map(|name| name.to_string())
                .collect(),
        )
    };
    let predicate = (!of_tags.is_empty())
        .then(|| TagPredicate::And(of_tags.into_iter().map(tag_predicate).collect()));
    Ok(DeleteRequest {
        measurements,
        predicate,
        range,
    })
}

fn tag_predicate(rule: Rule) -> TagPredicate {
    let equals = TagPredicate::Equals {
        key: rule.key,
        value: rule.value,
    };
    if rule.equal {
        equals
    } else {
        TagPredicate::Not(Box::new(equals))
    }
}
