//! `/query` (`spec/query.md`): finds the query text and parameters, parses, and streams the
//! results. What the statements mean is not known here.

mod accept;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Response},
};
use headwater_influxql::{Params as BoundParams, parse_query};
use headwater_query::QueryRequest;

use crate::{
    answer,
    encode::Options,
    error::Error,
    extract::{
        body,
        credentials::V1Caller,
        params::{Form, Params},
        precision,
    },
    state::Shared,
};

const ALLOW: &str = "GET, OPTIONS, POST";
const CHUNK_ROWS: usize = 10_000;
/// The largest urlencoded body, in bytes.
const FORM_BYTES_MAX: usize = 10 << 20;

pub(crate) async fn query(
    State(shared): State<Shared>,
    V1Caller(authorization): V1Caller,
    request: Request,
) -> Result<Response, Error> {
    match *request.method() {
        Method::GET | Method::POST | Method::HEAD => {}
        Method::OPTIONS => return Ok(allow(ALLOW)),
        _ => return Err(Error::method_not_allowed(ALLOW)),
    }
    shared.metrics.count_query();
    let (parts, body) = request.into_parts();
    let (form, text) = query_text(&parts, body, shared.settings.body_bytes_max).await?;
    let values = &form.values;
    let query = parse(&text, values.get_filled("params"))?;
    let chunked = values.get("chunked") == Some("true");
    let options = Options {
        format: accept::format(&parts.headers),
        chunked,
        pretty: values.get("pretty") == Some("true"),
        epoch: precision::of_query(values),
        gathered_cells_max: shared.settings.gathered_cells_max,
    };
    let pieces = shared.query.execute(QueryRequest {
        authorization,
        database: values.get_filled("db").map(str::to_owned),
        retention_policy: values.get_filled("rp").map(str::to_owned),
        query,
        is_chunked: chunked,
        chunk_size: if chunked {
            chunk_size(values)
        } else {
            CHUNK_ROWS
        },
    });
    let gzip = answer::accepts_gzip(&parts.headers);
    Ok(answer::respond(pieces, options, gzip, shared.settings.result_hold_bytes).await)
}

/// `GET /` with a `q` is a query (`spec/decisions.md` 6).
pub(crate) async fn root(state: State<Shared>, request: Request) -> Response {
    use axum::extract::FromRequestParts;

    if Params::parse(request.uri().query().unwrap_or_default().as_bytes())
        .get("q")
        .is_none()
    {
        return super::system::page_not_found().await;
    }
    let (mut parts, body) = request.into_parts();
    match V1Caller::from_request_parts(&mut parts, &state.0).await {
        Ok(caller) => query(state, caller, Request::from_parts(parts, body))
            .await
            .into_response(),
        Err(error) => error.into_response(),
    }
}

/// All answers of the 1.x surface tell that they depend on what the client takes.
pub(crate) async fn vary(mut response: Response) -> Response {
    let value = HeaderValue::from_static("Accept-Encoding");
    response.headers_mut().insert(header::VARY, value);
    response
}

/// An empty answer that tells the methods of a path.
pub(crate) fn allow(methods: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// The form values and the query text (`spec/query.md` §1.1).
async fn query_text(
    parts: &Parts,
    body: Body,
    body_bytes_max: usize,
) -> Result<(Form, String), Error> {
    let url = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let kind = media_type(&parts.headers);
    let essence = kind.as_ref().map(mime::Mime::essence_str);
    let mut body = Some(body);
    let mut take_body = || body.take().unwrap_or_default();
    let form = match (&kind, essence) {
        (_, Some("application/x-www-form-urlencoded")) if parts.method == Method::POST => {
            Form::urlencoded(url, &body::read(take_body(), FORM_BYTES_MAX).await?)
        }
        (Some(kind), Some("multipart/form-data")) => {
            let boundary = kind
                .get_param(mime::BOUNDARY)
                .map(|boundary| boundary.to_string());
            let boundary = boundary.ok_or_else(missing_text)?;
            Form::multipart(
                url,
                body::read(take_body(), body_bytes_max).await?,
                boundary,
            )
            .await?
        }
        _ => Form {
            values: url,
            query_file: None,
        },
    };
    let value = form
        .values
        .get("q")
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let text = match (value, &form.query_file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) if essence == Some("application/vnd.influxql") => {
            let bytes = body::read(take_body(), body_bytes_max).await?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        (None, None) => return Err(missing_text()),
    };
    Ok((form, text))
}

fn media_type(headers: &HeaderMap) -> Option<mime::Mime> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn missing_text() -> Error {
    Error::invalid(r#"missing required parameter "q""#)
}

fn parse(text: &str, params: Option<&str>) -> Result<headwater_influxql::ast::Query, Error> {
    let params = match params {
        Some(json) => {
            BoundParams::from_json(json).map_err(|error| Error::invalid(error.to_string()))?
        }
        None => BoundParams::default(),
    };
    parse_query(text, &params).map_err(|error| {
        Error::invalid(format!("failed to parse query: {error}"))
            .v1(format!("error parsing query: {error}"))
    })
}

fn chunk_size(values: &Params) -> usize {
    values
        .get("chunk_size")
        .and_then(|text| text.parse().ok())
        .filter(|&size| size > 0)
        .unwrap_or(CHUNK_ROWS)
}
