//! What an operator may choose.

use std::{path::PathBuf, time::Duration};

/// Settings of the engine; plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Holds `data/` and `wal/`.
    pub data_dir: PathBuf,
    pub wal: WalSettings,
    /// The memtable is flushed when it holds this many bytes.
    pub memtable_bytes_flush: usize,
    /// Writes wait for a flush, then are refused, when the memtable, what is being flushed and
    /// what is being added hold this many bytes.
    pub memtable_bytes_max: usize,
    /// How long a write waits for a flush before it is refused.
    pub write_wait_max: Duration,
    /// The memtable is flushed when its oldest row is this old.
    pub flush_age: Duration,
    /// Footers, directories and column chunks of data files kept in memory.
    pub cache_bytes: usize,
    /// Series that a bucket may have; points of further ones are rejected. 0: no limit.
    pub series_per_bucket_max: usize,
    /// Rows of a Parquet row group.
    pub row_group_rows: usize,
    /// Rows of a Parquet page.
    pub page_rows: usize,
    /// Whether flush, compaction and retention run by themselves. Tests turn it off and call
    /// [`crate::Engine::flush`] and [`crate::Engine::compact_all`].
    pub background: bool,
}

/// Settings of the write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalSettings {
    pub fsync: Fsync,
    /// A segment is closed when it has this many bytes.
    pub segment_bytes: usize,
    /// The memtable is flushed when its records take this many bytes: what a start has to replay.
    pub bytes_flush: usize,
    /// Writes wait for a flush, then are refused, when all records that are not in files take
    /// this many bytes.
    pub bytes_max: usize,
}

/// When the write-ahead log is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before any write of a batch is acknowledged.
    Always,
    /// At this interval; a power loss may take the writes since the last sync.
    Interval(Duration),
}

impl Settings {
    /// The defaults, for data under `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            wal: WalSettings::default(),
            memtable_bytes_flush: 24 << 20,
            memtable_bytes_max: 256 << 20,
            write_wait_max: Duration::from_secs(2),
            flush_age: Duration::from_secs(10 * 60),
            cache_bytes: 128 << 20,
            series_per_bucket_max: 0,
            row_group_rows: 100_000,
            page_rows: 4_000,
            background: true,
        }
    }
}

impl Default for WalSettings {
    fn default() -> Self {
        Self {
            fsync: Fsync::Always,
            segment_bytes: 32 << 20,
            bytes_flush: 64 << 20,
            bytes_max: 512 << 20,
        }
    }
}
