//! Which pages of other origins a browser lets call the server.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

const ALLOWED_METHODS: HeaderValue =
    HeaderValue::from_static("POST, GET, OPTIONS, PUT, DELETE, PATCH");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Content-Type, Content-Length, Accept-Encoding, Authorization, User-Agent",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Date, X-InfluxDB-Version, X-InfluxDB-Build, X-Platform-Error-Code, Request-Id, X-Request-Id",
);

/// The origins that are allowed; `*` is any.
#[derive(Debug)]
pub(super) struct Cors(Vec<String>);

impl Cors {
    pub(super) fn new(origins: &[String]) -> Self {
        Self(origins.to_vec())
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
    }

    /// Adds what tells a browser that the page of `origin` may read an answer.
    pub(super) fn mark(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        if self.allows(&origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }

    /// The answer to a browser that asks what the page of `origin` may send; credentials come
    /// later. An origin that is not allowed learns nothing, and its browser stops there.
    pub(super) fn preflight(&self, origin: &HeaderValue) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allows(origin) {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        }
        response
    }
}
