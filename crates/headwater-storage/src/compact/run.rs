//! Carries out a compaction: the same scan that queries use, over some files of a partition.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, OnceLock},
};

use headwater_catalog::{FileChange, FileRecord};
use headwater_model::TimeRange;

use super::{Candidate, choose};
use crate::{
    delete::Burial,
    engine::Inner,
    error::{Error, ErrorKind, Result},
    file::FileSchema,
    invariants,
    limits::{COLD_AFTER_NS, SCAN_SERIES},
    live_file::{FileSpace, LiveFile},
    scan::{FileSource, Partition, PartitionView, ScanRequest, SeriesHandle, SeriesStream, Source},
    state::{PartitionName, State},
};

/// Files to merge, with all that is needed to do it without the state's lock.
struct Job {
    name: PartitionName,
    measurement: Arc<str>,
    start: i64,
    end: i64,
    files: Vec<Arc<LiveFile>>,
    view: Arc<PartitionView>,
    /// The largest number of a delete that becomes physical, 0 for none.
    applied: u64,
}

impl Inner {
    /// Compacts until nothing is left to gain.
    pub(crate) async fn compact_all(self: &Arc<Self>, is_full: bool) -> Result<()> {
        let _one = self.compacting.lock().await;
        let mut names = self.state.lock().partitions_with_files();
        while let Some(name) = names.pop() {
            if *self.shutdown.borrow() && !is_full {
                return Ok(());
            }
            self.poison.check()?;
            let job = {
                let mut state = self.state.lock();
                state.set_damaged_aside(&self.space.damage);
                state.compaction(name, is_full)
            };
            if let Some(job) = job {
                match self.compact(job).await {
                    Ok(()) => names.push(name),
                    // The file is set aside now; the other partitions are not concerned.
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        tracing::error!(%error, "compaction leaves a partition out");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let _maintenance = self.maintenance.lock().await;
        self.commit_burial(Burial::default()).await
    }

    async fn compact(self: &Arc<Self>, job: Job) -> Result<()> {
        let inner = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let record = inner.merge_files(&job)?;
            Ok::<_, Error>((job, record))
        });
        let joined = task
            .await
            .map_err(|e| Error::Internal(format!("compaction: {e}")))?;
        let (job, record) = joined?;

        let maintenance = self.maintenance.lock().await;
        let is_current = self
            .state
            .lock()
            .partition(job.name)
            .is_some_and(|partition| {
                job.files
                    .iter()
                    .all(|file| partition.files.iter().any(|f| Arc::ptr_eq(f, file)))
            });
        if !is_current {
            // A drop came between; the new file was never listed.
            if let Some(record) = record {
                let path = self.space.root.join(&record.path);
                let removed = self.space.file_system.remove(&path);
                removed.map_err(|source| Error::Directory { path, source })?;
            }
            return Ok(());
        }
        let change = FileChange {
            added: record.iter().cloned().collect(),
            removed: job.files.iter().map(|file| file.record().id).collect(),
            ..FileChange::default()
        };
        self.commit(change).await?;
        {
            let mut state = self.state.lock();
            if let Some(partition) = state.partition(job.name) {
                let is_merged = |f: &Arc<LiveFile>| job.files.iter().any(|g| Arc::ptr_eq(f, g));
                partition.files.retain(|file| !is_merged(file));
                if let Some(record) = record {
                    partition.add_file(Arc::new(LiveFile::new(record, self.space.clone())));
                }
                debug_assert!(invariants::files_follow_each_other(&partition.files));
            }
            if let Some(bucket) = state.buckets.get_mut(&job.name.bucket) {
                bucket.mark_stale(job.name.measurement, job.name.start);
                bucket.drop_view(job.name.measurement, job.name.start);
            }
        }
        for file in &job.files {
            file.retire();
        }
        drop(maintenance);
        Ok(())
    }

    /// Writes the merged file; `None` when all rows are deleted.
    fn merge_files(&self, job: &Job) -> Result<Option<FileRecord>> {
        let partition = Partition(job.view.clone());
        let mut stream = SeriesStream::new(&job.view)?;
        let mut series = window(&mut stream)?;
        if series.is_empty() {
            return Ok(None);
        }
        let mut fields = std::collections::BTreeMap::new();
        for file in &job.files {
            fields.extend(file.directory()?.fields().iter().cloned());
        }
        let columns: Vec<_> = fields.keys().cloned().collect();
        let schema = FileSchema {
            measurement: job.measurement.clone(),
            tag_keys: live_tag_keys(&job.view)?,
            fields: fields.into_iter().collect(),
        };
        let id = self.catalog.new_id();
        let path = FileSpace::relative_path(job.name.bucket, &job.measurement, id);
        let mut writer = self.space.create(&path, schema)?;
        if job.end <= self.clock.now().saturating_sub(COLD_AFTER_NS) {
            writer = writer.favoring_size();
        }
        while !series.is_empty() {
            let scan = partition.scan(ScanRequest {
                series: &series,
                columns: &columns,
                range: TimeRange::new(i64::MIN, i64::MAX),
                with_times: true,
                descending_limit: None,
                ascending_limit: None,
            })?;
            for slices in scan {
                let slices = slices?;
                for slice in slices.slices {
                    writer.write_series(&series[slices.index].key, &slice.times, &slice.columns)?;
                }
            }
            series = window(&mut stream)?;
        }
        let summary = writer.finish()?;
        if !invariants::rows_are_inside(&summary, partition.range()) {
            return Err(Error::Internal(format!(
                "{path}: rows outside of their partition"
            )));
        }
        let records = || job.files.iter().map(|file| file.record());
        let max_sequence = records()
            .map(|r| r.max_sequence)
            .max()
            .unwrap_or(0)
            .max(job.applied);
        Ok(Some(FileRecord {
            id,
            bucket: job.name.bucket,
            measurement: job.measurement.to_string(),
            partition_start: job.start,
            partition_end: job.end,
            path,
            rows: summary.rows,
            bytes: summary.bytes,
            min_time: summary.min_time,
            max_time: summary.max_time,
            min_sequence: records().map(|r| r.min_sequence).min().unwrap_or(0),
            max_sequence,
            level: records()
                .map(|r| r.level)
                .max()
                .unwrap_or(0)
                .saturating_add(1),
        }))
    }
}

/// The next series to read together; a partition may have millions.
fn window(stream: &mut SeriesStream<'_>) -> Result<Vec<SeriesHandle>> {
    let mut series = Vec::with_capacity(SCAN_SERIES);
    while series.len() < SCAN_SERIES
        && let Some(next) = stream.next()?
    {
        series.push(next);
    }
    Ok(series)
}

/// The tag keys of live series.
fn live_tag_keys(view: &PartitionView) -> Result<Vec<Arc<str>>> {
    let mut keys = BTreeSet::new();
    let mut has_deletes = false;
    for source in &view.sources {
        if let Source::File(source) = source {
            has_deletes |= !source.tombstones.is_empty();
            keys.extend(source.file.directory()?.tag_keys().iter().cloned());
        }
    }
    if has_deletes {
        keys.clear();
        let mut stream = SeriesStream::new(view)?;
        while let Some(series) = stream.next()? {
            for (key, _) in series.key.tags() {
                if !keys.contains(key) {
                    keys.insert(key.clone());
                }
            }
        }
    }
    Ok(keys.into_iter().collect())
}

impl State {
    fn partitions_with_files(&self) -> Vec<PartitionName> {
        let mut names = Vec::new();
        for bucket in self.buckets.values() {
            for (measurement, number) in bucket.measurements.iter().zip(0u32..) {
                let listed = measurement
                    .partitions
                    .iter()
                    .filter(|p| !p.files.is_empty());
                names.extend(listed.map(|partition| PartitionName {
                    bucket: bucket.id,
                    measurement: number,
                    start: partition.start,
                }));
            }
        }
        names
    }

    /// Partitions that have something to compact.
    pub(crate) fn compactions_waiting(&mut self) -> usize {
        let names = self.partitions_with_files();
        names
            .into_iter()
            .filter(|name| self.compaction(*name, false).is_some())
            .count()
    }

    /// What to compact in a partition, if anything.
    fn compaction(&mut self, name: PartitionName, is_full: bool) -> Option<Job> {
        let safe = self.safe_sequence();
        let bucket = self.buckets.get_mut(&name.bucket)?;
        let tombstones = bucket.tombstones.clone();
        let measurement = bucket
            .measurements
            .get(name.measurement as usize)?
            .name
            .clone();
        let partition = bucket.partition(name.measurement, name.start)?;
        if !partition.damaged.is_empty() {
            // A file between two others must not end up beside their merger: its place says which
            // values are newer, and it may be repaired.
            return None;
        }
        let physical = |file: &Arc<LiveFile>| {
            let hits = tombstones
                .iter()
                .filter(|tombstone| file.is_hit_by(tombstone));
            hits.map(|tombstone| tombstone.sequence)
                .filter(|&sequence| invariants::sequence_is_safe(sequence, safe))
                .max()
                .unwrap_or(0)
        };
        let candidate = |file: &Arc<LiveFile>| Candidate {
            bytes: file.record().bytes,
            level: file.record().level,
            is_hit: physical(file) > 0,
        };
        let candidates: Vec<_> = partition.files.iter().map(candidate).collect();
        let range: Range<usize> = choose(&candidates, is_full)?;
        let files = partition.files[range].to_vec();
        let source =
            |file: &Arc<LiveFile>| Source::File(FileSource::new(file.clone(), &tombstones));
        let view = Arc::new(PartitionView {
            range: partition.range(),
            schema: partition.schema.view(),
            sources: files.iter().map(source).collect(),
            tag_keys: OnceLock::new(),
        });
        let applied = files.iter().map(physical).max().unwrap_or(0);
        let (start, end) = (partition.start, partition.end);
        Some(Job {
            name,
            measurement,
            start,
            end,
            files,
            view,
            applied,
        })
    }
}
