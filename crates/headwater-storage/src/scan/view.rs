//! What there is to read at a moment. Views are immutable and share everything they can with the
//! views before and after them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use headwater_model::TimeRange;

use crate::{live_file::LiveFile, memtable::Block, schema::SchemaView, tombstone::Tombstone};

#[derive(Debug, Clone, Default)]
pub(crate) struct BucketView {
    pub(crate) measurements: BTreeMap<Arc<str>, Arc<MeasurementView>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct MeasurementView {
    /// By start.
    pub(crate) partitions: BTreeMap<i64, Arc<PartitionView>>,
}

/// A measurement's rows in one time partition.
#[derive(Debug)]
pub(crate) struct PartitionView {
    pub(crate) range: TimeRange,
    pub(crate) schema: Arc<SchemaView>,
    /// From oldest to newest.
    pub(crate) sources: Vec<Source>,
    pub(crate) tag_keys: OnceLock<BTreeSet<Arc<str>>>,
}

/// Sorted rows.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(FileSource),
    Block(Arc<Block>),
}

/// A file and the deletes that it does not know.
#[derive(Debug, Clone)]
pub(crate) struct FileSource {
    pub(crate) file: Arc<LiveFile>,
    pub(crate) tombstones: Vec<Arc<Tombstone>>,
}

impl FileSource {
    /// `tombstones` are all of the bucket.
    pub(crate) fn new(file: Arc<LiveFile>, tombstones: &[Arc<Tombstone>]) -> Self {
        let hits = tombstones
            .iter()
            .filter(|tombstone| file.is_hit_by(tombstone));
        let tombstones = hits.cloned().collect();
        Self { file, tombstones }
    }
}
