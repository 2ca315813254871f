//! One file a family of endpoints. A handler extracts, calls and encodes.

pub(crate) mod authorization;
pub(crate) mod bucket;
pub(crate) mod dbrp;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod legacy;
pub(crate) mod organization;
pub(crate) mod query;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod system;
mod target;
pub(crate) mod user;
pub(crate) mod write;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// What the management resources answer: JSON indented by tabs.
fn ok(body: &Value) -> Response {
    system::json_response(StatusCode::OK, body, Some("\t"))
}

/// As [`ok`], for what was made.
fn created(body: &Value) -> Response {
    system::json_response(StatusCode::CREATED, body, Some("\t"))
}

fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
