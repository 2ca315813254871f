//! What an operator may choose about queries.

use std::time::Duration;

/// Limits of queries. They are InfluxDB's `[coordinator]` settings and have its defaults, 0 for no
/// limit; the memory budget and the bounds of the queue are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Requests that run at the same time; others wait.
    pub workers: usize,
    /// Requests that may wait for a worker; a further one is refused. 0 is no limit.
    pub max_queued_queries: usize,
    /// `max-concurrent-queries`: requests that may run or wait; a further one is refused. 0: they
    /// wait, as far as `max_queued_queries` lets them.
    pub max_concurrent_queries: usize,
    /// `query-timeout`: from the arrival of a request to the end of its answer.
    pub query_timeout: Duration,
    /// `max-select-point`: rows that a statement may read. Counted for each scan, so that a row
    /// that two calls read apart counts twice.
    pub max_select_point: u64,
    /// `max-select-series`: series of one measurement in one time partition that a statement may
    /// read; the reference counts by its shards too.
    pub max_select_series: u64,
    /// `max-select-buckets`: windows that a statement may have. One without a lower time bound
    /// reads only so many of the last windows (`spec/influxql/fill_and_windows.md` §7).
    pub max_select_buckets: u64,
    /// Bytes that a statement may hold while it runs: rows that wait to be merged or sorted,
    /// windows, sets of distinct values, series. An account of what is kept, not of every
    /// allocation; 0 is no limit.
    pub query_memory_bytes: usize,
    /// Pieces of an answer that may wait for the client.
    pub pieces_buffered: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 32,
            max_queued_queries: 1024,
            max_concurrent_queries: 0,
            query_timeout: Duration::ZERO,
            max_select_point: 0,
            max_select_series: 0,
            max_select_buckets: 0,
            query_memory_bytes: 1 << 30,
            pieces_buffered: 4,
        }
    }
}
