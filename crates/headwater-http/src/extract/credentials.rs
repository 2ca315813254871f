//! Who sends a request. `/query` and `/write` take credentials in 1.x's ways (`spec/auth.md` §2),
//! everything else in InfluxDB 2's (§4). What the credentials are worth is the catalog's to say.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use headwater_catalog::{Authorization, Permission};

use super::params::Params;
use crate::{error::Error, state::Shared};

/// The session cookie of `/api/v2/signin`.
pub(crate) const SESSION_COOKIE: &str = "influxdb-oss-session";

/// Credentials as they came. Deliberately without `Debug`: they must not reach a log.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials {
    Token(String),
    Password { username: String, secret: String },
    Session(String),
}

impl Credentials {
    /// `u` and `p` of the URL, else a `Token` or Basic header.
    pub(crate) fn of_v1(url: &Params, headers: &HeaderMap) -> Option<Self> {
        if let (Some(username), Some(secret)) = (url.get_filled("u"), url.get_filled("p")) {
            return Some(Self::Password {
                username: username.to_owned(),
                secret: secret.to_owned(),
            });
        }
        let header = authorization_header(headers)?;
        if let Some(value) = header.strip_prefix("Token ") {
            // Exactly two parts, split at single spaces.
            if value.contains(' ') {
                return None;
            }
            let secret = value.split_once(':').map_or(value, |(_, secret)| secret);
            return Some(Self::Token(secret.to_owned()));
        }
        basic(header)
    }

    /// A `Token` or `Bearer` header, else the session cookie.
    fn of_v2(headers: &HeaderMap) -> Option<Self> {
        let token = authorization_header(headers).and_then(|header| {
            strip_scheme(header, "Token ").or_else(|| strip_scheme(header, "Bearer "))
        });
        match token {
            Some(token) => Some(Self::Token(token.to_owned())),
            None => session_key(headers).map(Self::Session),
        }
    }
}

/// The credentials of a Basic header.
pub(crate) fn basic_header(headers: &HeaderMap) -> Option<(String, String)> {
    match basic(authorization_header(headers)?)? {
        Credentials::Password { username, secret } => Some((username, secret)),
        Credentials::Token(_) | Credentials::Session(_) => None,
    }
}

/// The key in the session cookie.
pub(crate) fn session_key(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, key)| key.trim_matches('"').to_owned())
}

fn authorization_header(headers: &HeaderMap) -> Option<&str> {
    std::str::from_utf8(headers.get(header::AUTHORIZATION)?.as_bytes()).ok()
}

/// The rest of `header` after `scheme`, whose case does not count.
fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = header.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn basic(header: &str) -> Option<Credentials> {
    let decoded = STANDARD.decode(strip_scheme(header, "Basic ")?).ok()?;
    let text = String::from_utf8_lossy(&decoded);
    let (username, secret) = text.split_once(':')?;
    Some(Credentials::Password {
        username: username.to_owned(),
        secret: secret.to_owned(),
    })
}

/// The authorization behind a request to `/query` or `/write`.
#[derive(Debug)]
pub(crate) struct V1Caller(pub(crate) Arc<Authorization>);

impl FromRequestParts<Shared> for V1Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Error> {
        let url = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let credentials =
            Credentials::of_v1(&url, &parts.headers).ok_or_else(Error::no_credentials)?;
        let found = match credentials {
            Credentials::Token(token) => shared.catalog.authenticate_token_v1(&token),
            Credentials::Password { username, secret } => {
                shared
                    .catalog
                    .authenticate_password(&username, &secret)
                    .await
            }
            Credentials::Session(_) => return Err(Error::no_credentials()),
        };
        found
            .map(Self)
            .map_err(|error| Error::from(error).v1("authorization failed"))
    }
}

/// The authorization behind a request to the management surface. It may be inactive.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) authorization: Arc<Authorization>,
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Error> {
        let found = match Credentials::of_v2(&parts.headers) {
            Some(Credentials::Token(token)) => shared.catalog.authenticate_token_v2(&token),
            Some(Credentials::Session(key)) => shared.catalog.authenticate_session(&key),
            Some(Credentials::Password { .. }) | None => return Err(Error::no_credentials()),
        };
        let authorization = found
            .map_err(|error| Error::from(error).v1("unable to parse authentication credentials"))?;
        Ok(Self { authorization })
    }
}

impl Caller {
    /// Refuses a call on a single object (`spec/auth.md` §4, §5).
    pub(crate) fn require(&self, needed: Permission) -> Result<(), Error> {
        Ok(self.authorization.require(needed)?)
    }

    /// Whether a list shows an object that `needed` reads.
    pub(crate) fn may(&self, needed: Permission) -> bool {
        self.authorization.allows(&needed)
    }
}

#[cfg(test)]
mod tests;
