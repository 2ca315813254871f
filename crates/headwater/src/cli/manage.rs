//! What the management commands have in common: who calls, which organization and bucket a name
//! means, and how lists are printed.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use headwater_model::Id;
use serde_json::{Value, json};

use super::client::Client;

/// How many objects a list gives at once; the API allows no more.
const PAGE: usize = 100;
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// The server, the token and the form of the output.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Manage {
    /// URL of the server
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8086",
        env = "HEADWATER_HOST"
    )]
    host: String,
    /// API token
    #[arg(
        long,
        global = true,
        env = "HEADWATER_TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    token: Option<String>,
    /// Organization, by name or id [default: the only one that the token sees]
    #[arg(long, global = true, value_name = "NAME", env = "HEADWATER_ORG")]
    org: Option<String>,
    /// Print the server's JSON
    #[arg(long, global = true)]
    json: bool,
}

/// Calls the management API.
pub(crate) struct Session {
    pub(crate) client: Client,
    org: Option<String>,
    json: bool,
}

/// A heading, and the text below it.
pub(crate) type Column<'a> = (&'a str, &'a dyn Fn(&Value) -> String);

impl Manage {
    pub(crate) fn session(&self) -> Session {
        Session {
            client: Client::with_token(&self.host, self.token.as_deref()),
            org: self.org.clone(),
            json: self.json,
        }
    }
}

impl Session {
    /// Whether an organization was named.
    pub(crate) fn has_org(&self) -> bool {
        self.org.is_some()
    }

    /// The id of the organization.
    pub(crate) fn org_id(&self) -> Result<String> {
        let found = self.list("/api/v2/orgs", "orgs", &[])?;
        let matches = |org: &&Value| match &self.org {
            Some(wanted) => org["id"] == *wanted || org["name"] == *wanted,
            None => true,
        };
        let found: Vec<&Value> = found.iter().filter(matches).collect();
        match (found.as_slice(), &self.org) {
            ([one], _) => Ok(text(&one["id"])),
            // A token may be unable to read its organization.
            ([], Some(id)) if id.parse::<Id>().is_ok() => Ok(id.clone()),
            ([], Some(name)) => bail!("there is no organization {name:?} that the token may read"),
            ([], None) => bail!("the token may not read its organization: give --org with its id"),
            (several, _) => {
                let names: Vec<String> = several.iter().map(|org| text(&org["name"])).collect();
                bail!("which organization? give --org: {}", names.join(", "))
            }
        }
    }

    /// A bucket by name or id.
    pub(crate) fn bucket(&self, org_id: &str, name: &str) -> Result<Value> {
        let buckets = self.list("/api/v2/buckets", "buckets", &[("orgID", org_id)])?;
        let by_name = buckets.iter().find(|bucket| bucket["name"] == *name);
        let found = by_name.or_else(|| buckets.iter().find(|bucket| bucket["id"] == *name));
        found
            .cloned()
            .with_context(|| format!("there is no bucket {name:?} that the token may read"))
    }

    /// All objects of a list that comes in pages.
    pub(crate) fn list(
        &self,
        path: &str,
        member: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let (limit, offset) = (PAGE.to_string(), all.len().to_string());
            let mut query = query.to_vec();
            query.extend([("limit", &*limit), ("offset", &*offset)]);
            let answer = self.client.call("GET", path, &query, None)?;
            let page = answer[member].as_array().cloned().unwrap_or_default();
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Prints objects, as a table of `columns` (heading and text) or as JSON.
    pub(crate) fn print_list(&self, objects: &[Value], columns: &[Column<'_>]) -> Result<()> {
        if self.json {
            return print_json(&json!(objects));
        }
        let mut rows: Vec<Vec<String>> = vec![columns.iter().map(|c| c.0.to_owned()).collect()];
        rows.extend(
            objects
                .iter()
                .map(|object| columns.iter().map(|column| column.1(object)).collect()),
        );
        print_rows(&rows)
    }

    /// Prints what was made or changed: as JSON, or the one thing about it that scripts want.
    pub(crate) fn print_made(&self, object: &Value, line: &str) -> Result<()> {
        match self.json {
            true => print_json(object),
            false => Ok(writeln!(io::stdout(), "{line}")?),
        }
    }
}

fn print_json(value: &Value) -> Result<()> {
    Ok(writeln!(
        io::stdout(),
        "{}",
        serde_json::to_string_pretty(value)?
    )?)
}

/// Columns apart by two spaces.
fn print_rows(rows: &[Vec<String>]) -> Result<()> {
    use unicode_width::UnicodeWidthStr;
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max();
    let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
    let mut out = io::stdout().lock();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The text of a JSON string; empty for anything else.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Seconds of a duration such as `30d`; `0`, `inf` and `infinite` are for ever.
pub(crate) fn parse_seconds(duration: &str) -> Result<u64, String> {
    if matches!(duration, "0" | "inf" | "infinite") {
        return Ok(0);
    }
    let nanoseconds = headwater_influxql::parse_duration(duration)
        .map_err(|error| format!("{error}; write it as 30d, 12h or inf"))?;
    u64::try_from(nanoseconds / NANOSECONDS_PER_SECOND)
        .map_err(|_| "a duration is not negative".to_owned())
}

/// `604800` as `1w`; nothing is `infinite`.
pub(crate) fn print_seconds(seconds: &Value) -> String {
    match seconds.as_i64() {
        None | Some(0) => "infinite".to_owned(),
        Some(seconds) => {
            headwater_influxql::format_duration(seconds.saturating_mul(NANOSECONDS_PER_SECOND))
        }
    }
}
