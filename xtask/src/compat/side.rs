//! The two servers of a comparison and how their answers are read.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::query::{Format, Request};
use crate::server::Server;

const TOKEN: &str = "compat-token-0123456789abcdef";
const QUERY_TIMEOUT: Duration = Duration::from_secs(20);

/// An answer in the form that is compared.
pub(super) struct Answer {
    pub(super) status: u16,
    /// JSON and MessagePack as one value, a chunked answer as the array of its documents, CSV as
    /// text. A body that cannot be read is null.
    pub(super) body: Value,
}

/// One of the two servers.
pub(super) struct Side {
    server: Server,
    agent: ureq::Agent,
    /// The organization's id; the reference has none.
    organization: Option<String>,
}

impl Side {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(QUERY_TIMEOUT))
            .build()
            .into()
    }

    pub(super) fn influxdb(dir: &Path) -> Result<Self> {
        Ok(Self {
            // It merges series in as many groups as it has processors, and which of two equal
            // points wins depends on the groups.
            server: Server::influxdb(dir, &[("GOMAXPROCS", "1")])?,
            agent: Self::agent(),
            organization: None,
        })
    }

    pub(super) fn headwater(binary: &Path, dir: &Path) -> Result<Self> {
        let mut side = Self {
            server: Server::headwater(binary, dir, &[])?,
            agent: Self::agent(),
            organization: None,
        };
        let body = json!({"username": "admin", "password": "compat-password", "org": "compat",
            "bucket": "first", "token": TOKEN});
        let answer = side.post("/api/v2/setup", &body)?;
        let id = answer["org"]["id"]
            .as_str()
            .context("setup names no organization")?;
        side.organization = Some(id.to_owned());
        Ok(side)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Content-Type", "application/json")
            .send(body.to_string())?;
        let text = response.body_mut().read_to_string()?;
        if response.status() != 201 {
            bail!("{path} was answered {}: {text}", response.status());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// A database whose data is partitioned by `shard_seconds`.
    pub(super) fn create_database(&self, name: &str, shard_seconds: u64) -> Result<()> {
        let text = format!(
            "CREATE DATABASE \"{name}\" WITH SHARD DURATION {shard_seconds}s NAME \"autogen\""
        );
        self.create(&text, name, ("autogen", true), shard_seconds)
    }

    /// A further retention policy of a database.
    pub(super) fn create_policy(
        &self,
        database: &str,
        policy: &str,
        shard_seconds: u64,
    ) -> Result<()> {
        let text = format!(
            "CREATE RETENTION POLICY \"{policy}\" ON \"{database}\" DURATION INF REPLICATION 1 \
             SHARD DURATION {shard_seconds}s"
        );
        self.create(&text, database, (policy, false), shard_seconds)
    }

    fn create(
        &self,
        text: &str,
        database: &str,
        (policy, is_default): (&str, bool),
        shard_seconds: u64,
    ) -> Result<()> {
        let Some(organization) = &self.organization else {
            let answer = self.query("", &Request::text(text))?;
            if answer.body != json!({"results": [{"statement_id": 0}]}) {
                bail!("{text}: {}", answer.body);
            }
            return Ok(());
        };
        let rule = json!({"type": "expire", "everySeconds": 0,
            "shardGroupDurationSeconds": shard_seconds});
        let body = json!({"orgID": organization, "name": format!("{database}/{policy}"),
            "retentionRules": [rule]});
        let bucket = self.post("/api/v2/buckets", &body)?;
        let body = json!({"orgID": organization, "bucketID": bucket["id"], "database": database,
            "retention_policy": policy, "default": is_default});
        self.post("/api/v2/dbrps", &body)?;
        Ok(())
    }

    /// Drops a database of the reference, which keeps all its files open.
    pub(super) fn forget(&self, database: &str) -> Result<()> {
        self.query("", &Request::text(&format!("DROP DATABASE \"{database}\"")))?;
        Ok(())
    }

    pub(super) fn write(
        &self,
        database: &str,
        parameters: &[(&str, &str)],
        body: &str,
    ) -> Result<()> {
        let mut response = self
            .agent
            .post(format!("{}/write", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .query("db", database)
            .query_pairs(parameters.iter().copied())
            .send(body)?;
        if response.status() != 204 {
            let text = response.body_mut().read_to_string()?;
            bail!("a write was answered {}: {text:.500}", response.status());
        }
        Ok(())
    }

    pub(super) fn query(&self, database: &str, request: &Request) -> Result<Answer> {
        let accept = match request.format {
            Format::Json => "application/json",
            Format::Csv => "application/csv",
            Format::MessagePack => "application/x-msgpack",
        };
        let mut response = self
            .agent
            .post(format!("{}/query", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Accept", accept)
            .query("db", database)
            .query_pairs(request.parameters())
            .query("q", request.statement.to_string())
            .send_empty()?;
        let body = response
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_vec()?;
        let status = response.status().as_u16();
        let body = match request.format {
            Format::MessagePack if status == 200 => message_pack(&body),
            Format::Csv if status == 200 => Value::String(String::from_utf8_lossy(&body).into()),
            _ => documents(&body),
        };
        Ok(Answer { status, body })
    }
}

/// One JSON document, or the array of several.
fn documents(body: &[u8]) -> Value {
    let all: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(body)
        .into_iter()
        .collect();
    match all.unwrap_or_default() {
        mut one if one.len() <= 1 => one.pop().unwrap_or(Value::Null),
        several => Value::Array(several),
    }
}

fn message_pack(mut body: &[u8]) -> Value {
    let mut all = Vec::new();
    while !body.is_empty() {
        match rmpv::decode::read_value(&mut body) {
            Ok(value) => all.push(json_of(&value)),
            Err(_) => return Value::Null,
        }
    }
    Value::Array(all)
}

/// The same value in JSON; times, which are extensions there, as the bytes they are.
fn json_of(value: &rmpv::Value) -> Value {
    use rmpv::Value as Packed;
    match value {
        Packed::Nil => Value::Null,
        Packed::Boolean(it) => json!(it),
        Packed::Integer(it) => it.as_i64().map_or_else(|| json!(it.as_u64()), Value::from),
        Packed::F32(it) => json!({"float": it.to_string()}),
        // What JSON has no number for is text here.
        Packed::F64(it) if !it.is_finite() => json!(it.to_string()),
        Packed::F64(it) => json!(it),
        Packed::String(it) => json!(it.as_str()),
        Packed::Binary(it) => json!({"bytes": it}),
        Packed::Array(items) => items.iter().map(json_of).collect(),
        Packed::Map(members) => members
            .iter()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), json_of(value)))
            .collect(),
        Packed::Ext(kind, bytes) => json!({"extension": kind, "bytes": bytes}),
    }
}
