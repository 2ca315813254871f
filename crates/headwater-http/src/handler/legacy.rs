//! `/private/legacy/authorizations`: 1.x credentials (`spec/v2_management.md` §6). Their `token`
//! is a username.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{
    Action, Authorization, AuthorizationChange, Catalog, NewLegacyAuthorization, Permission,
    ResourceType, State as CatalogState,
};
use headwater_model::Id;
use serde_json::Value;

use super::{
    authorization::{self, Body, Filter, Kind},
    created, no_content,
    user::PasswordBody,
};
use crate::{
    error::Indented,
    extract::{body::read_json, credentials::Caller, id::PathId, params::Params},
    state::Shared,
};

/// 1.x credentials.
pub(crate) struct Credentials;

impl Kind for Credentials {
    const PATH: &'static str = "/private/legacy/authorizations";

    fn find(state: &CatalogState, id: Id) -> headwater_catalog::Result<&Arc<Authorization>> {
        state.require_legacy_authorization(id)
    }

    fn shown_token(credential: &Authorization) -> &str {
        credential.username.as_deref().unwrap_or_default()
    }

    fn update(
        catalog: &Catalog,
        id: Id,
        change: AuthorizationChange,
    ) -> impl Future<Output = headwater_catalog::Result<Arc<Authorization>>> + Send {
        catalog.update_legacy_authorization(id, change)
    }

    fn delete(
        catalog: &Catalog,
        id: Id,
    ) -> impl Future<Output = headwater_catalog::Result<()>> + Send {
        catalog.delete_legacy_authorization(id)
    }
}

fn view(state: &CatalogState, credential: &Authorization) -> Value {
    let username = Credentials::shown_token(credential);
    authorization::view(state, Credentials::PATH, credential, username)
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
    Ok(authorization::list_view(Credentials::PATH, found))
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
    let made = shared
        .catalog
        .create_legacy_authorization(&caller.authorization, new)
        .await?;
    Ok(created(&view(&shared.catalog.state(), &made)))
}

/// Needs write on the owner only.
pub(crate) async fn set_password(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let body: PasswordBody =
        read_json(&shared, request.into_body(), "invalid json structure: ").await?;
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
    Ok(no_content())
}
