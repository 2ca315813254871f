//! `/private/legacy/authorizations`: 1.x credentials (`spec/v2_management.md` §6). Their `token`
//! is a username.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use headwater_catalog::{
    Action, Authorization, NewLegacyAuthorization, Permission, ResourceType, State as CatalogState,
};
use headwater_model::Id;
use serde_json::Value;

use super::{
    authorization::{self, Body, Filter},
    tabbed,
    user::PasswordBody,
};
use crate::{
    error::{Error, Indented},
    extract::{body::read_json, credentials::Caller, id::PathId, params::Params},
    state::Shared,
};

const PATH: &str = "/private/legacy/authorizations";

fn view(state: &CatalogState, credential: &Authorization) -> Value {
    let username = credential.username.as_deref().unwrap_or_default();
    authorization::view(state, PATH, credential, username)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let state = shared.catalog.state();
    let filter = Filter::of(&state, &url, Some("authID"))?;
    let username = url.get_filled("token");
    if let Some(id) = filter.id() {
        state.require_legacy_authorization(id)?;
    }
    if let Some(username) = username
        && state.legacy_authorization_by_username(username).is_none()
    {
        return Err(headwater_catalog::Error::AuthorizationNotFound.into());
    }
    let found = state
        .legacy_authorizations()
        .filter(|credential| username.is_none() || credential.username.as_deref() == username)
        .filter(|credential| filter.matches(credential))
        .filter(|credential| authorization::may_read(&caller, credential))
        .map(|credential| view(&state, credential))
        .collect();
    Ok(authorization::list_view(PATH, found))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body = Body::read(&shared, request).await?;
    let new = NewLegacyAuthorization {
        org_id: body.org_id()?,
        user_id: body.user_id()?,
        status: body.status()?.unwrap_or_default(),
        permissions: body.permissions()?,
        username: body.token.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
    };
    let created = shared
        .catalog
        .create_legacy_authorization(&caller.authorization, new)
        .await?;
    Ok(tabbed(
        StatusCode::CREATED,
        &view(&shared.catalog.state(), &created),
    ))
}

fn find(
    shared: &Shared,
    caller: &Caller,
    action: Action,
    id: Id,
) -> Result<Arc<Authorization>, Error> {
    let credential = Arc::clone(shared.catalog.state().require_legacy_authorization(id)?);
    authorization::require(caller, action, &credential)?;
    Ok(credential)
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    let found = find(&shared, &caller, Action::Read, id)?;
    Ok(tabbed(
        StatusCode::OK,
        &view(&shared.catalog.state(), &found),
    ))
}

pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let change = Body::read(&shared, request).await?.change()?;
    find(&shared, &caller, Action::Write, id)?;
    let changed = shared
        .catalog
        .update_legacy_authorization(id, change)
        .await?;
    Ok(tabbed(
        StatusCode::OK,
        &view(&shared.catalog.state(), &changed),
    ))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    find(&shared, &caller, Action::Write, id)?;
    shared.catalog.delete_legacy_authorization(id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Needs write on the owner only.
pub(crate) async fn set_password(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let max = shared.settings.body_bytes_max;
    let body: PasswordBody =
        read_json(request.into_body(), max, "invalid json structure: ").await?;
    let owner = shared
        .catalog
        .state()
        .require_legacy_authorization(id)?
        .user_id;
    caller.require(Permission::new(Action::Write, ResourceType::Users).on(owner))?;
    shared
        .catalog
        .set_legacy_password(id, &body.password)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
