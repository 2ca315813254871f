//! `/api/v2/buckets` (`spec/v2_management.md` §4).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use headwater_catalog::{
    Action, Bucket, BucketChange, NewBucket, Permission, ResourceType, RetentionRule,
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
        paging::Paging,
        params::Params,
    },
    state::Shared,
};

const MALFORMED: &str = "failed to unmarshal json: ";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    rp: Option<String>,
    retention_rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    every_seconds: Option<i64>,
    shard_group_duration_seconds: Option<i64>,
}

impl Body {
    fn rules(&self) -> Vec<RetentionRule> {
        let rule = |rule: &Rule| RetentionRule {
            every_seconds: rule.every_seconds,
            shard_group_seconds: rule.shard_group_duration_seconds,
        };
        self.retention_rules.iter().flatten().map(rule).collect()
    }
}

pub(crate) fn view(bucket: &Bucket) -> Value {
    let Bucket { id, org_id, .. } = bucket;
    let mut view = json!({
        "id": id.to_string(),
        "orgID": org_id.to_string(),
        "type": bucket.kind.name(),
    });
    if !bucket.description.is_empty() {
        view["description"] = bucket.description.clone().into();
    }
    view["name"] = bucket.name.clone().into();
    if let Some(rp) = &bucket.rp {
        view["rp"] = rp.clone().into();
    }
    view["retentionRules"] = json!([{
        "type": "expire",
        "everySeconds": bucket.retention_seconds,
        "shardGroupDurationSeconds": bucket.shard_group_seconds,
    }]);
    view["createdAt"] = rfc3339(bucket.created_at).into();
    view["updatedAt"] = rfc3339(bucket.updated_at).into();
    view["links"] = json!({
        "self": format!("/api/v2/buckets/{id}"),
        "org": format!("/api/v2/orgs/{org_id}"),
        "members": format!("/api/v2/buckets/{id}/members"),
        "owners": format!("/api/v2/buckets/{id}/owners"),
        "labels": format!("/api/v2/buckets/{id}/labels"),
        "write": format!("/api/v2/write?org={org_id}&bucket={id}"),
    });
    view["labels"] = json!([]);
    view
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    url: Params,
) -> Result<Response, Indented> {
    let paging = Paging::of(&url)?;
    let state = shared.catalog.state();
    let by_id = id::of_param(&url, "id")?;
    let organization = match (id::of_param(&url, "orgID")?, url.get_filled("org")) {
        (Some(id), _) => Some(id),
        (None, Some(name)) => Some(state.require_organization_by_name(name)?.id),
        (None, None) => None,
    };
    let name = url.get_filled("name");
    let found: Vec<&Arc<Bucket>> = match (by_id, organization, name) {
        (Some(id), ..) => vec![state.require_bucket(id)?],
        (None, Some(org), Some(name)) => vec![state.require_bucket_by_name(org, name)?],
        (None, Some(org), None) => state.buckets_of(org).collect(),
        (None, None, _) => state
            .buckets()
            .filter(|bucket| name.is_none_or(|name| bucket.name == name))
            .collect(),
    };
    let readable = found
        .into_iter()
        .filter(|bucket| caller.may(Permission::bucket(Action::Read, bucket.org_id, bucket.id)))
        .collect();
    let page: Vec<Value> = paging
        .cut(readable, |bucket| bucket.id)
        .into_iter()
        .map(|bucket| view(bucket))
        .collect();
    let filters = [
        ("bucket", "name"),
        ("orgID", "orgID"),
        ("org", "org"),
        ("id", "id"),
    ]
    .map(|(link, param)| (link, url.get(param).unwrap_or_default()));
    let links = paging.links("/api/v2/buckets", &filters, page.len());
    Ok(ok(&json!({ "links": links, "buckets": page })))
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), MALFORMED).await?;
    let new = NewBucket {
        org_id: id::of_json(body.org_id.as_deref(), MALFORMED)?,
        retention_rules: body.rules(),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        rp: body.rp,
    };
    new.validate()?;
    if let Some(org) = new.org_id {
        caller.require(Permission::new(Action::Write, ResourceType::Buckets).within(org))?;
    }
    let bucket = shared.catalog.create_bucket(new).await?;
    Ok(created(&view(&bucket)))
}

/// The bucket, on which the caller may do `action`.
fn find(shared: &Shared, caller: &Caller, action: Action, id: Id) -> Result<Arc<Bucket>, Error> {
    let bucket = Arc::clone(shared.catalog.state().require_bucket(id)?);
    caller.require(Permission::bucket(action, bucket.org_id, bucket.id))?;
    Ok(bucket)
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    Ok(ok(&view(&*find(&shared, &caller, Action::Read, id)?)))
}

pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Indented> {
    let body: Body = read_json(&shared, request.into_body(), MALFORMED).await?;
    let change = BucketChange {
        retention_rules: body.rules(),
        name: body.name,
        description: body.description,
    };
    change.validate()?;
    find(&shared, &caller, Action::Write, id)?;
    let bucket = shared.catalog.update_bucket(id, change).await?;
    Ok(ok(&view(&bucket)))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Indented> {
    find(&shared, &caller, Action::Write, id)?;
    shared.catalog.delete_bucket(id).await?;
    drop_data(&shared, id).await?;
    Ok(no_content())
}

/// Drops the data of a bucket that the catalog has just deleted.
pub(crate) async fn drop_data(shared: &Shared, bucket: Id) -> Result<(), Error> {
    shared
        .engine
        .drop_bucket(bucket)
        .await
        .map_err(Error::internal)
}
