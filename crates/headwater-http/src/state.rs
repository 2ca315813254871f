//! What the handlers work with, and the limits they keep.

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::http::StatusCode;
use headwater_catalog::Catalog;
use headwater_env::{SharedClock, SharedRandom};
use headwater_query::QueryEngine;
use headwater_storage::Engine;

use crate::metrics::Metrics;

/// The components behind the routes.
#[derive(Debug, Clone)]
pub struct AppState {
    pub catalog: Catalog,
    pub engine: Engine,
    pub query: QueryEngine,
    pub clock: SharedClock,
    pub random: SharedRandom,
    pub settings: Arc<Settings>,
}

/// Plain settings of the HTTP surface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `X-Influxdb-Version` on every answer (`spec/decisions.md` 8).
    pub version: String,
    /// `X-Influxdb-Build` on every answer.
    pub build: String,
    /// The source revision that `/health` names.
    pub commit: String,
    /// The largest write body as received, in bytes (`spec/write.md` §6).
    pub write_bytes_max: usize,
    /// The largest write body after decompression, in bytes.
    pub write_decompressed_bytes_max: usize,
    /// The largest body of any other request, in bytes.
    pub body_bytes_max: usize,
    /// How many bytes of a result are held back before the first leave, so that an error found
    /// later can still replace them.
    pub result_hold_bytes: usize,
    /// How many cells a MessagePack result, which cannot be streamed, may have.
    pub gathered_cells_max: usize,
    /// The status of an answer to a write that storage cannot take now: 503, or 500 for agents
    /// that know only that (`spec/decisions.md` 13).
    pub back_pressure_status: StatusCode,
    /// Whether `/metrics` and `/debug/vars` answer.
    pub metrics_enabled: bool,
    /// The largest request line with its headers, in bytes.
    pub header_bytes_max: usize,
    /// How long an open HTTP/1 connection may wait for the head of a request.
    pub header_wait_max: Duration,
    /// Connections at the same time; others wait to be accepted.
    pub connections_max: usize,
    /// Requests at the same time, 0 for no limit; others are answered 503. Those about the
    /// server's state do not count.
    pub requests_max: usize,
    /// Requests a second that one caller may make, 0 for no limit; others are answered 429.
    pub rate_limit_per_second: u32,
    /// How many requests a caller that was quiet may make at once; 0: those of one second.
    pub rate_limit_burst: u32,
    /// What a caller is.
    pub rate_limit_by: RateLimitBy,
    /// The origins whose pages may call, `*` for any (CORS).
    pub cors_origins: Vec<String>,
    /// Whether every request is logged.
    pub log_requests: bool,
}

/// What the rate limit counts requests by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitBy {
    /// The credentials that a request carries, valid or not; the address where it has none.
    Credential,
    /// The address that a connection comes from.
    Address,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: concat!("2.9.1+headwater.", env!("CARGO_PKG_VERSION")).to_owned(),
            build: "Headwater".to_owned(),
            commit: String::new(),
            write_bytes_max: 50_000_000,
            write_decompressed_bytes_max: 250_000_000,
            body_bytes_max: 32 << 20,
            result_hold_bytes: 1 << 20,
            gathered_cells_max: 20_000_000,
            back_pressure_status: StatusCode::SERVICE_UNAVAILABLE,
            metrics_enabled: true,
            header_bytes_max: 256 << 10,
            header_wait_max: Duration::from_secs(5 * 60),
            connections_max: 10_000,
            requests_max: 0,
            rate_limit_per_second: 0,
            rate_limit_burst: 0,
            rate_limit_by: RateLimitBy::Credential,
            cors_origins: vec!["*".to_owned()],
            log_requests: false,
        }
    }
}

/// The state of all handlers; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) app: AppState,
    pub(crate) metrics: Metrics,
    /// Nanoseconds since 1970.
    pub(crate) started: i64,
    pub(crate) started_monotonic: Duration,
}

impl Shared {
    pub(crate) fn new(app: AppState) -> Self {
        let (started, started_monotonic) = (app.clock.now(), app.clock.monotonic());
        Self(Arc::new(Inner {
            app,
            metrics: Metrics::default(),
            started,
            started_monotonic,
        }))
    }
}

impl Inner {
    /// Since the start.
    pub(crate) fn uptime(&self) -> Duration {
        self.app
            .clock
            .monotonic()
            .saturating_sub(self.started_monotonic)
    }
}

impl Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.app
    }
}
