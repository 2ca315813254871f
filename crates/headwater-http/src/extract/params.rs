//! Parameters, from the URL or as "form values" (`spec/query.md` §1).

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use bytes::Bytes;

use crate::error::Error;

/// Names and values in the order they came in. The first of a name counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// From a URL's query or an urlencoded body.
    pub(crate) fn parse(urlencoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(urlencoded).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Like [`Params::get`]; an empty value counts as absent.
    pub(crate) fn get_filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `self` first, `later` for names it does not have.
    fn then(mut self, later: Self) -> Self {
        self.0.extend(later.0);
        self
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(
            parts.uri.query().unwrap_or_default().as_bytes(),
        ))
    }
}

/// The form values of a request, and what else its body may be.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) values: Params,
    /// The content of an uploaded file named `q`.
    pub(crate) query_file: Option<String>,
}

impl Form {
    /// URL-encoded body values come before those of the URL.
    pub(crate) fn urlencoded(url: Params, body: &[u8]) -> Self {
        Self {
            values: Params::parse(body).then(url),
            query_file: None,
        }
    }

    /// The parts of a multipart body come after the URL's values.
    pub(crate) async fn multipart(
        url: Params,
        body: Bytes,
        boundary: String,
    ) -> Result<Self, Error> {
        let body = tokio_stream::once(Ok::<_, Infallible>(body));
        let mut parts = multer::Multipart::new(body, boundary);
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(malformed)? {
            let Some(name) = part.name().map(str::to_owned) else {
                continue;
            };
            let is_file = part.file_name().is_some();
            let value = part.text().await.map_err(malformed)?;
            if !is_file {
                form.values.0.push((name, value));
            } else if name == "q" {
                form.query_file.get_or_insert(value);
            }
        }
        form.values = url.then(form.values);
        Ok(form)
    }
}

fn malformed(error: multer::Error) -> Error {
    Error::invalid(format!("error reading multipart form: {error}"))
}

#[cfg(test)]
mod tests;
