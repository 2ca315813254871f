//! Deletes. Rows in memory are removed at once; files get a tombstone, which scans apply and
//! compaction makes physical. A partition of a measurement without live series goes as a whole,
//! with its fields, so that they may come back with another type
//! (`spec/influxql/metadata_and_delete.md` §6).

use std::sync::Arc;

use headwater_catalog::FileChange;
use headwater_model::{Id, SeriesKey};

use crate::{
    engine::{Inner, durable},
    error::{Error, Result},
    live_file::LiveFile,
    memtable::delete_rows,
    replay::Replayed,
    scan::PartitionView,
    state::{BucketState, PartitionName, PartitionState, State},
    tombstone::{DeleteRecord, DeleteRequest, Tombstone},
    wal::{Entry, Record},
};

/// Partitions that are gone from memory and still have to leave the catalog and the disk.
#[derive(Debug, Default, Clone)]
pub(crate) struct Burial {
    pub(crate) files: Vec<Arc<LiveFile>>,
    /// As [`FileChange::schema_removed`].
    pub(crate) schema: Vec<(Id, String, Option<i64>)>,
}

impl Burial {
    pub(crate) fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.schema.extend(other.schema);
    }
}

impl Inner {
    pub(crate) async fn delete(&self, bucket: Id, request: DeleteRequest) -> Result<()> {
        self.check_open()?;
        self.check_disk().await?;
        if request.range.is_empty() || request.measurements.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let delete = DeleteRecord {
            measurements: request.measurements,
            predicate: request.predicate,
            min_time: request.range.start,
            max_time: request.range.end,
        };
        let maintenance = self.maintenance.lock().await;
        let (touched, done) = {
            let mut state = self.state.lock();
            let Some(known) = state.buckets.get(&bucket) else {
                return Ok(());
            };
            let delete = known.restrict(delete);
            let tombstones = Tombstone::of(bucket, state.next_sequence, &delete);
            if tombstones.is_empty() {
                return Ok(());
            }
            let sequence = state.next_sequence;
            state.next_sequence += tombstones.len() as u64;
            let done = self.wal.append(Record {
                sequence,
                entry: Entry::Delete { bucket, delete },
            });
            let applied = state
                .hide(tombstones.clone())
                .and_then(|new| Ok((new, state.delete_rows(&tombstones)?)));
            let (new, touched) = applied.inspect_err(|error| {
                self.poison
                    .set(format!("a delete was applied in part: {error}"));
            })?;
            // Even if the rest fails: memory has the delete, and the log may get it later.
            state.unlisted_tombstones.extend(new);
            (touched, done)
        };
        durable(done).await?;
        let result = self.bury_dead(touched).await;
        drop(maintenance);
        result
    }

    /// Removes the partitions among `touched` that deletes have left without live series, and
    /// tells the catalog of all that it does not know.
    async fn bury_dead(&self, touched: Vec<PartitionName>) -> Result<()> {
        // Before anything that may take long or fail.
        self.commit(FileChange::default()).await?;
        let views = self.state.lock().views_of(touched)?;
        let check = move || dead(views);
        let dead = tokio::task::spawn_blocking(check).await;
        let dead = dead.map_err(|e| Error::Internal(e.to_string()))?;
        let burial = self.state.lock().bury(dead);
        self.commit_burial(burial).await
    }

    /// What a replay left to do.
    pub(crate) async fn finish_deletes(&self, replayed: Replayed) -> Result<()> {
        self.state.lock().unlisted_tombstones = replayed.tombstones;
        self.commit_burial(replayed.burial).await
    }

    /// Takes buried partitions off the catalog, then off the disk. Needs `maintenance`.
    pub(crate) async fn commit_burial(&self, burial: Burial) -> Result<()> {
        let tombstones_removed = {
            let mut state = self.state.lock();
            state.unburied.extend(burial);
            state.take_unneeded_tombstones()
        };
        self.commit(FileChange {
            tombstones_removed,
            ..FileChange::default()
        })
        .await
    }

    /// Makes a change of the catalog, together with all that it has not been told before. Needs
    /// `maintenance`. After an error nothing has changed, and what it was to be told is kept.
    pub(crate) async fn commit(&self, mut change: FileChange) -> Result<()> {
        let (tombstones, burial) = {
            let state = self.state.lock();
            (state.unlisted_tombstones.clone(), state.unburied.clone())
        };
        for tombstone in &tombstones {
            change.tombstones_added.push(tombstone.to_record()?);
        }
        let removed = burial.files.iter().map(|file| file.record().id);
        change.removed.extend(removed);
        change.schema_removed.extend(burial.schema);
        if change == FileChange::default() {
            return Ok(());
        }
        self.catalog.commit_files(change).await?;
        let mut state = self.state.lock();
        // Others may have come meanwhile, behind these.
        state.unlisted_tombstones.drain(..tombstones.len());
        state.unburied = Burial::default();
        drop(state);
        for file in &burial.files {
            file.retire();
        }
        Ok(())
    }

    pub(crate) async fn drop_bucket(&self, bucket: Id) -> Result<()> {
        self.check_open()?;
        let maintenance = self.maintenance.lock().await;
        let (files, done) = {
            let mut state = self.state.lock();
            let sequence = state.next_sequence;
            state.next_sequence += 1;
            let done = self.wal.append(Record {
                sequence,
                entry: Entry::DropBucket { bucket },
            });
            (state.forget_bucket(bucket), done)
        };
        match durable(done).await {
            // A start skips the records of a bucket that the catalog does not know.
            Ok(()) | Err(Error::DiskFull { .. }) => {}
            Err(error) => return Err(error),
        }
        self.catalog.remove_bucket_storage(bucket).await?;
        for file in &files {
            file.retire();
        }
        drop(maintenance);
        Ok(())
    }
}

/// Those partitions that have no live series. One that cannot be read counts as live.
fn dead(views: Vec<(PartitionName, Option<Arc<PartitionView>>)>) -> Vec<PartitionName> {
    let mut dead = Vec::new();
    for (name, view) in views {
        let is_live = match view {
            Some(view) => view.is_live().unwrap_or_else(|error| {
                tracing::error!(%error, "cannot tell whether a delete leaves a partition empty");
                true
            }),
            None => false,
        };
        if !is_live {
            dead.push(name);
        }
    }
    dead
}

impl State {
    /// Keeps those of `tombstones` that a file, or one that is being written, needs, and returns
    /// those that were not kept before.
    pub(crate) fn hide(&mut self, tombstones: Vec<Arc<Tombstone>>) -> Result<Vec<Arc<Tombstone>>> {
        let is_flushing = !self.frozen.is_empty();
        let mut new = Vec::new();
        for tombstone in tombstones {
            let Some(bucket) = self.buckets.get_mut(&tombstone.bucket) else {
                continue;
            };
            let known = bucket
                .tombstones
                .binary_search_by_key(&tombstone.sequence, |t| t.sequence);
            let Err(at) = known else { continue };
            if is_flushing || bucket.is_needed(&tombstone) {
                bucket.tombstones.insert(at, tombstone.clone());
                new.push(tombstone);
            }
        }
        Ok(new)
    }

    /// Removes the rows in memory that `tombstones` hide, frozen ones included; returns the
    /// partitions they may have touched.
    pub(crate) fn delete_rows(
        &mut self,
        tombstones: &[Arc<Tombstone>],
    ) -> Result<Vec<PartitionName>> {
        let mut touched = Vec::new();
        let mut freed = 0;
        for tombstone in tombstones {
            if let Some(bucket) = self.buckets.get_mut(&tombstone.bucket) {
                freed += bucket.delete_rows(tombstone, &mut touched)?;
            }
        }
        self.active.bytes = self.active.bytes.saturating_sub(freed);
        touched.sort_unstable();
        touched.dedup();
        Ok(touched)
    }

    /// What readers see of partitions, without those that have files nobody can read.
    fn views_of(
        &mut self,
        names: Vec<PartitionName>,
    ) -> Result<Vec<(PartitionName, Option<Arc<PartitionView>>)>> {
        let mut views = Vec::with_capacity(names.len());
        for name in names {
            let Some(bucket) = self.buckets.get_mut(&name.bucket) else {
                continue;
            };
            let view = bucket.view()?;
            let measurement = &bucket.measurements[name.measurement as usize].name;
            let shown = view.measurements.get(measurement);
            let partition = shown.and_then(|m| m.partitions.get(&name.start)).cloned();
            let is_readable = |p: &mut PartitionState| p.damaged.is_empty();
            if bucket
                .partition(name.measurement, name.start)
                .is_none_or(is_readable)
            {
                views.push((name, partition));
            }
        }
        Ok(views)
    }

    /// Those of `names` without live series. May read files.
    pub(crate) fn dead_partitions(
        &mut self,
        names: Vec<PartitionName>,
    ) -> Result<Vec<PartitionName>> {
        Ok(dead(self.views_of(names)?))
    }

    /// Forgets partitions, unless they have rows in memory: those came after the delete.
    pub(crate) fn bury(&mut self, dead: Vec<PartitionName>) -> Burial {
        let mut burial = Burial::default();
        for name in dead {
            let Some(bucket) = self.buckets.get_mut(&name.bucket) else {
                continue;
            };
            let Some(partition) = bucket.partition(name.measurement, name.start) else {
                continue;
            };
            if !partition.is_out_of_memory() {
                continue;
            }
            let has_persisted = partition
                .schema
                .fields()
                .iter()
                .any(|field| field.is_persisted);
            burial.files.append(&mut partition.files);
            burial.files.append(&mut partition.damaged);
            bucket.remove_partition(name.measurement, name.start);
            if has_persisted {
                let measurement = bucket.measurements[name.measurement as usize]
                    .name
                    .to_string();
                burial
                    .schema
                    .push((name.bucket, measurement, Some(name.start)));
            }
        }
        burial
    }

    /// Forgets a bucket; returns its files.
    pub(crate) fn forget_bucket(&mut self, bucket: Id) -> Vec<Arc<LiveFile>> {
        let Some(mut gone) = self.buckets.remove(&bucket) else {
            return Vec::new();
        };
        self.active.tables.retain(|name| name.bucket != bucket);
        self.unlisted_tombstones.retain(|t| t.bucket != bucket);
        let partitions = gone.measurements.iter_mut().flat_map(|m| &mut m.partitions);
        let mut files = Vec::new();
        for partition in partitions {
            self.active.bytes = self.active.bytes.saturating_sub(partition.table.bytes());
            files.append(&mut partition.files);
            files.append(&mut partition.damaged);
        }
        files
    }

    /// Removes and returns tombstones that hide nothing any more: no file is older and has rows
    /// in their range, and no such file is being written.
    pub(crate) fn take_unneeded_tombstones(&mut self) -> Vec<u64> {
        let flushing = self
            .frozen
            .first()
            .map(|generation| generation.first_sequence);
        let mut unneeded = Vec::new();
        for bucket in self.buckets.values_mut() {
            let tombstones = std::mem::take(&mut bucket.tombstones);
            let is_needed = |tombstone: &Arc<Tombstone>| {
                flushing.is_some_and(|first| first < tombstone.sequence)
                    || bucket.is_needed(tombstone)
            };
            let (needed, gone): (Vec<_>, Vec<_>) = tombstones.into_iter().partition(is_needed);
            unneeded.extend(gone.iter().map(|tombstone| tombstone.sequence));
            bucket.tombstones = needed;
        }
        unneeded
    }
}

impl BucketState {
    /// Whether a file has rows that the tombstone hides, as far as is known.
    fn is_needed(&self, tombstone: &Tombstone) -> bool {
        self.files()
            .chain(self.damaged_files())
            .any(|file| file.is_hit_by(tombstone))
    }

    /// The listed files that cannot be read.
    pub(crate) fn damaged_files(&self) -> impl Iterator<Item = &Arc<LiveFile>> {
        let partitions = self.measurements.iter().flat_map(|m| &m.partitions);
        partitions.flat_map(|p| &p.damaged)
    }

    /// All data files that can be read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<LiveFile>> {
        self.measurements
            .iter()
            .flat_map(|m| &m.partitions)
            .flat_map(|p| &p.files)
    }

    /// The delete without measurements that are not there.
    fn restrict(&self, mut delete: DeleteRecord) -> DeleteRecord {
        if let Some(names) = &mut delete.measurements {
            names.sort_unstable();
            names.dedup();
            names.retain(|name| self.by_name.contains_key(name.as_str()));
        }
        delete
    }

    /// Removes rows in memory; returns the bytes that the active memtable lost.
    fn delete_rows(
        &mut self,
        tombstone: &Tombstone,
        touched: &mut Vec<PartitionName>,
    ) -> Result<usize> {
        self.known.note_removal();
        let keys = self.registry.keys().clone();
        let matches = |key: &SeriesKey| tombstone.selects(key);
        let mut freed = 0;
        let mut stale = Vec::new();
        for (measurement, number) in self.measurements.iter_mut().zip(0u32..) {
            if !tombstone.concerns(&measurement.name) {
                continue;
            }
            for partition in &mut measurement.partitions {
                if !partition.range().overlaps(tombstone.range) {
                    continue;
                }
                freed += partition.table.delete(&keys, tombstone.range, &matches)?;
                for frozen in &mut partition.frozen {
                    delete_rows(&mut frozen.blocks, tombstone.range, &matches)?;
                }
                partition.frozen.retain(|frozen| !frozen.blocks.is_empty());
                stale.push((number, partition.start));
            }
        }
        for (measurement, start) in stale {
            self.mark_stale(measurement, start);
            touched.push(PartitionName {
                bucket: self.id,
                measurement,
                start,
            });
        }
        Ok(freed)
    }
}
