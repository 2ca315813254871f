//! `/api/v2/authorizations` (`spec/v2_management.md` §5).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{
    Action, Authorization, AuthorizationChange, Catalog, NewAuthorization, Permission,
    ResourceType, State as CatalogState, Status,
};
use headwater_model::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, no_content, ok};
use crate::{
    encode::time::rfc3339,
    error::{Error, Indented},
    extract::{
        body::read_json,
        credentials::Caller,
        id::{self, PathId},
        params::Params,
    },
    state::Shared,
};

const PATH: &str = Tokens::PATH;
const MALFORMED: &str = "invalid json structure: ";

/// What tells API tokens and 1.x credentials apart; everything else of them is the same.
pub(crate) trait Kind: 'static {
    const PATH: &'static str;

    fn find(state: &CatalogState, id: Id) -> headwater_catalog::Result<&Arc<Authorization>>;

    /// The member `token` once the credential has been created.
    fn shown_token(authorization: &Authorization) -> &str;

    fn update(
        catalog: &Catalog,
        id: Id,
        change: AuthorizationChange,
    ) -> impl Future<Output = headwater_catalog::Result<Arc<Authorization>>> + Send;

    fn delete(
        catalog: &Catalog,
        id: Id,
    ) -> impl Future<Output = headwater_catalog::Result<()>> + Send;
}

/// API tokens.
pub(crate) struct Tokens;

impl Kind for Tokens {
    const PATH: &'static str = "/api/v2/authorizations";

    fn find(state: &CatalogState, id: Id) -> headwater_catalog::Result<&Arc<Authorization>> {
        state.require_authorization(id)
    }

    /// The token itself is a secret that only the answer to its creation tells.
    fn shown_token(_: &Authorization) -> &str {
        ""
    }

    fn update(
        catalog: &Catalog,
        id: Id,
        change: AuthorizationChange,
    ) -> impl Future<Output = headwater_catalog::Result<Arc<Authorization>>> + Send {
        catalog.update_authorization(id, change)
    }

    fn delete(
        catalog: &Catalog,
        id: Id,
    ) -> impl Future<Output = headwater_catalog::Result<()>> + Send {
        catalog.delete_authorization(id)
    }
}

/// The body of a request that creates or changes an API token or a 1.x credential.
#[derive(Deserialize)]
pub(crate) struct Body {
    /// The username of a 1.x credential.
    pub(crate) token: Option<String>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    #[serde(rename = "userID")]
    user_id: Option<String>,
    pub(crate) description: Option<String>,
    status: Option<String>,
    permissions: Option<Vec<PermissionBody>>,
}

#[derive(Deserialize)]
struct PermissionBody {
    #[serde(default)]
    action: String,
    #[serde(default)]
    resource: ResourceBody,
}

#[derive(Deserialize, Default)]
struct ResourceBody {
    #[serde(rename = "type", default)]
    kind: String,
    id: Option<String>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
}

impl Body {
    pub(crate) async fn read(shared: &Shared, request: Request) -> Result<Self, Error> {
        read_json(shared, request.into_body(), MALFORMED).await
    }

    pub(crate) fn org_id(&self) -> Result<Option<Id>, Error> {
        id::of_json(self.org_id.as_deref(), MALFORMED)
    }

    pub(crate) fn user_id(&self) -> Result<Option<Id>, Error> {
        id::of_json(self.user_id.as_deref(), MALFORMED)
    }

    pub(crate) fn status(&self) -> Result<Option<Status>, Error> {
        let status = self.status.as_deref().filter(|status| !status.is_empty());
        Ok(status.map(str::parse).transpose()?)
    }

    pub(crate) fn permissions(&self) -> Result<Vec<Permission>, Error> {
        self.permissions
            .iter()
            .flatten()
            .map(PermissionBody::permission)
            .collect()
    }

    fn change(self) -> Result<AuthorizationChange, Error> {
        Ok(AuthorizationChange {
            status: self.status()?,
            description: self.description,
        })
    }
}

impl PermissionBody {
    fn permission(&self) -> Result<Permission, Error> {
        let kind: ResourceType = self.resource.kind.parse()?;
        let action: Action = self.action.parse()?;
        Ok(Permission {
            action,
            resource_type: kind,
            id: id::of_json(self.resource.id.as_deref(), MALFORMED)?,
            org_id: id::of_json(self.resource.org_id.as_deref(), MALFORMED)?,
        })
    }
}

/// As set-up shows the operator's: without names.
pub(crate) fn bare_view(authorization: &Authorization, token: &str) -> Value {
    let permission = |permission: &Permission| {
        json!({
            "action": permission.action.name(),
            "resource": { "type": permission.resource_type.name() },
        })
    };
    json!({
        "id": authorization.id.to_string(),
        "token": token,
        "status": authorization.status.name(),
        "description": authorization.description,
        "orgID": authorization.org_id.to_string(),
        "userID": authorization.user_id.to_string(),
        "permissions": authorization.permissions.iter().map(permission).collect::<Vec<_>>(),
        "links": links(PATH, authorization),
        "createdAt": rfc3339(authorization.created_at),
        "updatedAt": rfc3339(authorization.updated_at),
    })
}

/// An authorization below `path`. `token` is what its member of that name shows: a secret only in
/// the answer that creates it.
pub(crate) fn view(
    state: &CatalogState,
    path: &str,
    authorization: &Authorization,
    token: &str,
) -> Value {
    let permissions: Vec<Value> = authorization
        .permissions
        .iter()
        .map(|permission| {
            json!({
                "action": permission.action.name(),
                "resource": resource_view(state, permission),
            })
        })
        .collect();
    let organization = state.organization(authorization.org_id);
    let user = state.user(authorization.user_id);
    json!({
        "id": authorization.id.to_string(),
        "token": token,
        "status": authorization.status.name(),
        "description": authorization.description,
        "orgID": authorization.org_id.to_string(),
        "org": organization.map_or("", |organization| organization.name.as_str()),
        "userID": authorization.user_id.to_string(),
        "user": user.map_or("", |user| user.name.as_str()),
        "permissions": permissions,
        "links": links(path, authorization),
        "createdAt": rfc3339(authorization.created_at),
        "updatedAt": rfc3339(authorization.updated_at),
    })
}

fn links(path: &str, authorization: &Authorization) -> Value {
    json!({
        "self": format!("{path}/{}", authorization.id),
        "user": format!("/api/v2/users/{}", authorization.user_id),
    })
}

fn resource_view(state: &CatalogState, permission: &Permission) -> Value {
    let mut view = json!({ "type": permission.resource_type.name() });
    if let Some(id) = permission.id {
        view["id"] = id.to_string().into();
    }
    if let Some(id) = permission.org_id {
        view["orgID"] = id.to_string().into();
    }
    if let Some(name) = permission
        .id
        .and_then(|id| resource_name(state, permission, id))
    {
        view["name"] = name.into();
    }
    if let Some(organization) = permission.org_id.and_then(|id| state.organization(id)) {
        view["org"] = organization.name.clone().into();
    }
    view
}

fn resource_name(state: &CatalogState, permission: &Permission, id: Id) -> Option<String> {
    match permission.resource_type {
        ResourceType::Buckets => state.bucket(id).map(|bucket| bucket.name.clone()),
        ResourceType::Orgs => state
            .organization(id)
            .map(|organization| organization.name.clone()),
        ResourceType::Users => state.user(id).map(|user| user.name.clone()),
        _ => None,
    }
}

/// Which authorizations a list is about.
pub(crate) struct Filter {
    id: Option<Id>,
    user: Option<Id>,
    organization: Option<Id>,
}

impl Filter {
    /// `id` may have another name too.
    pub(crate) fn of(
        state: &CatalogState,
        url: &Params,
        id_alias: Option<&str>,
    ) -> Result<Self, Error> {
        let mut by_id = id::of_param(url, "id")?;
        if let (None, Some(alias)) = (by_id, id_alias) {
            by_id = id::of_param(url, alias)?;
        }
        let user = match (id::of_param(url, "userID")?, url.get_filled("user")) {
            (Some(id), _) => Some(id),
            (None, Some(name)) => {
                let user = state.user_by_name(name);
                Some(user.ok_or(headwater_catalog::Error::UserNotFound)?.id)
            }
            (None, None) => None,
        };
        let organization = match (id::of_param(url, "orgID")?, url.get_filled("org")) {
            (Some(id), _) => Some(id),
            (None, Some(name)) => Some(state.require_organization_by_name(name)?.id),
            (None, None) => None,
        };
        Ok(Self {
            id: by_id,
            user,
            organization,
        })
    }

    /// The one authorization that is asked for, if one is.
    pub(crate) fn id(&self) -> Option<Id> {
        self.id
    }

    pub(crate) fn matches(&self, authorization: &Authorization) -> bool {
        self.id.is_none_or(|id| authorization.id == id)
            && self.user.is_none_or(|id| authorization.user_id == id)
            && self
                .organization
                .is_none_or(|id| authorization.org_id == id)
    }
}

/// What an action on an authorization needs: the same on itself and on its owner.
fn permissions(action: Action, authorization: &Authorization) -> [Permission; 2] {
    [
        Permission::new(action, ResourceType::Authorizations)
            .within(authorization.org_id)
            .on(authorization.id),
        Permission::new(action, ResourceType::Users).on(authorization.user_id),
    ]
}

fn require(caller: &Caller, action: Action, authorization: &Authorization) -> Result<(), Error> {
    permissions(action, authorization)
        .into_iter()
        .try_for_each(|needed| caller.require(needed))
}

pub(crate) fn may_read(caller: &Caller, authorization: &Authorization) -> bool {
    permissions(Action::Read, authorization)
        .into_iter()
        .all(|needed| caller.may(needed))
}

/// The answer to a list below `path`.
pub(crate) fn list_view(path: &str, authorizations: Vec<Value>) -> Response {
    let body = json!({ "links": { "self": path }, "authorizations": authorizations });
    ok(&body)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let state = shared.catalog.state();
    let filter = Filter::of(&state, &url, None)?;
    let found = state
        .authorizations()
        .filter(|authorization| filter.matches(authorization))
        .filter(|authorization| may_read(&caller, authorization))
        .map(|authorization| view(&state, PATH, authorization, ""))
        .collect();
    Ok(list_view(PATH, found))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body = Body::read(&shared, request).await?;
    let new = NewAuthorization {
        org_id: body.org_id()?,
        user_id: body.user_id()?,
        status: body.status()?.unwrap_or_default(),
        permissions: body.permissions()?,
        description: body.description.unwrap_or_default(),
        token: None,
    };
    let made = shared
        .catalog
        .create_authorization(&caller.authorization, new)
        .await?;
    let view = view(
        &shared.catalog.state(),
        PATH,
        &made.authorization,
        &made.token,
    );
    Ok(created(&view))
}

fn find<K: Kind>(
    shared: &Shared,
    caller: &Caller,
    action: Action,
    id: Id,
) -> Result<Arc<Authorization>, Error> {
    let found = Arc::clone(K::find(&shared.catalog.state(), id)?);
    require(caller, action, &found)?;
    Ok(found)
}

fn answer<K: Kind>(shared: &Shared, authorization: &Authorization) -> Response {
    let token = K::shown_token(authorization);
    ok(&view(
        &shared.catalog.state(),
        K::PATH,
        authorization,
        token,
    ))
}

pub(crate) async fn get<K: Kind>(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    let found = find::<K>(&shared, &caller, Action::Read, id)?;
    Ok(answer::<K>(&shared, &found))
}

pub(crate) async fn update<K: Kind>(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let change = Body::read(&shared, request).await?.change()?;
    find::<K>(&shared, &caller, Action::Write, id)?;
    let changed = K::update(&shared.catalog, id, change).await?;
    Ok(answer::<K>(&shared, &changed))
}

pub(crate) async fn delete<K: Kind>(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    find::<K>(&shared, &caller, Action::Write, id)?;
    K::delete(&shared.catalog, id).await?;
    Ok(no_content())
}
