//! Storage through its public interface, on a simulated file system.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot go on without fails it"
)]

mod cardinality;
mod check;
mod concurrent;
mod crash;
mod deletes;
mod export;
mod faults;
mod fixture;
mod model;
mod retention;
mod scans;
mod writes;
