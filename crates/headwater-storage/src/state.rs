//! Everything the engine knows at a moment: buckets, measurements, partitions, their files and
//! memtable rows. It is behind one lock that is held for short, bounded work only.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use headwater_model::{Id, TimeRange};
use rustc_hash::FxHashMap;

use crate::{
    delete::Burial,
    error::Result,
    limits::REGISTRY_BYTES_MAX,
    live_file::{DamageReports, LiveFile},
    memtable::{Block, Table},
    registry::{KeyTable, SeriesRegistry},
    scan::{BucketView, FileSource, PartitionView, Source},
    schema::{Schema, SchemaView},
    series_limit::KnownSeries,
    time_partition,
    tombstone::Tombstone,
};

/// Number of a memtable generation. Generations are frozen and flushed in order.
pub(crate) type Generation = u64;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) buckets: FxHashMap<Id, BucketState>,
    /// The sequence number of the next write or delete.
    pub(crate) next_sequence: u64,
    /// All writes up to this one are in files.
    pub(crate) flushed_sequence: u64,
    pub(crate) active: ActiveGeneration,
    /// Oldest first.
    pub(crate) frozen: Vec<FrozenGeneration>,
    /// Deletes that the catalog does not know yet. It learns of them at the latest together with
    /// the next files, since a flush releases the log's record of them.
    pub(crate) unlisted_tombstones: Vec<Arc<Tombstone>>,
    /// What is forgotten here and still in the catalog.
    pub(crate) unburied: Burial,
}

/// The memtable that takes rows.
#[derive(Debug)]
pub(crate) struct ActiveGeneration {
    pub(crate) number: Generation,
    pub(crate) first_sequence: u64,
    pub(crate) bytes: usize,
    /// Bytes of its records in the log.
    pub(crate) log_bytes: usize,
    /// When its first row came, on the monotonic clock.
    pub(crate) since: Option<Duration>,
    /// The partitions that have rows in it.
    pub(crate) tables: Vec<PartitionName>,
}

/// A memtable on its way into files.
#[derive(Debug, Clone)]
pub(crate) struct FrozenGeneration {
    pub(crate) number: Generation,
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    pub(crate) bytes: usize,
    pub(crate) log_bytes: usize,
    pub(crate) tables: Vec<PartitionName>,
}

/// Where a partition is. Numbers of measurements stay as long as their bucket does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartitionName {
    pub(crate) bucket: Id,
    pub(crate) measurement: u32,
    pub(crate) start: i64,
}

#[derive(Debug)]
pub(crate) struct BucketState {
    pub(crate) id: Id,
    pub(crate) registry: SeriesRegistry,
    pub(crate) known: KnownSeries,
    pub(crate) measurements: Vec<MeasurementState>,
    pub(crate) by_name: FxHashMap<Arc<str>, u32>,
    /// By sequence.
    pub(crate) tombstones: Vec<Arc<Tombstone>>,
    view: Arc<BucketView>,
    /// Partitions that the view shows as they were.
    stale: Vec<(u32, i64)>,
}

#[derive(Debug)]
pub(crate) struct MeasurementState {
    pub(crate) name: Arc<str>,
    /// By start; they do not overlap.
    #[expect(
        clippy::vec_box,
        reason = "inserting one must not move the large others"
    )]
    pub(crate) partitions: Vec<Box<PartitionState>>,
    last: usize,
}

#[derive(Debug)]
pub(crate) struct PartitionState {
    pub(crate) start: i64,
    /// Exclusive.
    pub(crate) end: i64,
    pub(crate) schema: Schema,
    pub(crate) table: Table,
    /// Oldest first.
    pub(crate) frozen: Vec<FrozenTable>,
    /// By sequence, oldest first.
    pub(crate) files: Vec<Arc<LiveFile>>,
    /// Listed files that cannot be read.
    pub(crate) damaged: Vec<Arc<LiveFile>>,
    pub(crate) is_stale: bool,
}

/// A partition's rows of a frozen generation.
#[derive(Debug, Clone)]
pub(crate) struct FrozenTable {
    pub(crate) generation: Generation,
    pub(crate) schema: Arc<SchemaView>,
    pub(crate) blocks: Vec<Arc<Block>>,
}

impl State {
    pub(crate) fn new(next_sequence: u64, flushed_sequence: u64) -> Self {
        Self {
            buckets: FxHashMap::default(),
            next_sequence,
            flushed_sequence,
            active: ActiveGeneration {
                number: 1,
                first_sequence: next_sequence,
                bytes: 0,
                log_bytes: 0,
                since: None,
                tables: Vec::new(),
            },
            frozen: Vec::new(),
            unlisted_tombstones: Vec::new(),
            unburied: Burial::default(),
        }
    }

    /// Leaves out the files that were reported damaged.
    pub(crate) fn set_damaged_aside(&mut self, reports: &DamageReports) {
        for record in reports.take() {
            let Some(bucket) = self.buckets.get_mut(&record.bucket) else {
                continue;
            };
            let Some(&measurement) = bucket.by_name.get(record.measurement.as_str()) else {
                continue;
            };
            let start = record.partition_start;
            let Some(partition) = bucket.partition(measurement, start) else {
                continue;
            };
            let is_it = |file: &Arc<LiveFile>| file.record().id == record.id;
            if let Some(at) = partition.files.iter().position(is_it) {
                let file = partition.files.remove(at);
                partition.damaged.push(file);
                bucket.mark_stale(measurement, start);
            }
        }
    }

    /// Bytes of all rows that are not in files.
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.active.bytes
            + self
                .frozen
                .iter()
                .map(|generation| generation.bytes)
                .sum::<usize>()
    }

    /// Bytes of all records in the log that are not in files.
    pub(crate) fn log_bytes(&self) -> usize {
        let frozen = self.frozen.iter().map(|generation| generation.log_bytes);
        self.active.log_bytes + frozen.sum::<usize>()
    }

    pub(crate) fn bucket(&mut self, id: Id) -> &mut BucketState {
        self.buckets
            .entry(id)
            .or_insert_with(|| BucketState::new(id))
    }

    /// The largest sequence number such that no write up to it waits in memory for its file.
    pub(crate) fn safe_sequence(&self) -> u64 {
        match self.frozen.first() {
            Some(oldest) => oldest.first_sequence - 1,
            None if !self.active.tables.is_empty() => self.active.first_sequence - 1,
            None => self.next_sequence - 1,
        }
    }

    pub(crate) fn partition(&mut self, name: PartitionName) -> Option<&mut PartitionState> {
        self.buckets
            .get_mut(&name.bucket)?
            .partition(name.measurement, name.start)
    }

    /// Starts the largest registries afresh until all together are small enough.
    fn bound_registries(&mut self) {
        let registries = self.buckets.values_mut().map(|bucket| &mut bucket.registry);
        let mut registries: Vec<_> = registries.collect();
        registries.sort_unstable_by_key(|registry| registry.bytes());
        let mut bytes: usize = registries.iter().map(|registry| registry.bytes()).sum();
        while bytes > REGISTRY_BYTES_MAX
            && let Some(largest) = registries.pop()
        {
            bytes -= largest.bytes();
            *largest = SeriesRegistry::default();
        }
    }

    /// Freezes the active memtable, if it has rows, and starts the next generation.
    pub(crate) fn freeze(&mut self) -> Result<bool> {
        if self.active.tables.is_empty() {
            return Ok(false);
        }
        let mut tables = Vec::with_capacity(self.active.tables.len());
        let number = self.active.number;
        for name in std::mem::take(&mut self.active.tables) {
            let Some(bucket) = self.buckets.get_mut(&name.bucket) else {
                continue;
            };
            let keys = bucket.registry.keys().clone();
            let Some(partition) = bucket.partition(name.measurement, name.start) else {
                continue;
            };
            let blocks = partition.table.take(&keys)?;
            if !blocks.is_empty() {
                let schema = partition.schema.view();
                partition.frozen.push(FrozenTable {
                    generation: number,
                    schema,
                    blocks,
                });
                tables.push(name);
            }
            bucket.mark_stale(name.measurement, name.start);
        }
        for bucket in self.buckets.values_mut() {
            if std::mem::take(&mut bucket.known.distrusts_registry) {
                bucket.registry = SeriesRegistry::default();
            }
        }
        self.bound_registries();
        self.frozen.push(FrozenGeneration {
            number,
            first_sequence: self.active.first_sequence,
            last_sequence: self.next_sequence - 1,
            bytes: self.active.bytes,
            log_bytes: self.active.log_bytes,
            tables,
        });
        self.active = ActiveGeneration {
            number: number + 1,
            first_sequence: self.next_sequence,
            bytes: 0,
            log_bytes: 0,
            since: None,
            tables: Vec::new(),
        };
        Ok(true)
    }
}

impl BucketState {
    pub(crate) fn new(id: Id) -> Self {
        Self {
            id,
            registry: SeriesRegistry::default(),
            known: KnownSeries::default(),
            measurements: Vec::new(),
            by_name: FxHashMap::default(),
            tombstones: Vec::new(),
            view: Arc::default(),
            stale: Vec::new(),
        }
    }

    /// The number of a measurement, which is added if need be.
    pub(crate) fn measurement(&mut self, name: &Arc<str>) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = u32::try_from(self.measurements.len()).expect("far fewer than 32 bits");
        self.by_name.insert(name.clone(), number);
        self.measurements.push(MeasurementState {
            name: name.clone(),
            partitions: Vec::new(),
            last: 0,
        });
        number
    }

    pub(crate) fn partition(
        &mut self,
        measurement: u32,
        start: i64,
    ) -> Option<&mut PartitionState> {
        let partitions = &mut self.measurements.get_mut(measurement as usize)?.partitions;
        let at = partitions
            .binary_search_by_key(&start, |partition| partition.start)
            .ok()?;
        Some(&mut partitions[at])
    }

    /// To be called when a partition has changed.
    pub(crate) fn mark_stale(&mut self, measurement: u32, start: i64) {
        match self.partition(measurement, start) {
            Some(partition) if partition.is_stale => return,
            Some(partition) => partition.is_stale = true,
            None => {}
        }
        self.stale.push((measurement, start));
    }

    /// Forgets a partition.
    pub(crate) fn remove_partition(&mut self, measurement: u32, start: i64) {
        let Some(state) = self.measurements.get_mut(measurement as usize) else {
            return;
        };
        state
            .partitions
            .retain(|partition| partition.start != start);
        state.last = 0;
        self.known.note_removal();
        self.stale.push((measurement, start));
        self.drop_view(measurement, start);
    }

    /// Lets go of what the view shows of a partition whose files were replaced, so that they can
    /// leave the disk before somebody reads the bucket again. To be called with the partition
    /// marked as stale.
    pub(crate) fn drop_view(&mut self, measurement: u32, start: i64) {
        let name = &self.measurements[measurement as usize].name;
        let shown = self.view.measurements.get(name);
        if shown.is_none_or(|m| !m.partitions.contains_key(&start)) {
            return;
        }
        let view = Arc::make_mut(&mut self.view);
        if let Some(shown) = view.measurements.get_mut(name) {
            Arc::make_mut(shown).partitions.remove(&start);
        }
    }

    /// What readers see now.
    pub(crate) fn view(&mut self) -> Result<Arc<BucketView>> {
        if self.stale.is_empty() {
            return Ok(self.view.clone());
        }
        let keys = self.registry.keys().clone();
        let view = Arc::make_mut(&mut self.view);
        for (measurement, start) in std::mem::take(&mut self.stale) {
            let state = &mut self.measurements[measurement as usize];
            let at = state
                .partitions
                .binary_search_by_key(&start, |partition| partition.start);
            let partition = match at {
                Ok(at) => state.partitions[at].view(&keys, &self.tombstones)?,
                Err(_) => None,
            };
            let shown = view.measurements.entry(state.name.clone()).or_default();
            let partitions = &mut Arc::make_mut(shown).partitions;
            match partition {
                Some(partition) => {
                    partitions.insert(start, partition);
                }
                None => {
                    partitions.remove(&start);
                }
            }
            if partitions.is_empty() {
                view.measurements.remove(&state.name);
            }
        }
        Ok(self.view.clone())
    }
}

impl MeasurementState {
    /// The partition of a time, made if need be. One that exists keeps its bounds when the shard
    /// group duration changes; a new one is cut at its neighbours.
    pub(crate) fn partition_of(&mut self, time: i64, shard_group: i64) -> &mut PartitionState {
        if self
            .partitions
            .get(self.last)
            .is_none_or(|partition| !partition.contains(time))
        {
            self.last = self.find_or_add(time, shard_group);
        }
        &mut self.partitions[self.last]
    }

    #[cold]
    fn find_or_add(&mut self, time: i64, shard_group: i64) -> usize {
        let at = self
            .partitions
            .partition_point(|partition| partition.end <= time);
        if self
            .partitions
            .get(at)
            .is_some_and(|partition| partition.contains(time))
        {
            return at;
        }
        let (mut start, mut end) = time_partition::bounds(time, shard_group);
        if let Some(before) = at.checked_sub(1) {
            start = start.max(self.partitions[before].end);
        }
        if let Some(after) = self.partitions.get(at) {
            end = end.min(after.start);
        }
        self.partitions
            .insert(at, Box::new(PartitionState::new(start, end)));
        at
    }

    /// The partition with exactly these bounds, made if need be; for what the catalog lists.
    pub(crate) fn listed_partition(&mut self, start: i64, end: i64) -> &mut PartitionState {
        let at = match self
            .partitions
            .binary_search_by_key(&start, |partition| partition.start)
        {
            Ok(at) => at,
            Err(at) => {
                self.partitions
                    .insert(at, Box::new(PartitionState::new(start, end)));
                at
            }
        };
        &mut self.partitions[at]
    }
}

impl PartitionState {
    fn new(start: i64, end: i64) -> Self {
        Self {
            start,
            end,
            schema: Schema::default(),
            table: Table::default(),
            frozen: Vec::new(),
            files: Vec::new(),
            damaged: Vec::new(),
            is_stale: false,
        }
    }

    pub(crate) fn contains(&self, time: i64) -> bool {
        self.start <= time && time < self.end
    }

    /// Inclusive.
    pub(crate) fn range(&self) -> TimeRange {
        TimeRange::new(self.start, self.end - 1)
    }

    /// Whether no memtable has rows of it.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.table.is_empty() && self.frozen.is_empty()
    }

    /// Adds a file in its place.
    pub(crate) fn add_file(&mut self, file: Arc<LiveFile>) {
        let sequence = file.record().min_sequence;
        let at = self
            .files
            .partition_point(|other| other.record().min_sequence <= sequence);
        self.files.insert(at, file);
    }

    fn view(
        &mut self,
        keys: &KeyTable,
        tombstones: &[Arc<Tombstone>],
    ) -> Result<Option<Arc<PartitionView>>> {
        self.is_stale = false;
        let file = |file: &Arc<LiveFile>| Source::File(FileSource::new(file.clone(), tombstones));
        let mut sources: Vec<Source> = self.files.iter().map(file).collect();
        let frozen = self.frozen.iter().flat_map(|frozen| &frozen.blocks);
        sources.extend(frozen.cloned().map(Source::Block));
        let blocks = self.table.blocks(&self.schema, keys)?;
        sources.extend(blocks.into_iter().map(Source::Block));
        if sources.is_empty() {
            return Ok(None);
        }
        let schema = self.schema.view();
        let tag_keys = OnceLock::new();
        Ok(Some(Arc::new(PartitionView {
            range: self.range(),
            schema,
            sources,
            tag_keys,
        })))
    }
}
