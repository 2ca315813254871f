//! `/api/v2/setup` (`spec/v2_management.md` §1).

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::Setup;
use serde::Deserialize;
use serde_json::json;

use super::{authorization, bucket, created, ok, organization, user};
use crate::{error::Indented, extract::body::read_json, state::Shared};

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    username: Option<String>,
    password: Option<String>,
    org: Option<String>,
    bucket: Option<String>,
    retention_period_seconds: Option<i64>,
    /// Despite its name a number of nanoseconds.
    retention_period_hrs: Option<i64>,
    token: Option<String>,
}

pub(crate) async fn is_allowed(State(shared): State<Shared>) -> Response {
    ok(&json!({ "allowed": shared.catalog.state().is_setup_allowed() }))
}

pub(crate) async fn setup(
    State(shared): State<Shared>,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), "").await?;
    let from_hours = body
        .retention_period_hrs
        .map(|period| period / NANOSECONDS_PER_SECOND);
    let made = shared
        .catalog
        .setup(Setup {
            username: body.username.unwrap_or_default(),
            password: body.password,
            organization: body.org.unwrap_or_default(),
            bucket: body.bucket.unwrap_or_default(),
            retention_seconds: body.retention_period_seconds.or(from_hours).unwrap_or(0),
            token: body.token,
        })
        .await?;
    let body = json!({
        "user": user::view(&made.user),
        "bucket": bucket::view(&made.bucket),
        "org": organization::view(&made.organization),
        "auth": authorization::bare_view(&made.authorization, &made.token),
    });
    Ok(created(&body))
}
