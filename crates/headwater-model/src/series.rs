//! A series: a measurement and a tag set, and its canonical key.

use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// A measurement with a tag set. Two are equal, and ordered, by the bytes of the canonical key:
/// `measurement,tag=value,…` with tags sorted by key and line-protocol escapes
/// (`spec/line_protocol.md` §4), as SHOW SERIES prints it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SeriesKey(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: Box<str>,
    measurement: Arc<str>,
    tags: Box<[(Arc<str>, Arc<str>)]>,
}

impl SeriesKey {
    /// From unescaped names. `tags` need not be sorted; keys must be distinct and values not
    /// empty, which line protocol has checked.
    pub fn new(measurement: Arc<str>, mut tags: Vec<(Arc<str>, Arc<str>)>) -> Self {
        tags.sort_by(|a, b| a.0.cmp(&b.0));
        let length: usize = tags
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum();
        let mut key = String::with_capacity(measurement.len() + length);
        key.push_str(&escape_measurement(&measurement));
        for (name, value) in &tags {
            key.push(',');
            key.push_str(&escape_tag(name));
            key.push('=');
            key.push_str(&escape_tag(value));
        }
        Self(Arc::new(Inner {
            key: key.into(),
            measurement,
            tags: tags.into(),
        }))
    }

    /// The canonical key.
    pub fn as_str(&self) -> &str {
        &self.0.key
    }

    pub fn measurement(&self) -> &Arc<str> {
        &self.0.measurement
    }

    /// Unescaped tags, sorted by key.
    pub fn tags(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0.tags
    }

    /// The value of a tag; `None` when the series lacks it.
    pub fn tag(&self, key: &str) -> Option<&Arc<str>> {
        let at = self.0.tags.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        Some(&self.0.tags[at].1)
    }
}

impl PartialEq for SeriesKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.key == other.0.key
    }
}

impl Eq for SeriesKey {}

impl PartialOrd for SeriesKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SeriesKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl Hash for SeriesKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

/// Escapes a measurement name as line protocol needs it: `,` and space.
pub fn escape_measurement(name: &str) -> Cow<'_, str> {
    escape(name, &[',', ' '])
}

/// Escapes a tag key, tag value or field key: `,`, `=` and space.
pub fn escape_tag(name: &str) -> Cow<'_, str> {
    escape(name, &[',', '=', ' '])
}

fn escape<'a>(name: &'a str, special: &[char]) -> Cow<'a, str> {
    // The special characters are ASCII, so bytes tell.
    if !name.bytes().any(|byte| special.contains(&char::from(byte))) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    Cow::Owned(out)
}
