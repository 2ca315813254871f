//! Endpoints about the server itself (`spec/query.md` §8, `spec/v2_management.md` §9).

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    encode::{text::to_json, time::rfc3339},
    error::{Code, Error},
    extract::{credentials::Caller, params::Params},
    metrics::Gauges,
    openapi,
    state::Shared,
};

/// A JSON answer; `indent` is one step of indentation.
pub(crate) fn json_response(
    status: StatusCode,
    value: &serde_json::Value,
    indent: Option<&'static str>,
) -> Response {
    let mut response = Response::new(Body::from(to_json(value, indent)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

/// `/ping`: 204, or the version for any `verbose` but `0` and `false`.
pub(crate) async fn ping(State(shared): State<Shared>, url: Params, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n").into_response();
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    match url.get_filled("verbose") {
        None | Some("0" | "false") => StatusCode::NO_CONTENT.into_response(),
        Some(_) => {
            let body = json!({ "version": shared.settings.version });
            let mut response = Response::new(Body::from(to_json(&body, None)));
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
    }
}

/// `/health`: 503 once storage refuses writes because a failure put data at risk.
pub(crate) async fn health(State(shared): State<Shared>) -> Response {
    let (status, verdict, message) = if shared.engine.statistics().is_poisoned {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "fail",
            "writes are refused since a storage failure",
        )
    } else {
        (StatusCode::OK, "pass", "ready for queries and writes")
    };
    let body = json!({
        "name": "influxdb",
        "message": message,
        "status": verdict,
        "checks": [],
        "version": shared.settings.version,
        "commit": shared.settings.commit,
    });
    json_response(status, &body, None)
}

pub(crate) async fn ready(State(shared): State<Shared>) -> Response {
    let up = shared.uptime();
    let body = json!({
        "status": "ready",
        "started": rfc3339(shared.started),
        "up": headwater_influxql::format_clock_duration(up.as_nanos() as i64),
    });
    json_response(StatusCode::OK, &body, Some("    "))
}

/// `/metrics`, for Prometheus.
pub(crate) async fn metrics(State(shared): State<Shared>) -> Result<Response, Error> {
    require_metrics(&shared)?;
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    let text = shared.metrics.text(&Gauges {
        version: &shared.settings.version,
        started_seconds: shared.started as f64 / 1e9,
        uptime_seconds: shared.uptime().as_secs_f64(),
        storage: shared.engine.statistics(),
        queries: shared.query.statistics(),
    });
    Ok((kind, text).into_response())
}

/// `/debug/vars`: figures by the names that Telegraf's plugin for InfluxDB reads.
pub(crate) async fn variables(State(shared): State<Shared>) -> Result<Response, Error> {
    require_metrics(&shared)?;
    let (totals, storage) = (shared.metrics.totals(), shared.engine.statistics());
    let body = json!({
        "system": {
            "currentTime": rfc3339(shared.clock.now()),
            "started": rfc3339(shared.started),
            "uptime": shared.uptime().as_secs(),
        },
        "httpd": {
            "name": "httpd",
            "tags": {},
            "values": {
                "authFail": totals.refused_credentials,
                "clientError": totals.client_errors,
                "pingReq": totals.requests_ping,
                "pointsWrittenDropped": totals.write_points_dropped,
                "pointsWrittenOK": totals.write_points - totals.write_points_dropped,
                "queryReq": totals.requests_query,
                "queryReqDurationNs": totals.query_time.as_nanos() as u64,
                "req": totals.requests,
                "reqActive": totals.under_way,
                "serverError": totals.server_errors,
                "writeReq": totals.requests_write,
                "writeReqBytes": totals.write_bytes,
                "writeReqDurationNs": totals.write_time.as_nanos() as u64,
            },
        },
        "write": {
            "name": "write",
            "tags": {},
            "values": {
                "pointReq": totals.write_points,
                "req": totals.requests_write,
                "writeDrop": totals.write_points_dropped,
                "writeOk": totals.write_points - totals.write_points_dropped,
            },
        },
        "storage": {
            "name": "storage",
            "tags": {},
            "values": {
                "cacheBytes": storage.cache_bytes,
                "damagedFiles": storage.damaged_files,
                "diskBytes": storage.file_bytes,
                "files": storage.files,
                "memtableBytes": storage.memtable_bytes,
            },
        },
    });
    Ok(json_response(StatusCode::OK, &body, None))
}

fn require_metrics(shared: &Shared) -> Result<(), Error> {
    if shared.settings.metrics_enabled {
        Ok(())
    } else {
        Err(Error::new(Code::Forbidden, "metrics disabled"))
    }
}

/// `/api/v2`: the resources that there are.
pub(crate) async fn links() -> Response {
    let body = json!({
        "authorizations": "/api/v2/authorizations",
        "buckets": "/api/v2/buckets",
        "dbrps": "/api/v2/dbrps",
        "delete": "/api/v2/delete",
        "me": "/api/v2/me",
        "orgs": "/api/v2/orgs",
        "query": { "self": "/api/v2/query" },
        "setup": "/api/v2/setup",
        "signin": "/api/v2/signin",
        "signout": "/api/v2/signout",
        "system": { "metrics": "/metrics", "health": "/health" },
        "users": "/api/v2/users",
        "write": "/api/v2/write",
    });
    json_response(StatusCode::OK, &body, None)
}

/// `/api/v2/openapi.json`: the OpenAPI description, for anybody.
pub(crate) async fn description(State(shared): State<Shared>) -> Response {
    let body = openapi::description(&shared.settings.version);
    json_response(StatusCode::OK, &body, None)
}

/// Flux is not offered (`spec/decisions.md` 17).
pub(crate) async fn flux(_: Caller) -> Error {
    Error::new(
        Code::NotImplemented,
        "Flux is not supported; send InfluxQL to /query",
    )
}

/// A path outside the API.
pub(crate) async fn page_not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

/// A path of the API that does not exist; only a known caller learns that.
pub(crate) async fn path_not_found(_: Caller) -> Error {
    Error::not_found("path not found")
}
