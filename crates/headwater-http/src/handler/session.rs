//! `/api/v2/signin` and `/api/v2/signout` (`spec/v2_management.md` §2).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::DateTime;

use super::no_content;
use crate::{
    error::{Error, Indented},
    extract::credentials::{SESSION_COOKIE, basic_header, session_key},
    state::Shared,
};

/// Starts a session for name and password of a Basic header.
pub(crate) async fn sign_in(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, Indented> {
    let (username, password) = basic_header(&headers).ok_or_else(Error::no_credentials)?;
    let session = shared
        .catalog
        .sign_in(&username, &password)
        .await
        .map_err(|error| Error::from(error).v1("authorization failed"))?;
    let expires =
        DateTime::from_timestamp_nanos(session.expires_at).format("%a, %d %b %Y %H:%M:%S GMT");
    let cookie = format!(
        "{SESSION_COOKIE}={}; Path=/api/; Expires={expires}; HttpOnly; SameSite=Strict",
        session.key
    );
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

pub(crate) async fn sign_out(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, Indented> {
    let key = session_key(&headers).ok_or_else(Error::no_credentials)?;
    shared.catalog.sign_out(&key)?;
    Ok(no_content())
}
