//! A chunked answer of `/query`: JSON documents, one a line, each with some of the rows.

use std::{borrow::Cow, io::BufRead};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

/// Reads an answer chunk by chunk; one is in memory at a time.
pub(super) struct Reader<R> {
    from: R,
    line: Vec<u8>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(super) results: Vec<StatementResult<'a>>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StatementResult<'a> {
    #[serde(borrow, default)]
    pub(super) series: Vec<Series<'a>>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) level: String,
    pub(super) text: String,
}

/// Rows of a series; the same series may go on in the next chunk.
#[derive(Debug, Deserialize)]
pub(super) struct Series<'a> {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) tags: Map<String, Value>,
    pub(super) columns: Vec<String>,
    #[serde(borrow, default)]
    pub(super) values: Vec<Vec<&'a RawValue>>,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            line: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Chunk<'_>>> {
        self.line.clear();
        self.from
            .read_until(b'\n', &mut self.line)
            .context("the answer broke off")?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let chunk = serde_json::from_slice(&self.line).context("an answer that is not JSON")?;
        Ok(Some(chunk))
    }
}

impl Chunk<'_> {
    /// The first error in it.
    pub(super) fn error(&self) -> Option<String> {
        let of_results = self.results.iter().find_map(|result| result.error.as_ref());
        self.error.as_ref().or(of_results).cloned()
    }
}

impl Series<'_> {
    /// `host=a,region=b`; empty without tags.
    pub(super) fn tag_text(&self, separator: &str) -> String {
        let tag = |(key, value): (&String, &Value)| {
            format!("{key}={}", value.as_str().unwrap_or_default())
        };
        self.tags
            .iter()
            .map(tag)
            .collect::<Vec<_>>()
            .join(separator)
    }
}

/// The text of a cell: strings without quotes, null as nothing, numbers as the server wrote them.
pub(super) fn cell_text<'a>(cell: &'a RawValue) -> Cow<'a, str> {
    match cell.get() {
        "null" => Cow::Borrowed(""),
        text if text.starts_with('"') => match serde_json::from_str::<String>(text) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(text),
        },
        text => Cow::Borrowed(text),
    }
}

/// Whether a cell is a number, which is aligned to the right.
pub(super) fn is_number(cell: &RawValue) -> bool {
    cell.get()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit())
}
