//! The façade: open, write, delete, read, flush, close.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use headwater_catalog::Catalog;
use headwater_env::{SharedClock, SharedFileSystem};
use headwater_model::{Id, Precision, line_protocol::ParsedBatch};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    error::{Error, Result},
    expire::retention,
    flush::{Written, is_large},
    ingest::{WriteOutcome, WriteTarget},
    live_file::FileSpace,
    poison::Poison,
    scan::Snapshot,
    settings::Settings,
    state::{Generation, State},
    tombstone::DeleteRequest,
    wal::{Done, Entry, Record, Wal, WalFailure},
};

/// What the engine is built from.
#[derive(Debug, Clone)]
pub struct Components {
    pub catalog: Catalog,
    pub clock: SharedClock,
    pub file_system: SharedFileSystem,
}

/// The storage engine. Cheap to clone; all clones are one engine.
#[derive(Debug, Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) catalog: Catalog,
    pub(crate) clock: SharedClock,
    pub(crate) space: FileSpace,
    pub(crate) state: Mutex<State>,
    pub(crate) wal: Wal,
    pub(crate) poison: Poison,
    /// Held while what the catalog lists and what [`State`] lists change together: commits of
    /// flush and compaction, deletes, drops. So none of them sees another half done.
    pub(crate) maintenance: tokio::sync::Mutex<()>,
    /// One flush at a time, one compaction at a time.
    pub(crate) flushing: tokio::sync::Mutex<()>,
    pub(crate) compacting: tokio::sync::Mutex<()>,
    /// One bucket's series are counted at a time.
    pub(crate) counting: tokio::sync::Mutex<()>,
    /// Files of a generation that a failed flush has written and not listed.
    pub(crate) unlisted_files: Mutex<Option<(Generation, Vec<Written>)>>,
    /// Bytes of the bodies of writes that are let in and not in memory as rows yet.
    pub(crate) admitted_bytes: AtomicUsize,
    /// A flush is due.
    pub(crate) flush_wanted: Notify,
    /// A flush has made room.
    pub(crate) flushed: Notify,
    pub(crate) is_closed: AtomicBool,
    pub(crate) shutdown: watch::Sender<bool>,
    pub(crate) tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Figures for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Buckets that have been written to or hold files.
    pub buckets: usize,
    /// Bytes of rows that are not in files.
    pub memtable_bytes: usize,
    /// Bytes of records in the write-ahead log whose rows are not in files.
    pub log_bytes: usize,
    pub files: usize,
    pub file_bytes: u64,
    pub file_rows: u64,
    /// Bytes of footers, directories and column chunks in memory.
    pub cache_bytes: usize,
    /// Look-ups of them that were answered from memory, and those that read a file.
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// Time partitions whose files are to be merged.
    pub compactions_waiting: usize,
    /// Deletes that are not physical yet.
    pub tombstones: usize,
    /// Memtables that wait for their flush.
    pub frozen_generations: usize,
    /// Sequence number of the last write or delete.
    pub last_sequence: u64,
    /// Whether writes are refused since a failure.
    pub is_poisoned: bool,
    /// Whether writes are refused because the disk is full.
    pub is_disk_full: bool,
    /// Listed data files that are set aside because they are damaged or missing.
    pub damaged_files: usize,
}

impl Engine {
    /// Opens the data directory: sets aside listed files that are missing, removes those that are
    /// not listed, and replays the write-ahead log.
    ///
    /// # Errors
    /// The log is damaged before its end, something was written by a newer program, or the disk
    /// or the catalog fails.
    pub async fn open(settings: Settings, components: Components) -> Result<Self> {
        crate::open::open(settings, components).await
    }

    /// Stores the points of `batch`, which was parsed from `body` with `precision` and
    /// `default_time` (in nanoseconds, truncated to the precision). Resolves when they survive a
    /// power loss. Readers may see them slightly earlier.
    ///
    /// # Errors
    /// `Unavailable` when the memtable or the disk is full, after a failure, or after
    /// [`Engine::close`]. The points of a write that met a full disk may still be stored.
    pub async fn write(
        &self,
        target: WriteTarget,
        body: Bytes,
        precision: Precision,
        default_time: i64,
        batch: &ParsedBatch<'_>,
    ) -> Result<WriteOutcome> {
        self.0.know_series(target.bucket).await?;
        let admitted = self.0.admit(body.len()).await?;
        let (outcome, done) = self
            .0
            .append(&target, body, precision, default_time, batch)?;
        // Counted as rows in memory from here on.
        drop(admitted);
        if let Some(done) = done {
            durable(done).await?;
        }
        Ok(outcome)
    }

    /// Removes points. Rows vanish for readers at once; they leave the disk with compaction.
    pub async fn delete(&self, bucket: Id, request: DeleteRequest) -> Result<()> {
        self.0.delete(bucket, request).await
    }

    /// Removes all data of a bucket that is being deleted.
    pub async fn drop_bucket(&self, bucket: Id) -> Result<()> {
        self.0.drop_bucket(bucket).await
    }

    /// The bucket as it is now, without what is past its retention. An unknown bucket is empty.
    pub fn snapshot(&self, bucket: Id) -> Snapshot {
        let mut state = self.0.state.lock();
        state.set_damaged_aside(&self.0.space.damage);
        let view = state.buckets.get_mut(&bucket).map(|bucket| bucket.view());
        let view = view
            .transpose()
            .expect("rows that were accepted always make arrays");
        drop(state);
        let retention = self.0.catalog.state().bucket(bucket).map_or(0, retention);
        let lower_bound = match retention {
            0 => i64::MIN,
            retention => self.0.clock.now().saturating_sub(retention),
        };
        Snapshot::new(view.unwrap_or_default(), lower_bound)
    }

    /// Writes all rows in memory to data files.
    pub async fn flush(&self) -> Result<()> {
        self.0.flush().await
    }

    /// Merges data files until nothing is left to gain; `true` merges each partition into one
    /// file and makes all deletes physical.
    pub async fn compact_all(&self, is_full: bool) -> Result<()> {
        self.0.compact_all(is_full).await
    }

    /// Drops partitions that are past their bucket's retention.
    pub async fn expire(&self) -> Result<()> {
        self.0.expire().await
    }

    /// Refuses further writes, flushes, and stops all background work. Snapshots stay readable.
    pub async fn close(&self) -> Result<()> {
        if self.0.is_closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.0.shutdown.send_replace(true);
        let tasks = std::mem::take(&mut *self.0.tasks.lock());
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task of storage failed");
            }
        }
        let result = match self.0.poison.is_set() {
            true => self.0.poison.check(),
            false => self.0.flush().await,
        };
        let inner = self.0.clone();
        let stopped = tokio::task::spawn_blocking(move || inner.wal.stop()).await;
        stopped.map_err(|e| Error::Internal(e.to_string()))?;
        result
    }

    pub fn statistics(&self) -> Statistics {
        let mut state = self.0.state.lock();
        state.set_damaged_aside(&self.0.space.damage);
        let mut statistics = Statistics {
            buckets: state.buckets.len(),
            memtable_bytes: state.memtable_bytes(),
            log_bytes: state.log_bytes(),
            frozen_generations: state.frozen.len(),
            last_sequence: state.next_sequence - 1,
            is_poisoned: self.0.poison.is_set(),
            is_disk_full: self.0.wal.is_full(),
            cache_bytes: self.0.space.cache.used_bytes(),
            ..Statistics::default()
        };
        for bucket in state.buckets.values() {
            statistics.tombstones += bucket.tombstones.len();
            for file in bucket.files() {
                statistics.files += 1;
                statistics.file_bytes += file.record().bytes;
                statistics.file_rows += file.record().rows;
            }
            statistics.damaged_files += bucket.damaged_files().count();
        }
        (statistics.cache_hits, statistics.cache_misses) = self.0.space.cache.hits_and_misses();
        statistics.compactions_waiting = state.compactions_waiting();
        statistics
    }

    /// The folder that holds `data/` and `wal/`.
    pub fn data_dir(&self) -> &PathBuf {
        &self.0.settings.data_dir
    }
}

impl Inner {
    /// Lets a write in, after a wait for a flush if memory is short.
    async fn admit(&self, bytes: usize) -> Result<Admitted<'_>> {
        self.check_open()?;
        self.check_disk().await?;
        if self.has_room() {
            return Ok(Admitted::new(self, bytes));
        }
        self.flush_wanted.notify_one();
        let wait = async {
            loop {
                let flushed = self.flushed.notified();
                if self.has_room() {
                    return;
                }
                flushed.await;
            }
        };
        let waited = tokio::time::timeout(self.settings.write_wait_max, wait).await;
        waited.map_err(|_| Error::MemtableFull)?;
        Ok(Admitted::new(self, bytes))
    }

    /// Whether what is in memory and what the log holds leave room for more.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state.lock();
        let memory = state.memtable_bytes() + self.admitted_bytes.load(Ordering::Relaxed);
        memory < self.settings.memtable_bytes_max && state.log_bytes() < self.settings.wal.bytes_max
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Error::Closed);
        }
        self.poison.check()
    }

    /// Refuses changes while the disk is full, which is tried out.
    pub(crate) async fn check_disk(&self) -> Result<()> {
        if self.wal.is_full() {
            durable(self.wal.probe()).await?;
        }
        Ok(())
    }

    /// The critical section of a write: memtable and log take it in the same order.
    fn append(
        &self,
        target: &WriteTarget,
        body: Bytes,
        precision: Precision,
        default_time: i64,
        batch: &ParsedBatch<'_>,
    ) -> Result<(WriteOutcome, Option<Done>)> {
        if batch.points.is_empty() {
            return Ok((WriteOutcome::Accepted, None));
        }
        let mut state = self.state.lock();
        self.check_open()?;
        let series_max = self.settings.series_per_bucket_max;
        let applied = state
            .apply(target, batch, series_max)
            .inspect_err(|error| {
                self.poison
                    .set(format!("a batch was applied in part: {error}"));
            })?;
        let outcome = applied.outcome(target, batch);
        if applied.rejected.len() == batch.points.len() {
            return Ok((outcome, None));
        }
        let lines = match applied.rejected.as_slice() {
            [] => body,
            rejected => accepted_lines(batch, rejected),
        };
        let lines_len = lines.len();
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        if state.active.since.is_none() {
            state.active.since = Some(self.clock.monotonic());
        }
        let (bucket, shard_group) = (target.bucket, target.shard_group);
        let entry = Entry::Write {
            bucket,
            precision,
            default_time,
            shard_group,
            lines,
        };
        state.active.log_bytes += lines_len;
        let done = self.wal.append(Record { sequence, entry });
        if is_large(&self.settings, &state.active) {
            self.flush_wanted.notify_one();
        }
        Ok((outcome, Some(done)))
    }
}

/// A write that was let in; counts against the budget until it is dropped, so that many writes
/// that come at once do not get past it together.
struct Admitted<'a> {
    inner: &'a Inner,
    bytes: usize,
}

impl<'a> Admitted<'a> {
    fn new(inner: &'a Inner, bytes: usize) -> Self {
        inner.admitted_bytes.fetch_add(bytes, Ordering::Relaxed);
        Self { inner, bytes }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.inner
            .admitted_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The lines that were not rejected.
fn accepted_lines(batch: &ParsedBatch<'_>, rejected: &[usize]) -> Bytes {
    let mut lines = Vec::new();
    let mut rejected = rejected.iter().peekable();
    for (at, point) in batch.points.iter().enumerate() {
        if rejected.next_if_eq(&&at).is_none() {
            lines.extend_from_slice(point.line);
            lines.push(b'\n');
        }
    }
    lines.into()
}

/// Waits until the log has made something durable.
pub(crate) async fn durable(done: Done) -> Result<()> {
    match done.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(WalFailure::Full(reason))) => Err(Error::DiskFull {
            reason: reason.to_string(),
        }),
        Ok(Err(WalFailure::Failed(reason))) => Err(Error::Poisoned {
            reason: reason.to_string(),
        }),
        Err(_) => Err(Error::Closed),
    }
}
