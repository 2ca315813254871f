//! Identifiers in paths, parameters and bodies, with the reference's complaints
//! (`spec/v2_management.md`).

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use headwater_model::Id;

use super::params::Params;
use crate::error::{Error, Indented};

/// The identifier that ends a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId(pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Indented;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Indented> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Error::invalid(rejection.body_text()))?;
        Ok(Self(parse(&text)?))
    }
}

pub(crate) fn parse(text: &str) -> Result<Id, Error> {
    text.parse::<Id>()
        .map_err(|error| Error::invalid(error.to_string()))
}

/// The identifier in parameter `name`, if it is there and not empty.
pub(crate) fn of_param(params: &Params, name: &str) -> Result<Option<Id>, Error> {
    params.get_filled(name).map(parse).transpose()
}

/// Like [`of_param`]; the complaint says `what` is wrong.
pub(crate) fn of_param_named(params: &Params, name: &str, what: &str) -> Result<Option<Id>, Error> {
    params
        .get_filled(name)
        .map(|text| parse_named(text, what))
        .transpose()
}

/// The identifier of `what`, which the complaint names.
pub(crate) fn parse_named(text: &str, what: &str) -> Result<Id, Error> {
    text.parse::<Id>()
        .map_err(|error| Error::invalid(format!("invalid {what} ID {text:?}: {error}")))
}

/// An identifier in a JSON body; a malformed one makes the body malformed. Empty is absent.
pub(crate) fn of_json(text: Option<&str>, prefix: &str) -> Result<Option<Id>, Error> {
    text.filter(|text| !text.is_empty())
        .map(|text| {
            text.parse::<Id>()
                .map_err(|error| Error::invalid(format!("{prefix}{error}")))
        })
        .transpose()
}
