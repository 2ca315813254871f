//! The catalog through its public interface.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod authorization;
mod bucket;
mod credential;
mod database;
mod dbrp;
mod fixture;
mod organization;
mod reopen;
mod setup;
mod storage;
mod write_target;
