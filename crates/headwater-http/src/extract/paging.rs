//! Paging parameters of lists, and the links that go with them (`spec/v2_management.md` §4).

use headwater_model::Id;
use serde_json::{Value, json};

use super::params::Params;
use crate::error::Error;

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: i64 = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    pub(crate) after: Option<Id>,
    pub(crate) descending: bool,
}

impl Paging {
    pub(crate) fn of(params: &Params) -> Result<Self, Error> {
        let number = |name: &str, complaint: &'static str| {
            params
                .get_filled(name)
                .map(|text| text.parse::<i64>().map_err(|_| Error::invalid(complaint)))
                .transpose()
        };
        let offset = number("offset", "offset is invalid")?.unwrap_or(0).max(0);
        let after = params
            .get_filled("after")
            .map(|text| {
                text.parse::<Id>()
                    .map_err(|error| Error::invalid(format!("decoding after: {error}")))
            })
            .transpose()?;
        let limit = match number("limit", "limit is invalid")? {
            None => LIMIT_DEFAULT,
            Some(limit @ 1..=LIMIT_MAX) => limit as usize,
            Some(_) => return Err(Error::invalid("limit must be between 1 and 100")),
        };
        let descending = params
            .get_filled("descending")
            .map(|text| boolean(text).ok_or_else(|| Error::invalid("descending is invalid")))
            .transpose()?
            .unwrap_or(false);
        Ok(Self {
            limit,
            offset: usize::try_from(offset).unwrap_or(0),
            after,
            descending,
        })
    }

    /// The wanted part of `list`, which is in ascending order.
    pub(crate) fn cut<T>(&self, mut list: Vec<T>, id: impl Fn(&T) -> Id) -> Vec<T> {
        if self.descending {
            list.reverse();
        }
        let start = match self.after {
            None => 0,
            Some(after) => list
                .iter()
                .position(|item| id(item) == after)
                .map_or(list.len(), |at| at + 1),
        };
        list.into_iter()
            .skip(start + self.offset)
            .take(self.limit)
            .collect()
    }

    /// `self`, and `next` and `prev` where there are such pages. `filters` go into them too.
    pub(crate) fn links(&self, path: &str, filters: &[(&str, &str)], shown: usize) -> Value {
        let link = |offset: usize| {
            let (limit, offset) = (self.limit.to_string(), offset.to_string());
            let mut pairs = vec![
                ("descending", if self.descending { "true" } else { "false" }),
                ("limit", &limit),
                ("offset", &offset),
            ];
            pairs.extend(filters.iter().filter(|(_, value)| !value.is_empty()));
            pairs.sort_by_key(|(name, _)| *name);
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            format!("{path}?{query}")
        };
        let mut links = json!({ "self": link(self.offset) });
        if shown >= self.limit {
            links["next"] = link(self.offset + self.limit).into();
        }
        if self.offset > 0 {
            links["prev"] = link(self.offset.saturating_sub(self.limit)).into();
        }
        links
    }
}

/// The spellings of Go's `ParseBool`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
