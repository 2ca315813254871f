//! Storage through its public interface, on a simulated file system.

mod crash;
mod deletes;
mod fixture;
mod model;
mod scans;
mod writes;
