//! `/api/v2/orgs` (`spec/v2_management.md` §3).

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{
    Action, NewOrganization, Organization, OrganizationChange, Permission, ResourceType,
};
use headwater_model::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bucket, created, no_content, ok};
use crate::{
    encode::time::rfc3339,
    error::Indented,
    extract::{body::read_json, credentials::Caller, id::PathId, paging::Paging, params::Params},
    state::Shared,
};

const MALFORMED: &str = "failed to unmarshal json: ";

#[derive(Deserialize)]
struct Body {
    name: Option<String>,
    description: Option<String>,
}

pub(crate) fn view(organization: &Organization) -> Value {
    let Organization { id, name, .. } = organization;
    let by_name = |path: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("org", name)
            .finish();
        format!("/api/v2/{path}?{query}")
    };
    json!({
        "links": {
            "self": format!("/api/v2/orgs/{id}"),
            "logs": format!("/api/v2/orgs/{id}/logs"),
            "members": format!("/api/v2/orgs/{id}/members"),
            "owners": format!("/api/v2/orgs/{id}/owners"),
            "secrets": format!("/api/v2/orgs/{id}/secrets"),
            "labels": format!("/api/v2/orgs/{id}/labels"),
            "buckets": by_name("buckets"),
            "tasks": by_name("tasks"),
            "dashboards": by_name("dashboards"),
        },
        "id": id.to_string(),
        "name": name,
        "description": organization.description,
        "createdAt": rfc3339(organization.created_at),
        "updatedAt": rfc3339(organization.updated_at),
    })
}

fn permission(action: Action, id: Id) -> Permission {
    Permission::new(action, ResourceType::Orgs).on(id)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let paging = Paging::of(&url)?;
    let state = shared.catalog.state();
    let id = url
        .get_filled("orgID")
        .and_then(|text| text.parse::<Id>().ok());
    let name = url.get_filled("org");
    if let Some(name) = name {
        state.require_organization_by_name(name)?;
    }
    let readable = state
        .organizations()
        .filter(|organization| name.is_none_or(|name| organization.name == name))
        .filter(|organization| id.is_none_or(|id| organization.id == id))
        .filter(|organization| caller.may(permission(Action::Read, organization.id)))
        .collect();
    let organizations: Vec<Value> = paging
        .cut(readable, |organization| organization.id)
        .into_iter()
        .map(|organization| view(organization))
        .collect();
    let body = json!({ "links": { "self": "/api/v2/orgs" }, "orgs": organizations });
    Ok(ok(&body))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), MALFORMED).await?;
    caller.require(Permission::new(Action::Write, ResourceType::Orgs))?;
    let new = NewOrganization {
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
    };
    let organization = shared.catalog.create_organization(new).await?;
    Ok(created(&view(&organization)))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    caller.require(permission(Action::Read, id))?;
    let state = shared.catalog.state();
    Ok(ok(&view(state.require_organization(id)?)))
}

pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), MALFORMED).await?;
    caller.require(permission(Action::Write, id))?;
    let change = OrganizationChange {
        name: body.name,
        description: body.description,
    };
    let organization = shared.catalog.update_organization(id, change).await?;
    Ok(ok(&view(&organization)))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    caller.require(permission(Action::Write, id))?;
    for deleted in shared.catalog.delete_organization(id).await? {
        bucket::drop_data(&shared, deleted.id).await?;
    }
    Ok(no_content())
}
