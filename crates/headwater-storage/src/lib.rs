//! Storage: write-ahead log, memtable, Parquet data files with their series directories, flush,
//! compaction, retention and deletes; one scan that yields sorted series slices as Arrow arrays.
//!
//! A write goes `engine` → `ingest` (types, series) → `memtable` and `wal`; a read `engine` →
//! `scan`. Not here: InfluxQL, HTTP, who may do what. The rules that data safety rests on are in
//! `invariants`.

mod arrays;
mod error;
mod limits;
mod settings;

mod engine;
mod open;
mod state;
mod tasks;

mod ingest;
mod memtable;
mod registry;
mod schema;
mod series_limit;
mod time_partition;

mod poison;
mod replay;
mod wal;

mod file;
mod footprint;
mod live_file;
mod predicate;

mod export;
mod run;
mod scan;
mod watch;

mod check;

mod compact;
mod delete;
mod expire;
mod flush;
mod invariants;
mod tombstone;

pub use check::{CheckReport, Finding, Severity, check};
pub use engine::{Components, Engine, Statistics};
pub use error::{Error, ErrorKind, Result};
pub use export::Sink;
pub use footprint::Footprint;
pub use ingest::{PartialWrite, RetentionLimit, WriteOutcome, WriteTarget};
pub use predicate::{Pattern, TagPredicate};
pub use scan::{
    CursorRequest, Cursors, Partition, Scan, ScanRequest, SeriesHandle, SeriesSlices, Slice,
    Snapshot,
};
pub use settings::{Fsync, Settings, WalSettings};
pub use tombstone::DeleteRequest;
