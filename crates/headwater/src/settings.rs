//! What an operator may choose, from four layers: the defaults, a TOML file, `HEADWATER_*`
//! variables, flags; the later wins, key by key.
//!
//! [`Settings`] is the list of keys, in sections. Where a section belongs to another crate, that
//! crate's own `Settings` is the value and holds the defaults; its `…Keys` struct here only says
//! how each field is written in TOML. So a new setting is a field there and its line here (the
//! compiler asks for it), and an entry in `headwater.sample.toml` (a test asks for that). The name
//! of its variable, `--set`, `config check` and the refusal of misspelt keys follow from that.

mod flags;
mod layers;
mod unit;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use axum::http::StatusCode;
use headwater_catalog::Profile;
use headwater_http::RateLimitBy;
use headwater_storage::{Fsync, WalSettings};
use serde::{Deserialize, Serialize};

pub(crate) use self::{flags::Flags, layers::Layers};

/// The commented sample file; a test holds it to the defaults.
pub(crate) const SAMPLE: &str = include_str!("../../../headwater.sample.toml");

/// All settings of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(with = "ProfileName")]
    pub(crate) profile: Profile,
    /// `spec/decisions.md` 14.
    pub(crate) auto_create_buckets: bool,
    pub(crate) server: Server,
    pub(crate) credentials: Credentials,
    #[serde(with = "StorageKeys")]
    pub(crate) storage: headwater_storage::Settings,
    #[serde(with = "QueryKeys")]
    pub(crate) query: headwater_query::Settings,
    #[serde(with = "HttpKeys")]
    pub(crate) http: headwater_http::Settings,
    pub(crate) tls: TlsFiles,
    pub(crate) log: Log,
}

impl Default for Settings {
    fn default() -> Self {
        let catalog = headwater_catalog::Settings::default();
        Self {
            profile: catalog.profile,
            auto_create_buckets: catalog.create_buckets_on_write,
            server: Server {
                bind: SocketAddr::from(([127, 0, 0, 1], 8086)),
                shutdown_limit: Duration::from_secs(30),
            },
            credentials: Credentials {
                bcrypt_cost: catalog.bcrypt_cost,
                session_duration: catalog.session_duration,
            },
            storage: headwater_storage::Settings::new("./data"),
            query: headwater_query::Settings::default(),
            http: headwater_http::Settings::default(),
            tls: TlsFiles {
                certificate: PathBuf::new(),
                key: PathBuf::new(),
            },
            log: Log {
                filter: "info".to_owned(),
                format: LogFormat::Text,
            },
        }
    }
}

impl Settings {
    /// What no single key shows to be wrong.
    fn check(&self) -> Result<()> {
        if !(4..=31).contains(&self.credentials.bcrypt_cost) {
            bail!("credentials.bcrypt_cost must be from 4 to 31");
        }
        if self.storage.memtable_bytes_flush > self.storage.memtable_bytes_max {
            bail!("storage.memtable_bytes_flush must not be above storage.memtable_bytes_max");
        }
        if self.http.write_bytes_max > self.http.write_decompressed_bytes_max {
            bail!("http.write_bytes_max must not be above http.write_decompressed_bytes_max");
        }
        if self.tls.certificate.as_os_str().is_empty() != self.tls.key.as_os_str().is_empty() {
            bail!("tls.certificate and tls.key go together");
        }
        if self.http.connections_max == 0 {
            bail!("http.connections_max must be at least 1");
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            bail!("log.filter: {error}");
        }
        Ok(())
    }

    pub(crate) fn catalog(&self) -> headwater_catalog::Settings {
        headwater_catalog::Settings {
            profile: self.profile,
            bcrypt_cost: self.credentials.bcrypt_cost,
            create_buckets_on_write: self.auto_create_buckets,
            session_duration: self.credentials.session_duration,
        }
    }
}

/// Where the server listens and how it stops.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) bind: SocketAddr,
    /// How long requests under way may take to finish once the server is told to stop.
    #[serde(with = "unit::duration")]
    pub(crate) shutdown_limit: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) bcrypt_cost: u32,
    #[serde(with = "unit::duration")]
    pub(crate) session_duration: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// `tracing`'s filter syntax.
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    /// One object a line.
    Json,
}

/// PEM files; empty for plain HTTP.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Profile", rename_all = "lowercase")]
enum ProfileName {
    Cloud,
    Oss,
    V1,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "headwater_storage::Settings", deny_unknown_fields)]
struct StorageKeys {
    data_dir: PathBuf,
    #[serde(with = "WalKeys")]
    wal: WalSettings,
    #[serde(with = "unit::bytes")]
    memtable_bytes_flush: usize,
    #[serde(with = "unit::bytes")]
    memtable_bytes_max: usize,
    #[serde(with = "unit::duration")]
    write_wait_max: Duration,
    #[serde(with = "unit::duration")]
    flush_age: Duration,
    #[serde(with = "unit::bytes")]
    cache_bytes: usize,
    series_per_bucket_max: usize,
    row_group_rows: usize,
    page_rows: usize,
    /// For tests of the engine.
    #[serde(skip, default = "always")]
    background: bool,
}

fn always() -> bool {
    true
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WalSettings", deny_unknown_fields)]
struct WalKeys {
    #[serde(with = "unit::fsync")]
    fsync: Fsync,
    #[serde(with = "unit::bytes")]
    segment_bytes: usize,
    #[serde(with = "unit::bytes")]
    bytes_flush: usize,
    #[serde(with = "unit::bytes")]
    bytes_max: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "headwater_query::Settings", deny_unknown_fields)]
struct QueryKeys {
    workers: usize,
    max_queued_queries: usize,
    max_concurrent_queries: usize,
    #[serde(with = "unit::duration")]
    query_timeout: Duration,
    max_select_point: u64,
    max_select_series: u64,
    max_select_buckets: u64,
    #[serde(with = "unit::bytes")]
    query_memory_bytes: usize,
    pieces_buffered: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "headwater_http::Settings", deny_unknown_fields)]
struct HttpKeys {
    version: String,
    build: String,
    /// Of the build, not chosen.
    #[serde(skip)]
    commit: String,
    #[serde(with = "unit::bytes")]
    write_bytes_max: usize,
    #[serde(with = "unit::bytes")]
    write_decompressed_bytes_max: usize,
    #[serde(with = "unit::bytes")]
    body_bytes_max: usize,
    #[serde(with = "unit::bytes")]
    result_hold_bytes: usize,
    gathered_cells_max: usize,
    #[serde(with = "unit::status")]
    back_pressure_status: StatusCode,
    metrics_enabled: bool,
    #[serde(with = "unit::bytes")]
    header_bytes_max: usize,
    #[serde(with = "unit::duration")]
    header_wait_max: Duration,
    connections_max: usize,
    requests_max: usize,
    rate_limit_per_second: u32,
    rate_limit_burst: u32,
    #[serde(with = "RateLimitByName")]
    rate_limit_by: RateLimitBy,
    cors_origins: Vec<String>,
    log_requests: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RateLimitBy", rename_all = "lowercase")]
enum RateLimitByName {
    Credential,
    Address,
}

#[cfg(test)]
mod tests;
