//! Bounds that are not settings.

/// Longest value of a string field, in bytes (`spec/write.md` §6.1).
pub(crate) const STRING_BYTES_MAX: usize = 1_048_576;

/// Rows of a memtable block; a full block is sealed.
pub(crate) const BLOCK_ROWS: usize = 64 * 1024;

/// Bytes of a memtable block; keeps the offsets of a block's strings far inside 32 bits.
pub(crate) const BLOCK_BYTES: usize = 16 << 20;

/// An open block with fewer rows than this is copied for a reader instead of sealed, so that
/// frequent small writes with frequent queries do not leave many small blocks.
pub(crate) const COPY_ROWS: usize = 1024;

/// Sealed blocks smaller than a full one are merged when this many of them are in a row.
pub(crate) const SMALL_BLOCKS: usize = 8;

/// Bytes of series keys that all buckets keep beyond a flush before the largest start afresh.
pub(crate) const REGISTRY_BYTES_MAX: usize = 256 << 20;

/// Values (rows times columns) that a scan reads from a file at once.
pub(crate) const SCAN_VALUES: u64 = 512 * 1024;

/// Series that a scan prepares at once.
pub(crate) const SCAN_SERIES: usize = 8 * 1024;

/// Values (rows times columns) that cursors hold of all their series together: each series gets
/// its share, within the bounds below.
pub(crate) const CURSOR_VALUES: u64 = 4 << 20;

/// Rows of a series that a cursor reads at once: at most about a data page, and at least so many
/// that the pages of 100,000 series need not be decoded for every few rows.
pub(crate) const CURSOR_ROWS: std::ops::RangeInclusive<u64> = 16..=4_096;

/// Rows of several series that cursors read together. Their arrays share buffers, so that this is
/// also what a series that lags behind may hold on to.
pub(crate) const CURSOR_BATCH_ROWS: u64 = 4_096;

/// Adjacent files of one level that are merged together.
pub(crate) const COMPACT_FILES_MIN: usize = 4;

/// How many times as large as all others together the largest of merged files may be.
pub(crate) const COMPACT_SKEW_MAX: u64 = 4;

/// Files merged at once, at most.
pub(crate) const COMPACT_FILES_MAX: usize = 10;

/// A file of this many bytes is not merged any further.
pub(crate) const COMPACT_BYTES_MAX: u64 = 512 << 20;

/// Bytes of a WAL batch that are gathered before they go to the file.
pub(crate) const WAL_BUFFER_BYTES: usize = 256 * 1024;

/// Longest WAL record, in bytes: a request body and its head.
pub(crate) const WAL_RECORD_BYTES_MAX: usize = 1 << 30;

/// A partition that ended so long ago is kept more often than it is read: compaction prefers
/// small encodings.
pub(crate) const COLD_AFTER_NS: i64 = 7 * 24 * 3_600 * 1_000_000_000;
