//! What every request and every answer goes through: trailing slashes, preflight, panics,
//! counting, and the headers of `spec/query.md` §7.

mod panic;
mod request_id;

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery,
    },
    middleware::Next,
    response::Response,
};
use tower::ServiceExt;

use self::{panic::CatchPanic, request_id::RequestIds};
use crate::state::Shared;

const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_SHORT: HeaderName = HeaderName::from_static("request-id");

const ALLOWED_METHODS: HeaderValue =
    HeaderValue::from_static("POST, GET, OPTIONS, PUT, DELETE, PATCH");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Content-Type, Content-Length, Accept-Encoding, Authorization, User-Agent",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Date, X-InfluxDB-Version, X-InfluxDB-Build, X-Platform-Error-Code, Request-Id, X-Request-Id",
);

/// `inner` behind the edge.
pub(crate) fn wrap(inner: Router, shared: Shared) -> Router {
    let edge = Edge {
        version: header_value(&shared.settings.version),
        build: header_value(&shared.settings.build),
        request_ids: RequestIds::new(&shared),
        inner,
        shared,
    };
    let edge = std::sync::Arc::new(edge);
    Router::new().fallback(move |request: Request| {
        let edge = std::sync::Arc::clone(&edge);
        async move { edge.handle(request).await }
    })
}

/// Leaves the matched route in the answer, where the edge counts it.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

struct Edge {
    inner: Router,
    shared: Shared,
    version: HeaderValue,
    build: HeaderValue,
    request_ids: RequestIds,
}

impl Edge {
    async fn handle(&self, mut request: Request) -> Response {
        let method = request.method().clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let request_id = self.request_ids.of(request.headers());
        let path = request.uri().path().to_owned();
        let response = match &origin {
            Some(_) if method == Method::OPTIONS => preflight(),
            _ => {
                if let Some(uri) = without_trailing_slash(request.uri()) {
                    *request.uri_mut() = uri;
                }
                match CatchPanic::new(self.inner.clone().oneshot(request)).await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(panic) => panic::respond(&path, panic),
                }
            }
        };
        let route = response
            .extensions()
            .get::<MatchedPath>()
            .map(MatchedPath::as_str);
        self.shared
            .metrics
            .count_request(route, &method, response.status());
        self.with_headers(response, request_id, origin)
    }

    fn with_headers(
        &self,
        mut response: Response,
        request_id: HeaderValue,
        origin: Option<HeaderValue>,
    ) -> Response {
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(VERSION, self.version.clone());
        headers.insert(BUILD, self.build.clone());
        headers.insert(REQUEST_ID_SHORT, request_id.clone());
        headers.insert(REQUEST_ID, request_id);
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        response
    }
}

/// The answer to a browser that asks what it may send; credentials come later.
fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    response
}

/// `None` when there is nothing to take away.
fn without_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let short = path.trim_end_matches('/');
    if short.len() == path.len() || path == "/" {
        return None;
    }
    let short = if short.is_empty() { "/" } else { short };
    let target = match uri.query() {
        Some(query) => format!("{short}?{query}"),
        None => short.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests;
