//! `/api/v2/users` and `/api/v2/me` (`spec/v2_management.md` §7).

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{Action, NewUser, Permission, ResourceType, Status, User, UserChange};
use headwater_model::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, no_content, ok};
use crate::{
    error::{Error, Indented},
    extract::{
        body::read_json,
        credentials::{Caller, basic_header, session_key},
        id::{self, PathId},
        paging::Paging,
        params::Params,
    },
    state::Shared,
};

#[derive(Deserialize)]
struct Body {
    name: Option<String>,
    status: Option<String>,
}

impl Body {
    fn status(&self) -> Result<Option<Status>, Error> {
        let status = self.status.as_deref().filter(|status| !status.is_empty());
        Ok(status.map(str::parse).transpose()?)
    }
}

/// The body of a request that sets a password.
#[derive(Deserialize)]
pub(crate) struct PasswordBody {
    #[serde(default)]
    pub(crate) password: String,
}

pub(crate) fn view(user: &User) -> Value {
    json!({
        "links": { "self": format!("/api/v2/users/{}", user.id) },
        "id": user.id.to_string(),
        "name": user.name,
        "status": user.status.name(),
    })
}

fn permission(action: Action, id: Id) -> Permission {
    Permission::new(action, ResourceType::Users).on(id)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let paging = Paging::of(&url)?;
    let state = shared.catalog.state();
    let found: Vec<_> = match (id::of_param(&url, "id")?, url.get_filled("name")) {
        (Some(id), _) => vec![state.require_user(id)?],
        (None, Some(name)) => {
            vec![
                state
                    .user_by_name(name)
                    .ok_or(headwater_catalog::Error::UserNotFound)?,
            ]
        }
        (None, None) => state.users().collect(),
    };
    let readable = found
        .into_iter()
        .filter(|user| caller.may(permission(Action::Read, user.id)))
        .collect();
    let users: Vec<Value> = paging
        .cut(readable, |user| user.id)
        .into_iter()
        .map(|user| view(user))
        .collect();
    let body = json!({ "links": { "self": "/api/v2/users" }, "users": users });
    Ok(ok(&body))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), "").await?;
    caller.require(Permission::new(Action::Write, ResourceType::Users))?;
    let new = NewUser {
        status: body.status()?.unwrap_or_default(),
        name: body.name.unwrap_or_default(),
    };
    let user = shared.catalog.create_user(new).await?;
    Ok(created(&view(&user)))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    caller.require(permission(Action::Read, id))?;
    let state = shared.catalog.state();
    Ok(ok(&view(state.require_user(id)?)))
}

pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), "").await?;
    caller.require(permission(Action::Write, id))?;
    let change = UserChange {
        status: body.status()?,
        name: body.name,
    };
    let user = shared.catalog.update_user(id, change).await?;
    Ok(ok(&view(&user)))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    caller.require(permission(Action::Write, id))?;
    shared.catalog.delete_user(id).await?;
    Ok(no_content())
}

pub(crate) async fn set_password(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let body: PasswordBody = read_json(&shared, request.into_body(), "").await?;
    caller.require(permission(Action::Write, id))?;
    shared.catalog.set_user_password(id, &body.password).await?;
    Ok(no_content())
}

pub(crate) async fn me(State(shared): State<Shared>, caller: Caller) -> Result<Response, Indented> {
    let id = caller.authorization.user_id;
    caller.require(permission(Action::Read, id))?;
    let state = shared.catalog.state();
    Ok(ok(&view(state.require_user(id)?)))
}

/// Needs the session and the old password.
pub(crate) async fn set_own_password(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let (parts, body) = request.into_parts();
    let (Some(_), Some((username, password))) =
        (session_key(&parts.headers), basic_header(&parts.headers))
    else {
        return Err(Error::no_credentials().into());
    };
    let user = shared
        .catalog
        .authenticate_user(&username, &password)
        .await?;
    if user.id != caller.authorization.user_id {
        return Err(Error::no_credentials().into());
    }
    let body: PasswordBody = read_json(&shared, body, "").await?;
    shared
        .catalog
        .set_user_password(user.id, &body.password)
        .await?;
    Ok(no_content())
}
