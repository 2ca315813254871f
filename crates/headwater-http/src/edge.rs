//! What every request and every answer goes through: limits, trailing slashes, preflight, panics,
//! counting, the request log, and the headers of `spec/query.md` §7.

mod cors;
mod limits;
mod log;
mod panic;
mod request_id;
mod watched;

pub(crate) use self::limits::Refusal;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

use self::{
    cors::Cors, limits::Limits, log::Line, panic::CatchPanic, request_id::RequestIds,
    watched::watched,
};
use crate::state::Shared;

const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_SHORT: HeaderName = HeaderName::from_static("request-id");
/// The route of what has none.
const NO_ROUTE: &str = "none";

/// `inner` behind the edge.
pub(crate) fn wrap(inner: Router, shared: Shared) -> Router {
    let edge = Edge {
        version: header_value(&shared.settings.version),
        build: header_value(&shared.settings.build),
        request_ids: RequestIds::new(&shared),
        limits: Limits::new(&shared.settings),
        cors: Cors::new(&shared.settings.cors_origins),
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
    limits: Limits,
    cors: Cors,
}

impl Edge {
    async fn handle(&self, request: Request) -> Response {
        let started = self.shared.clock.monotonic();
        let method = request.method().clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let request_id = self.request_ids.of(request.headers());
        let line = (self.shared.settings.log_requests).then(|| Line::new(&request, &request_id));
        let (turn, mut response) = match self.limits.admit(&request, started) {
            Ok(turn) => {
                let under_way = self.shared.metrics.request_under_way();
                let response = match &origin {
                    Some(origin) if method == Method::OPTIONS => self.cors.preflight(origin),
                    _ => self.route(request).await,
                };
                (Some((turn, under_way)), response)
            }
            Err((refusal, error)) => {
                self.shared.metrics.count_refusal(refusal);
                (None, error.into_response())
            }
        };
        let route = response.extensions_mut().remove::<MatchedPath>();
        let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let status = response.status();
        self.shared.metrics.count_request(route, &method, status);
        self.add_headers(response.headers_mut(), request_id, origin);
        let (shared, route) = (self.shared.clone(), route.to_owned());
        response.map(|body| {
            watched(body, move |bytes, whole| {
                let took = shared.clock.monotonic().saturating_sub(started);
                shared.metrics.time_request(&route, took, bytes);
                if let Some(line) = line {
                    line.write(status, bytes, took, whole);
                }
                drop(turn);
            })
        })
    }

    async fn route(&self, mut request: Request) -> Response {
        let path = request.uri().path().to_owned();
        if let Some(uri) = without_trailing_slash(request.uri()) {
            *request.uri_mut() = uri;
        }
        match CatchPanic::new(self.inner.clone().oneshot(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => panic::respond(&path, panic),
        }
    }

    fn add_headers(
        &self,
        headers: &mut HeaderMap,
        request_id: HeaderValue,
        origin: Option<HeaderValue>,
    ) {
        headers.insert(VERSION, self.version.clone());
        headers.insert(BUILD, self.build.clone());
        headers.insert(REQUEST_ID_SHORT, request_id.clone());
        headers.insert(REQUEST_ID, request_id);
        if let Some(origin) = origin {
            self.cors.mark(headers, origin);
        }
    }
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
