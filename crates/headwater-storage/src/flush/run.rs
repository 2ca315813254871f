//! Carries out a flush.

use std::{collections::BTreeSet, sync::Arc};

use headwater_catalog::{FileChange, FileRecord, SchemaColumn, SchemaRecord};
use headwater_model::{FieldType, SeriesKey};

use crate::{
    engine::{Inner, durable},
    error::{Error, Result},
    file::{FileSchema, FileSummary},
    invariants,
    live_file::{FileSpace, LiveFile},
    memtable::Block,
    run::merge,
    schema::Slot,
    state::{FrozenGeneration, FrozenTable, PartitionName},
};

/// A partition's rows on their way into a file.
struct Job {
    name: PartitionName,
    measurement: Arc<str>,
    start: i64,
    end: i64,
    table: FrozenTable,
}

/// A file that is written but not listed.
#[derive(Debug)]
pub(crate) struct Written {
    name: PartitionName,
    record: FileRecord,
}

impl Inner {
    /// Flushes all rows that are in memory now. Serialised; a failed generation is tried again by
    /// the next flush.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<()> {
        let _one = self.flushing.lock().await;
        self.poison.check()?;
        {
            let mut state = self.state.lock();
            let frozen = state.freeze().inspect_err(|error| {
                self.poison
                    .set(format!("the memtable could not be frozen: {error}"));
            })?;
            if frozen {
                // Under the lock, so that the log divides its records where the memtable does.
                self.wal.begin(state.active.number);
            }
        }
        loop {
            let oldest = self.state.lock().frozen.first().cloned();
            let Some(generation) = oldest else {
                return Ok(());
            };
            self.flush_generation(&generation).await?;
            self.flushed.notify_waiters();
        }
    }

    async fn flush_generation(self: &Arc<Self>, generation: &FrozenGeneration) -> Result<()> {
        let written = self.write_files(generation).await?;
        let maintenance = self.maintenance.lock().await;
        let (kept, discarded, schema_added, fields) = self.divide(generation, written);
        let change = FileChange {
            added: kept.iter().map(|file| file.record.clone()).collect(),
            schema_added,
            ..FileChange::default()
        };
        if let Err(error) = self.commit(change).await {
            // Whether the catalog lists the files is not known for certain, so they stay; the
            // next attempt goes on from here.
            let written = kept.into_iter().chain(discarded).collect();
            *self.unlisted_files.lock() = Some((generation.number, written));
            return Err(error);
        }
        self.swap(generation, kept, &fields);
        drop(maintenance);

        self.remove_files(&discarded);
        let released = self
            .wal
            .release(generation.number, generation.last_sequence);
        durable(released).await
    }

    /// Writes a generation's files, or takes those that an earlier attempt left.
    async fn write_files(self: &Arc<Self>, generation: &FrozenGeneration) -> Result<Vec<Written>> {
        let earlier = self.unlisted_files.lock().take();
        if let Some((_, written)) = earlier.filter(|(number, _)| *number == generation.number) {
            return Ok(written);
        }
        let jobs = self.jobs(generation);
        let inner = self.clone();
        let bounds = (generation.first_sequence, generation.last_sequence);
        let write = move || {
            let mut written = Vec::with_capacity(jobs.len());
            for job in jobs {
                match inner.write_file(job, bounds) {
                    Ok(file) => written.push(file),
                    Err(error) => {
                        inner.remove_files(&written);
                        return Err(error);
                    }
                }
            }
            Ok(written)
        };
        tokio::task::spawn_blocking(write)
            .await
            .map_err(|e| Error::Internal(format!("flush: {e}")))?
    }

    /// Removes files that were never listed.
    fn remove_files(&self, files: &[Written]) {
        for file in files {
            let path = self.space.root.join(&file.record.path);
            if let Err(error) = self.space.file_system.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove a data file");
            }
        }
    }

    fn jobs(&self, generation: &FrozenGeneration) -> Vec<Job> {
        let mut state = self.state.lock();
        let mut jobs = Vec::with_capacity(generation.tables.len());
        for &name in &generation.tables {
            let Some(bucket) = state.buckets.get_mut(&name.bucket) else {
                continue;
            };
            let Some(known) = bucket.measurements.get(name.measurement as usize) else {
                continue;
            };
            let measurement = known.name.clone();
            let Some(partition) = bucket.partition(name.measurement, name.start) else {
                continue;
            };
            let table = partition
                .frozen
                .iter()
                .find(|t| t.generation == generation.number);
            if let Some(table) = table.cloned() {
                let (start, end) = (partition.start, partition.end);
                jobs.push(Job {
                    name,
                    measurement,
                    start,
                    end,
                    table,
                });
            }
        }
        jobs
    }

    fn write_file(&self, job: Job, (min_sequence, max_sequence): (u64, u64)) -> Result<Written> {
        let id = self.catalog.new_id();
        let bucket = job.name.bucket;
        let path = FileSpace::relative_path(bucket, &job.measurement, id);
        let summary = write_table(&self.space, &path, &job)?;
        let record = FileRecord {
            id,
            bucket,
            measurement: job.measurement.to_string(),
            partition_start: job.start,
            partition_end: job.end,
            path,
            rows: summary.rows,
            bytes: summary.bytes,
            min_time: summary.min_time,
            max_time: summary.max_time,
            min_sequence,
            max_sequence,
            level: 0,
        };
        Ok(Written {
            name: job.name,
            record,
        })
    }

    /// The files whose rows are still there and those whose rows were all deleted meanwhile; the
    /// fields that the catalog does not know; how many fields each partition has told it then.
    #[expect(clippy::type_complexity, reason = "used once, taken apart at once")]
    fn divide(
        &self,
        generation: &FrozenGeneration,
        written: Vec<Written>,
    ) -> (
        Vec<Written>,
        Vec<Written>,
        Vec<SchemaRecord>,
        Vec<(PartitionName, usize)>,
    ) {
        let mut state = self.state.lock();
        let mut schema_added = Vec::new();
        let mut fields = Vec::new();
        let (kept, discarded) = written.into_iter().partition(|file| {
            let Some(partition) = state.partition(file.name) else {
                return false;
            };
            if partition
                .frozen
                .iter()
                .all(|table| table.generation != generation.number)
            {
                return false;
            }
            let columns = partition.schema.fields();
            let new = columns.iter().filter(|field| !field.is_persisted);
            schema_added.extend(new.map(|field| SchemaRecord {
                bucket: file.name.bucket,
                measurement: file.record.measurement.clone(),
                partition_start: file.name.start,
                name: field.name.to_string(),
                column: SchemaColumn::Field(field.kind),
            }));
            fields.push((file.name, columns.len()));
            true
        });
        (kept, discarded, schema_added, fields)
    }

    /// Readers see the files instead of the frozen rows, in one step.
    fn swap(
        &self,
        generation: &FrozenGeneration,
        kept: Vec<Written>,
        fields: &[(PartitionName, usize)],
    ) {
        let mut state = self.state.lock();
        for file in kept {
            let file_space = self.space.clone();
            if let Some(partition) = state.partition(file.name) {
                partition.add_file(Arc::new(LiveFile::new(file.record, file_space)));
                debug_assert!(invariants::files_follow_each_other(&partition.files));
            }
        }
        for &(name, count) in fields {
            if let Some(partition) = state.partition(name) {
                partition.schema.mark_persisted(count);
            }
        }
        for &name in &generation.tables {
            if let Some(partition) = state.partition(name) {
                partition
                    .frozen
                    .retain(|table| table.generation != generation.number);
            }
            if let Some(bucket) = state.buckets.get_mut(&name.bucket) {
                bucket.mark_stale(name.measurement, name.start);
            }
        }
        state
            .frozen
            .retain(|other| other.number != generation.number);
        state.flushed_sequence = generation.last_sequence;
    }
}

/// Writes a table's rows, sorted and without duplicates.
fn write_table(space: &FileSpace, path: &str, job: &Job) -> Result<FileSummary> {
    let by_slot = &job.table.schema.by_slot;
    let kinds: Vec<FieldType> = by_slot.iter().map(|(_, kind)| *kind).collect();
    let block = Block::concat(&job.table.blocks, &kinds)?;
    let sorted = block.sorted()?;

    let mut slots: Vec<Slot> = (0..kinds.len() as Slot)
        .filter(|s| block.has_column(*s))
        .collect();
    slots.sort_by(|a, b| by_slot[*a as usize].0.cmp(&by_slot[*b as usize].0));
    let fields: Vec<_> = slots
        .iter()
        .map(|slot| by_slot[*slot as usize].clone())
        .collect();
    let kinds: Vec<FieldType> = fields.iter().map(|(_, kind)| *kind).collect();
    let tag_keys = tag_keys(sorted.keys());
    let schema = FileSchema {
        measurement: job.measurement.clone(),
        tag_keys,
        fields,
    };
    let mut writer = space.create(path, schema)?;
    for (key, position) in sorted.keys().iter().zip(0..) {
        for run in merge(vec![sorted.run(position, &slots)], &kinds)? {
            writer.write_series(key, &run.times, &run.columns)?;
        }
    }
    Ok(writer.finish()?)
}

/// All tag keys of series, sorted.
fn tag_keys<'a>(keys: impl IntoIterator<Item = &'a SeriesKey>) -> Vec<Arc<str>> {
    let mut tags: BTreeSet<Arc<str>> = BTreeSet::new();
    for key in keys {
        for (tag, _) in key.tags() {
            if !tags.contains(tag) {
                tags.insert(tag.clone());
            }
        }
    }
    tags.into_iter().collect()
}
