//! Requests against a catalog and a storage engine, as a server would make them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod delete;
mod explain;
mod fixture;
mod limits;
mod permissions;
mod queries;
mod requests;
mod show;
mod splits;
