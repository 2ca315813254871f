//! The organization and bucket that `/api/v2/write` and `/api/v2/delete` name
//! (`spec/write.md` §7).

use std::sync::Arc;

use headwater_catalog::{Bucket, State};
use headwater_model::Id;

use crate::{
    error::Error,
    extract::{credentials::Caller, id, params::Params},
};

/// `orgID`, else `org` as an id or a name, else the token's.
pub(crate) fn organization(state: &State, url: &Params, caller: &Caller) -> Result<Id, Error> {
    if let Some(id) = id::of_param(url, "orgID")? {
        return Ok(state.require_organization(id)?.id);
    }
    match url.get_filled("org") {
        None => Ok(caller.authorization.org_id),
        Some(text) => match (text.parse::<Id>(), state.organization_by_name(text)) {
            (Ok(id), _) if state.organization(id).is_some() => Ok(id),
            (_, Some(organization)) => Ok(organization.id),
            (Ok(id), None) => Ok(state.require_organization(id)?.id),
            (Err(_), None) => Ok(state.require_organization_by_name(text)?.id),
        },
    }
}

/// `text` as an id, then as a name.
pub(crate) fn bucket(
    state: &State,
    organization: Id,
    text: &str,
) -> Result<Arc<Bucket>, headwater_catalog::Error> {
    let by_id = text.parse::<Id>().ok().and_then(|id| state.bucket(id));
    match by_id.filter(|bucket| bucket.org_id == organization) {
        Some(bucket) => Ok(Arc::clone(bucket)),
        None => state.require_bucket_by_name(organization, text).cloned(),
    }
}
