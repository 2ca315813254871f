//! One file a family of endpoints. A handler extracts, calls and encodes.

pub(crate) mod authorization;
pub(crate) mod bucket;
pub(crate) mod dbrp;
pub(crate) mod delete;
pub(crate) mod legacy;
pub(crate) mod organization;
pub(crate) mod query;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod system;
mod target;
pub(crate) mod user;
pub(crate) mod write;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

/// An answer of the management resources: JSON indented by tabs.
fn tabbed(status: StatusCode, body: &Value) -> Response {
    system::json_response(status, body, Some("\t"))
}
