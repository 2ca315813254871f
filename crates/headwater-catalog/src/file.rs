//! Storage's records of data files, and the one transaction that swaps them.
//!
//! These records are not part of [`State`](crate::State): there can be many, and only storage
//! reads them, once, when it opens.

use headwater_model::Id;

use crate::{Catalog, Result, SchemaRecord, TombstoneRecord, sql::records};

/// One data file that is part of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    pub id: Id,
    pub bucket: Id,
    pub measurement: String,
    /// First nanosecond of the time partition.
    pub partition_start: i64,
    /// End of the time partition, exclusive.
    pub partition_end: i64,
    /// Relative to storage's data directory.
    pub path: String,
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Earliest time of a row, in nanoseconds.
    pub min_time: i64,
    /// Latest time of a row, in nanoseconds.
    pub max_time: i64,
    /// The oldest write in the file; orders files that hold the same points.
    pub min_sequence: u64,
    /// The newest write in the file.
    pub max_sequence: u64,
    /// How often the rows went through compaction.
    pub level: u32,
}

/// What a flush, a compaction, a delete or an expiry changes, all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChange {
    pub added: Vec<FileRecord>,
    pub removed: Vec<Id>,
    /// Columns seen for the first time; one that is listed already takes the given type.
    pub schema_added: Vec<SchemaRecord>,
    /// Bucket, measurement and the start of the partition (`None`: of all partitions).
    pub schema_removed: Vec<(Id, String, Option<i64>)>,
    /// Deletes. One that is listed already stays as it is.
    pub tombstones_added: Vec<TombstoneRecord>,
    /// Sequence numbers of tombstones that no file needs any more.
    pub tombstones_removed: Vec<u64>,
}

/// Everything the catalog knows about stored data, as storage reads it when it opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageRecords {
    /// By id.
    pub files: Vec<FileRecord>,
    /// By bucket, measurement, partition and name.
    pub schema: Vec<SchemaRecord>,
    /// By sequence number.
    pub tombstones: Vec<TombstoneRecord>,
}

impl Catalog {
    /// All files, columns and tombstones. Records of a bucket that [`State`](crate::State) does
    /// not know were left by a crash between the two halves of a bucket's deletion: finish it with
    /// [`Catalog::remove_bucket_storage`].
    pub async fn storage_records(&self) -> Result<StorageRecords> {
        records::load(self.pool()).await
    }

    /// Carries out `change` in one transaction: after a crash either all of it is there or none.
    /// Removals come before additions. Fails, changing nothing, if an added file's id is taken.
    pub async fn commit_files(&self, change: FileChange) -> Result<()> {
        records::commit(self.pool(), &change).await
    }

    /// Forgets all files, columns and tombstones of `bucket` in one transaction and returns the
    /// files, which may be removed from the disk from then on.
    pub async fn remove_bucket_storage(&self, bucket: Id) -> Result<Vec<FileRecord>> {
        records::remove_bucket(self.pool(), bucket).await
    }
}
