//! Headwater over HTTP: the InfluxDB 1.x surface (`/query`, `/write`, `/ping`), the part of
//! InfluxDB 2's management surface that goes with it, and the encodings of results. The only
//! crate that names axum. What data means is not known here: handlers extract, call the catalog,
//! storage and query crates, and encode.
//!
//! [`routes`] is the whole surface as a value over an [`AppState`]; [`serve`] gives it to whoever
//! connects.

mod routes;
mod server;
mod state;

mod edge;
mod error;
mod extract;
mod handler;
mod metrics;
mod openapi;

mod answer;
mod encode;

pub use routes::routes;
pub use server::{Tls, TlsError, serve};
pub use state::{AppState, RateLimitBy, Settings};
