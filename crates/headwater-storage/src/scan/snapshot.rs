//! The public face of reading.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use headwater_model::{FieldType, Id, TimeRange};

use super::{
    cursor::Cursors,
    footprint::footprint,
    handle::{CursorRequest, ScanRequest, SeriesHandle},
    liveness::has_live_series,
    read::Scan,
    select::select,
    stream::{SeriesSet, SeriesStream, collect_series},
    view::{BucketView, PartitionView, Source},
};
use crate::{error::Result, footprint::Footprint, predicate::TagPredicate, tombstone::Tombstone};

/// An immutable, consistent view of a bucket: each batch of points is in it as a whole or not at
/// all. Cheap to make and to clone; files that it refers to stay on disk as long as it lives.
#[derive(Debug, Clone)]
pub struct Snapshot {
    view: Arc<BucketView>,
    /// The earliest time that the bucket's retention shows.
    lower_bound: i64,
}

/// A measurement's rows in one time partition (a shard of the reference). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Partition(pub(crate) Arc<PartitionView>);

impl Snapshot {
    pub(crate) fn new(view: Arc<BucketView>, lower_bound: i64) -> Self {
        Self { view, lower_bound }
    }

    /// A partition as far as the retention shows it.
    fn shown(&self, partition: &Arc<PartitionView>) -> Option<Arc<PartitionView>> {
        if self.lower_bound <= partition.range.start {
            return Some(partition.clone());
        }
        if self.lower_bound > partition.range.end {
            return None;
        }
        let expired = TimeRange::new(partition.range.start, self.lower_bound - 1);
        Some(Arc::new(partition.without(expired)))
    }

    /// The measurements with at least one live series, sorted.
    pub fn measurements(&self) -> Result<Vec<Arc<str>>> {
        let mut names = Vec::with_capacity(self.view.measurements.len());
        for (name, measurement) in &self.view.measurements {
            for partition in measurement.partitions.values() {
                if let Some(partition) = self.shown(partition)
                    && partition.is_live()?
                {
                    names.push(name.clone());
                    break;
                }
            }
        }
        Ok(names)
    }

    /// How many series of a measurement have a row. Exact, without building their keys.
    pub fn count_series(&self, measurement: &str) -> Result<usize> {
        let partitions = self.partitions(measurement, TimeRange::ALL);
        if let [partition] = partitions.as_slice()
            && let [Source::File(source)] = partition.0.sources.as_slice()
            && source.tombstones.is_empty()
        {
            return Ok(source.file.directory()?.series_count());
        }
        let mut series = SeriesSet::default();
        for partition in partitions {
            collect_series(&partition.0, &mut series)?;
        }
        Ok(series.len())
    }

    /// The values that a tag has in the series of a measurement, sorted.
    pub fn tag_values(&self, measurement: &str, tag: &str) -> Result<Vec<Arc<str>>> {
        let mut values = Vec::new();
        for partition in self.partitions(measurement, TimeRange::ALL) {
            partition.0.collect_tag_values(tag, &mut values)?;
        }
        // What each source gave is sorted, which the stable sort makes use of.
        values.sort();
        values.dedup();
        Ok(values)
    }

    /// The partitions of a measurement that overlap `range`, ascending by time.
    pub fn partitions(&self, measurement: &str, range: TimeRange) -> Vec<Partition> {
        let Some(measurement) = self.view.measurements.get(measurement) else {
            return Vec::new();
        };
        measurement
            .partitions
            .range(..=range.end)
            .map(|(_, partition)| partition)
            .filter(|partition| partition.range.overlaps(range))
            .filter_map(|partition| self.shown(partition).map(Partition))
            .collect()
    }
}

impl Partition {
    /// The time range of the partition itself, not of its rows.
    pub fn range(&self) -> TimeRange {
        self.0.range
    }

    /// The fields that have been written.
    pub fn fields(&self) -> &BTreeMap<Arc<str>, FieldType> {
        &self.0.schema.fields
    }

    /// The tag keys of its series. A file that cannot be read is logged and contributes none;
    /// [`Partition::select`] fails on it.
    pub fn tag_keys(&self) -> &BTreeSet<Arc<str>> {
        self.0.tag_keys.get_or_init(|| self.0.collect_tag_keys())
    }

    /// The series that have rows and satisfy `predicate`, ascending by key.
    pub fn select(&self, predicate: Option<&TagPredicate>) -> Result<Vec<SeriesHandle>> {
        select(&self.0, predicate, &|_| true)
    }

    /// As [`Partition::select`], telling `goes_on` from time to time how many series, or values
    /// of a tag, were looked at since.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] once it answers `false`.
    pub fn select_while(
        &self,
        predicate: Option<&TagPredicate>,
        goes_on: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<SeriesHandle>> {
        select(&self.0, predicate, goes_on)
    }

    /// Reads rows; see [`ScanRequest`].
    pub fn scan(&self, request: ScanRequest<'_>) -> Result<Scan> {
        Scan::new(self.0.clone(), request)
    }

    /// Reads series side by side; see [`CursorRequest`].
    pub fn cursors(&self, request: CursorRequest<'_>) -> Result<Cursors> {
        Cursors::new(self.0.clone(), request)
    }

    /// What [`Partition::scan`] of these series and fields would touch, without its limits.
    pub fn footprint(
        &self,
        series: &[SeriesHandle],
        columns: &[Arc<str>],
        range: TimeRange,
    ) -> Result<Footprint> {
        footprint(&self.0, series, columns, range)
    }

    /// The number of memtable blocks, which each are a source to merge.
    pub fn block_count(&self) -> usize {
        let is_block = |source: &&Source| matches!(source, Source::Block(_));
        self.0.sources.iter().filter(is_block).count()
    }
}

impl PartitionView {
    /// The partition without its rows in `hidden`: as if they had just been deleted.
    fn without(&self, hidden: TimeRange) -> Self {
        let tombstone = Arc::new(Tombstone {
            sequence: u64::MAX,
            bucket: Id::new(u64::MAX).expect("is not zero"),
            measurement: None,
            predicate: None,
            range: hidden,
        });
        let mut sources = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            match source {
                Source::File(source) => {
                    let mut source = source.clone();
                    if source.file.range().overlaps(hidden) {
                        source.tombstones.push(tombstone.clone());
                    }
                    sources.push(Source::File(source));
                }
                Source::Block(block) => {
                    let kept = block
                        .without(hidden, &|_| true)
                        .expect("rows of a block can be filtered");
                    match kept {
                        None => {}
                        Some(None) => sources.push(Source::Block(block.clone())),
                        Some(Some(rest)) => sources.push(Source::Block(Arc::new(rest))),
                    }
                }
            }
        }
        // Those of series that are past the retention may be among them.
        let tag_keys = OnceLock::from(
            self.tag_keys
                .get_or_init(|| self.collect_tag_keys())
                .clone(),
        );
        Self {
            range: self.range,
            schema: self.schema.clone(),
            sources,
            tag_keys,
        }
    }

    /// Whether any series has a row.
    pub(crate) fn is_live(&self) -> Result<bool> {
        for source in self.sources.iter().rev() {
            match source {
                Source::Block(_) => return Ok(true),
                Source::File(file) => {
                    if has_live_series(file)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    fn collect_tag_values(&self, tag: &str, values: &mut Vec<Arc<str>>) -> Result<()> {
        let has_deletes =
            |source: &Source| matches!(source, Source::File(file) if !file.tombstones.is_empty());
        if self.sources.iter().any(has_deletes) {
            let mut series = SeriesStream::new(self)?;
            while let Some(series) = series.next()? {
                values.extend(series.key.tag(tag).cloned());
            }
            return Ok(());
        }
        for source in &self.sources {
            match source {
                Source::File(source) => {
                    let directory = source.file.directory()?;
                    let at = directory.tag_keys().iter().position(|key| **key == *tag);
                    if let Some(at) = at {
                        values.extend(directory.tag_values(at).iter().cloned());
                    }
                }
                Source::Block(block) => {
                    let keys = block.series_keys().iter();
                    let mut own: Vec<_> = keys.filter_map(|key| key.tag(tag).cloned()).collect();
                    own.sort();
                    own.dedup();
                    values.append(&mut own);
                }
            }
        }
        Ok(())
    }

    fn collect_tag_keys(&self) -> BTreeSet<Arc<str>> {
        let mut keys = BTreeSet::new();
        let mut needs_series = false;
        for source in &self.sources {
            match source {
                Source::File(source) if source.tombstones.is_empty() => {
                    match source.file.directory() {
                        Ok(directory) => keys.extend(directory.tag_keys().iter().cloned()),
                        Err(error) => tracing::error!(%error, "cannot list tag keys"),
                    }
                }
                Source::File(_) => needs_series = true,
                Source::Block(block) => {
                    for series in block.series_keys() {
                        for (key, _) in series.tags() {
                            if !keys.contains(key) {
                                keys.insert(key.clone());
                            }
                        }
                    }
                }
            }
        }
        if needs_series {
            match select(self, None, &|_| true) {
                Ok(series) => keys.extend(
                    series
                        .iter()
                        .flat_map(|s| s.key.tags().iter().map(|(key, _)| key.clone())),
                ),
                Err(error) => tracing::error!(%error, "cannot list tag keys"),
            }
        }
        keys
    }
}
