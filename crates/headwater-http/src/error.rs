//! Errors as answers: one table from code to status, and the body every client can read
//! (`spec/auth.md` §0, `spec/decisions.md` 2). `code` and `message` are InfluxDB 2's words,
//! `error` is 1.x's where 1.x has an error for the case.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::encode::text::to_json;

const ERROR_CODE: HeaderName = HeaderName::from_static("x-platform-error-code");
const V1_ERROR: HeaderName = HeaderName::from_static("x-influxdb-error");
/// As much of an error as 1.x puts into a header, in bytes.
const V1_ERROR_BYTES: usize = 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// The message in place of an internal error's own words, which go to the log.
const MASKED: &str = "An internal error has occurred - check server logs";

/// The platform's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Internal,
    NotImplemented,
    Invalid,
    EmptyValue,
    UnprocessableEntity,
    Conflict,
    NotFound,
    Forbidden,
    Unauthorized,
    MethodNotAllowed,
    TooLarge,
    TooManyRequests,
    Unavailable,
}

impl Code {
    /// The table: the code's name and status.
    fn name_and_status(self) -> (&'static str, StatusCode) {
        match self {
            Self::Internal => ("internal error", StatusCode::INTERNAL_SERVER_ERROR),
            Self::NotImplemented => ("not implemented", StatusCode::NOT_IMPLEMENTED),
            Self::Invalid => ("invalid", StatusCode::BAD_REQUEST),
            Self::EmptyValue => ("empty value", StatusCode::BAD_REQUEST),
            Self::UnprocessableEntity => ("unprocessable entity", StatusCode::UNPROCESSABLE_ENTITY),
            Self::Conflict => ("conflict", StatusCode::UNPROCESSABLE_ENTITY),
            Self::NotFound => ("not found", StatusCode::NOT_FOUND),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED),
            Self::MethodNotAllowed => ("method not allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::TooLarge => ("request too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::TooManyRequests => ("too many requests", StatusCode::TOO_MANY_REQUESTS),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// An error on its way to the client. As a response its body is compact; [`Indented`] is the
/// other surface.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    code: Code,
    message: Cow<'static, str>,
    /// 1.x's words; the message where 1.x has none.
    v1: Option<Cow<'static, str>>,
    allow: Option<&'static str>,
    retry_after_seconds: Option<u32>,
    /// Instead of the code's own status.
    status: Option<StatusCode>,
    /// Lines of the request's body that were refused.
    lines: Vec<usize>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            v1: None,
            allow: None,
            retry_after_seconds: None,
            status: None,
            lines: Vec::new(),
        }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A method that the path does not have; `allow` lists those it has.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let error = Self::new(Code::MethodNotAllowed, format!("allow: {allow}"));
        Self {
            allow: Some(allow),
            ..error
        }
    }

    /// No usable credentials came with the request (`spec/auth.md` §3).
    pub(crate) fn no_credentials() -> Self {
        Self::new(Code::Unauthorized, "unauthorized access")
            .v1("unable to parse authentication credentials")
    }

    /// An error that is ours: `cause` is logged, the client learns nothing of it.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::new(Code::Internal, MASKED)
    }

    /// The server cannot take the request now (`spec/decisions.md` 13).
    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>, status: StatusCode) -> Self {
        Self::new(Code::Unavailable, message)
            .with_status(status)
            .retry_after(1)
    }

    /// With a status other than the code's own.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Tells the client when to come again.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// With 1.x's words in the member `error`.
    pub(crate) fn v1(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.v1 = Some(words.into());
        self
    }

    /// Names lines of the request's body that were refused, counted from 1: a member of our own.
    pub(crate) fn lines(mut self, lines: Vec<usize>) -> Self {
        self.lines = lines;
        self
    }

    fn respond(&self, indent: Option<&'static str>) -> Response {
        let (name, status) = self.code.name_and_status();
        let words = self.v1.as_ref().unwrap_or(&self.message);
        let mut body = json!({ "code": name, "message": self.message, "error": words });
        if !self.lines.is_empty() {
            body["lines"] = json!(self.lines);
        }
        let mut response = Response::new(Body::from(to_json(&body, indent)));
        *response.status_mut() = self.status.unwrap_or(status);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(ERROR_CODE, HeaderValue::from_static(name));
        if self.code != Code::Unauthorized && indent.is_none() {
            headers.insert(V1_ERROR, v1_header(words));
        } else if self.code == Code::Unauthorized {
            let challenge = HeaderValue::from_static(r#"Basic realm="InfluxDB""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The text of an error as a header, as 1.x sends it (`spec/auth.md` §6); what a header cannot
/// hold becomes a space.
fn v1_header(words: &str) -> HeaderValue {
    let printable = |byte: u8| {
        if byte < b' ' || byte == 0x7f {
            b' '
        } else {
            byte
        }
    };
    let bytes: Vec<u8> = words.bytes().take(V1_ERROR_BYTES).map(printable).collect();
    HeaderValue::from_bytes(&bytes).expect("no control characters")
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.respond(None)
    }
}

/// An error of the management resources, whose bodies are indented by tabs.
#[derive(Debug)]
pub(crate) struct Indented(pub(crate) Error);

impl<E: Into<Error>> From<E> for Indented {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Indented {
    fn into_response(self) -> Response {
        self.0.respond(Some("\t"))
    }
}

impl From<headwater_catalog::Error> for Error {
    fn from(error: headwater_catalog::Error) -> Self {
        use headwater_catalog::ErrorKind;
        let code = match error.kind() {
            ErrorKind::Invalid => Code::Invalid,
            ErrorKind::EmptyValue => Code::EmptyValue,
            ErrorKind::UnprocessableEntity => Code::UnprocessableEntity,
            ErrorKind::Conflict => Code::Conflict,
            ErrorKind::NotFound => Code::NotFound,
            ErrorKind::Forbidden => Code::Forbidden,
            ErrorKind::Unauthorized => Code::Unauthorized,
            ErrorKind::Internal => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests;
