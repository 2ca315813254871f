//! `/api/v2/dbrps`: database and retention policy mappings (`spec/dbrp.md`).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{
    Action, DbrpMapping, MappingChange, MappingFilter, NewMapping, Permission,
    State as CatalogState,
};
use headwater_model::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, no_content, ok};
use crate::{
    error::{Error, Indented},
    extract::{
        body::read_json,
        credentials::Caller,
        id::{self, PathId},
        paging::boolean,
        params::Params,
    },
    state::Shared,
};

const MALFORMED: &str = "invalid json structure: ";

#[derive(Deserialize)]
struct CreateBody {
    #[serde(rename = "bucketID")]
    bucket_id: Option<String>,
    database: Option<String>,
    retention_policy: Option<String>,
    default: Option<bool>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    org: Option<String>,
}

#[derive(Deserialize)]
struct UpdateBody {
    default: Option<bool>,
    retention_policy: Option<String>,
    /// As the documentation calls the retention policy.
    rp: Option<String>,
}

fn view(mapping: &DbrpMapping) -> Value {
    json!({
        "id": mapping.id.to_string(),
        "database": mapping.database,
        "retention_policy": mapping.retention_policy,
        "default": mapping.is_default,
        "virtual": mapping.is_virtual,
        "orgID": mapping.org_id.to_string(),
        "bucketID": mapping.bucket_id.to_string(),
    })
}

/// The organization by id, which wins, or by name.
fn organization(state: &CatalogState, id: Option<&str>, name: Option<&str>) -> Result<Id, Error> {
    use headwater_catalog::Error as Cause;
    let filled = |text: &&str| !text.is_empty();
    match (id.filter(filled), name.filter(filled)) {
        (Some(id), _) => id::parse_named(id, "org"),
        (None, Some(name)) => match state.organization_by_name(name) {
            Some(organization) => Ok(organization.id),
            None => Err(Cause::MappingOrganizationNotFound(name.to_owned()).into()),
        },
        (None, None) => Err(Cause::MappingOrganizationMissing.into()),
    }
}

fn organization_of(state: &CatalogState, url: &Params) -> Result<Id, Error> {
    organization(state, url.get("orgID"), url.get("org"))
}

fn permission(action: Action, mapping: &DbrpMapping) -> Permission {
    Permission::bucket(action, mapping.org_id, mapping.bucket_id)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let state = shared.catalog.state();
    let organization = organization_of(&state, &url)?;
    let is_default = url
        .get_filled("default")
        .map(|text| boolean(text).ok_or_else(|| Error::invalid("invalid default parameter")))
        .transpose()?;
    let filter = MappingFilter {
        id: id::of_param_named(&url, "id", "DBRP")?,
        bucket_id: id::of_param_named(&url, "bucketID", "bucket")?,
        database: url.get_filled("db").map(str::to_owned),
        retention_policy: url.get_filled("rp").map(str::to_owned),
        is_default,
    };
    let mappings: Vec<Value> = state
        .list_mappings(&caller.authorization, organization, &filter)
        .iter()
        .map(|mapping| view(mapping))
        .collect();
    Ok(ok(&json!({ "content": mappings })))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body: CreateBody = read_json(&shared, request.into_body(), MALFORMED).await?;
    let state = shared.catalog.state();
    let bucket_id = id::parse_named(body.bucket_id.as_deref().unwrap_or_default(), "bucket")?;
    let org_id = organization(&state, body.org_id.as_deref(), body.org.as_deref())?;
    caller.require(Permission::bucket(Action::Write, org_id, bucket_id))?;
    let new = NewMapping {
        org_id,
        bucket_id,
        database: body.database.unwrap_or_default(),
        retention_policy: body.retention_policy.unwrap_or_default(),
        is_default: body.default.unwrap_or(false),
    };
    let mapping = shared.catalog.create_mapping(new).await?;
    Ok(created(&view(&mapping)))
}

/// The mapping that path and organization name, on whose bucket the caller may do `actions`.
fn find(
    state: &CatalogState,
    caller: &Caller,
    url: &Params,
    id: Id,
    actions: &[Action],
) -> Result<Arc<DbrpMapping>, Error> {
    let organization = organization_of(state, url)?;
    let mapping = Arc::clone(state.require_mapping(organization, id)?);
    for action in actions {
        caller.require(permission(*action, &mapping))?;
    }
    Ok(mapping)
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    url: Params,
) -> Result<Response, Indented> {
    let found = find(&shared.catalog.state(), &caller, &url, id, &[Action::Read])?;
    Ok(ok(&json!({ "content": view(&found) })))
}

pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    url: Params,
    request: Request,
) -> Result<Response, Indented> {
    let body: UpdateBody = read_json(&shared, request.into_body(), MALFORMED).await?;
    let actions = [Action::Read, Action::Write];
    let found = find(&shared.catalog.state(), &caller, &url, id, &actions)?;
    let change = MappingChange {
        retention_policy: body.retention_policy.or(body.rp),
        is_default: body.default,
    };
    let changed = shared
        .catalog
        .update_mapping(found.org_id, id, change)
        .await?;
    Ok(ok(&json!({ "content": view(&changed) })))
}

/// Needs no right to read: a write-only token may delete a mapping that it cannot see.
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    url: Params,
) -> Result<Response, Indented> {
    let found = find(&shared.catalog.state(), &caller, &url, id, &[Action::Write])?;
    shared.catalog.delete_mapping(found.org_id, id).await?;
    Ok(no_content())
}
