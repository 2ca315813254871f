//! What Tab offers: keywords and functions, and the names that the server knows.

use std::cell::OnceCell;

use headwater_influxql::{is_keyword, keywords, quote_ident};
use serde_json::Value;

use super::Options;
use crate::cli::client::Client;

/// How many names of a kind are fetched, at most.
const NAMES_MAX: usize = 10_000;

const COMMANDS: [&str; 8] = [
    "exit",
    "format",
    "help",
    "insert",
    "precision",
    "quit",
    "settings",
    "use",
];

const FUNCTIONS: [&str; 50] = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "bottom",
    "ceil",
    "chande_momentum_oscillator",
    "cos",
    "count",
    "cumulative_sum",
    "derivative",
    "difference",
    "distinct",
    "double_exponential_moving_average",
    "elapsed",
    "exp",
    "exponential_moving_average",
    "first",
    "floor",
    "holt_winters",
    "holt_winters_with_fit",
    "integral",
    "kaufmans_adaptive_moving_average",
    "kaufmans_efficiency_ratio",
    "last",
    "ln",
    "log",
    "log10",
    "log2",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "moving_average",
    "non_negative_derivative",
    "non_negative_difference",
    "percentile",
    "pow",
    "relative_strength_index",
    "round",
    "sample",
    "sin",
    "spread",
    "sqrt",
    "stddev",
    "sum",
    "tan",
    "top",
];

/// Names of the server, fetched when they are first wanted. What cannot be fetched is not there.
pub(super) struct Names {
    client: Client,
    database: Option<String>,
    policy: Option<String>,
    databases: OnceCell<Vec<String>>,
    measurements: OnceCell<Vec<String>>,
    tag_keys: OnceCell<Vec<String>>,
    field_keys: OnceCell<Vec<String>>,
}

impl Names {
    pub(super) fn new(client: Client, options: &Options) -> Self {
        Self {
            client,
            database: options.database.clone(),
            policy: options.rp.clone(),
            databases: OnceCell::new(),
            measurements: OnceCell::new(),
            tag_keys: OnceCell::new(),
            field_keys: OnceCell::new(),
        }
    }

    fn databases(&self) -> &[String] {
        self.databases.get_or_init(|| self.fetch("SHOW DATABASES"))
    }

    fn measurements(&self) -> &[String] {
        let statement = format!("SHOW MEASUREMENTS LIMIT {NAMES_MAX}");
        self.measurements.get_or_init(|| self.fetch(&statement))
    }

    fn tag_keys(&self) -> &[String] {
        self.tag_keys.get_or_init(|| self.fetch("SHOW TAG KEYS"))
    }

    fn field_keys(&self) -> &[String] {
        self.field_keys
            .get_or_init(|| self.fetch("SHOW FIELD KEYS"))
    }

    /// The first column of an answer, sorted.
    fn fetch(&self, statement: &str) -> Vec<String> {
        let mut query = vec![("q", statement)];
        query.extend(self.database.as_deref().map(|name| ("db", name)));
        query.extend(self.policy.as_deref().map(|name| ("rp", name)));
        let answer = self.client.call("GET", "/query", &query, None);
        let answer = answer.unwrap_or_default();
        let series = answer["results"][0]["series"].as_array();
        let rows = series
            .into_iter()
            .flatten()
            .filter_map(|series| series["values"].as_array())
            .flatten();
        let mut names: Vec<String> = rows
            .filter_map(|row: &Value| Some(row[0].as_str()?.to_owned()))
            .take(NAMES_MAX)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

pub(super) struct Completer {
    names: Names,
}

/// What a word can be, by the words before it.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// The first word of a line.
    Start,
    Database,
    Measurement,
    Other,
}

impl Completer {
    pub(super) fn new(names: Names) -> Self {
        Self { names }
    }

    /// Where the word at the end of `line` starts, and what it may become.
    pub(super) fn complete(&self, line: &str) -> (usize, Vec<String>) {
        let start = word_start(line);
        let word = &line[start..];
        let mut found = Vec::new();
        let mut add_names = |names: &[String]| {
            let start = word.strip_prefix('"').unwrap_or(word);
            let names = names.iter().filter(|name| name.starts_with(start));
            found.extend(names.map(|name| quoted(name, word)));
        };
        match place(&line[..start]) {
            Place::Start => {
                found.extend(with_prefix(COMMANDS, word));
                found.extend(with_prefix(statement_starts(), word));
            }
            Place::Database => add_names(self.names.databases()),
            Place::Measurement => add_names(self.names.measurements()),
            Place::Other => {
                if !word.is_empty() {
                    add_names(self.names.tag_keys());
                    add_names(self.names.field_keys());
                }
                let functions = FUNCTIONS.iter().map(|name| format!("{name}("));
                found.extend(functions.filter(|name| !word.is_empty() && name.starts_with(word)));
                found.extend(with_prefix(keywords(), word));
            }
        }
        (start, found)
    }
}

/// The keywords that a statement can start with.
fn statement_starts() -> [&'static str; 8] {
    [
        "ALTER", "CREATE", "DELETE", "DROP", "EXPLAIN", "KILL", "SELECT", "SHOW",
    ]
}

/// The words that begin with `word` in any case, in the case it is written in.
fn with_prefix<'a>(
    words: impl IntoIterator<Item = &'a str>,
    word: &str,
) -> impl Iterator<Item = String> {
    let is_lower = word.starts_with(|c: char| c.is_ascii_lowercase());
    words
        .into_iter()
        .filter(move |candidate| {
            let start = candidate.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        })
        .map(move |candidate| match is_lower {
            true => candidate.to_ascii_lowercase(),
            false => candidate.to_owned(),
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// A name as a statement needs it, in quotes also if the word to complete has them.
fn quoted(name: &str, word: &str) -> String {
    let needed = quote_ident(name).to_string();
    if word.starts_with('"') && !needed.starts_with('"') && !is_keyword(name) {
        return format!("\"{needed}\"");
    }
    needed
}

/// Where the last word starts: a name, or a quoted name that is still open.
fn word_start(line: &str) -> usize {
    let mut start = 0;
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted {
            is_escaped = c == '\\';
            is_quoted = c != '"';
        } else if c == '"' {
            (start, is_quoted) = (at, true);
        } else if !(c.is_alphanumeric() || c == '_') {
            start = at + c.len_utf8();
        }
    }
    start
}

fn place(before: &str) -> Place {
    let statement = before.rsplit(';').next().unwrap_or_default();
    let last = statement
        .trim_end()
        .rsplit(|c: char| c.is_whitespace() || "(),".contains(c))
        .next()
        .unwrap_or_default();
    match last.to_ascii_uppercase().as_str() {
        "" if statement.trim().is_empty() => Place::Start,
        "FROM" | "MEASUREMENT" | "INSERT" => Place::Measurement,
        "ON" | "USE" | "DATABASE" => Place::Database,
        _ => Place::Other,
    }
}

#[cfg(test)]
mod tests;
