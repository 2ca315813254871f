//! What is fuzzed: a function for each target that takes any bytes and panics when a rule is
//! broken. libFuzzer calls them through `fuzz_targets/`; the tests of the crate `headwater` call
//! them with the seeds and with what was found earlier, without libFuzzer.

mod content;
mod world;

mod catalog_rows;
mod influxql;
mod line_protocol;
mod params;
mod parquet_file;
mod planner;
mod regex;
mod request_bodies;
mod wal_record;

pub use catalog_rows::catalog_rows;
pub use influxql::influxql;
pub use line_protocol::line_protocol;
pub use params::params;
pub use parquet_file::parquet_file;
pub use planner::planner;
pub use regex::regex;
pub use request_bodies::request_bodies;
pub use wal_record::wal_record;
