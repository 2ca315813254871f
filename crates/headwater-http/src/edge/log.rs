//! The request log: one line a request, written when its answer has left. No secret is in it: of
//! the URL only parameters that are known to hold none are shown, passwords in statements are
//! hidden, and no header is shown but the client's name.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Version, header},
};
use headwater_influxql::redact_passwords;
use tracing::info;

use crate::{extract::params::Params, server::Peer};

/// Parameters whose values are shown; of others only the name is.
const SHOWN: [&str; 19] = [
    "after",
    "bucket",
    "bucketID",
    "chunk_size",
    "chunked",
    "db",
    "default",
    "descending",
    "epoch",
    "id",
    "limit",
    "offset",
    "org",
    "orgID",
    "precision",
    "pretty",
    "q",
    "rp",
    "userID",
];
/// More than that of a parameter is not shown, in characters.
const VALUE_CHARACTERS: usize = 2_000;

/// What is known of a request when it comes.
#[derive(Debug)]
pub(super) struct Line {
    method: Method,
    path: String,
    parameters: String,
    version: Version,
    peer: Option<SocketAddr>,
    user_agent: String,
    request_id: HeaderValue,
}

impl Line {
    pub(super) fn new(request: &Request, request_id: &HeaderValue) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT);
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            parameters: parameters(request.uri().query().unwrap_or_default()),
            version: request.version(),
            peer: request.extensions().get::<Peer>().map(|peer| peer.0),
            user_agent: user_agent.map_or_else(String::new, text),
            request_id: request_id.clone(),
        }
    }

    /// `bytes` are those of the answer's body; `whole` says whether all of it left.
    pub(super) fn write(self, status: StatusCode, bytes: u64, took: Duration, whole: bool) {
        info!(
            target: "headwater_http::request",
            method = %self.method,
            path = self.path,
            parameters = self.parameters,
            status = status.as_u16(),
            bytes,
            milliseconds = took.as_secs_f64() * 1000.0,
            whole,
            protocol = ?self.version,
            peer = self.peer.map(|peer| peer.to_string()),
            user_agent = self.user_agent,
            request_id = text(&self.request_id),
            "request",
        );
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn parameters(query: &str) -> String {
    let mut shown = String::new();
    for (name, value) in Params::parse(query.as_bytes()).iter() {
        let separator = if shown.is_empty() { "" } else { " " };
        let value = if !SHOWN.contains(&name) {
            "…".to_owned()
        } else {
            let cut: String = value.chars().take(VALUE_CHARACTERS).collect();
            redact_passwords(&cut)
        };
        write!(shown, "{separator}{name}={value}").expect("a string takes every text");
    }
    shown
}

#[cfg(test)]
mod tests;
