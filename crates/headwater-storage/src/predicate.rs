//! Predicates on the tags of a series. They select series in a scan, and they are persisted with
//! deletes, so they carry no reference to a schema.

use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A condition on a tag set. A tag that a series lacks has the value `""`
/// (`spec/influxql/semantics_select.md`), so `Equals { value: "" }` selects series without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagPredicate {
    /// All hold; true when empty.
    And(Vec<Self>),
    /// At least one holds; false when empty.
    Or(Vec<Self>),
    Not(Box<Self>),
    Constant(bool),
    Equals {
        key: String,
        value: String,
    },
    /// The value matches a regular expression somewhere (unanchored).
    Matches {
        key: String,
        pattern: Pattern,
    },
    /// The series has the tag.
    Has {
        key: String,
    },
}

impl TagPredicate {
    /// Whether a series whose tag values `tag` answers satisfies the predicate; `tag` answers
    /// `""` for a tag that the series lacks.
    pub fn matches<'a>(&self, tag: &impl Fn(&str) -> &'a str) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(tag)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(tag)),
            Self::Not(part) => !part.matches(tag),
            Self::Constant(value) => *value,
            Self::Equals { key, value } => tag(key) == value,
            Self::Matches { key, pattern } => pattern.is_match(tag(key)),
            Self::Has { key } => !tag(key).is_empty(),
        }
    }

    /// Calls `visit` with each tag key that the predicate names, repetitions included.
    pub fn for_each_key<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.for_each_key(visit);
                }
            }
            Self::Not(part) => part.for_each_key(visit),
            Self::Constant(_) => {}
            Self::Equals { key, .. } | Self::Matches { key, .. } | Self::Has { key } => visit(key),
        }
    }
}

/// A compiled regular expression, persisted as its text. Cheap to clone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles `text`, which is in the syntax of the `regex` crate.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Regex::new(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_match(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

impl From<Regex> for Pattern {
    fn from(regex: Regex) -> Self {
        Self(regex)
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        Self::new(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.as_str().to_owned()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
    }
}

#[cfg(test)]
mod tests;
