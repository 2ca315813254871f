//! From parsed points to memtable rows: series resolution, type checks, and what is said about
//! the points that are not taken (`spec/write.md` §6.1).

use headwater_model::{
    Id,
    line_protocol::{self, ParsedBatch, ParsedPoint},
};

use crate::{
    error::Result,
    limits::STRING_BYTES_MAX,
    memtable::RowError,
    registry::{SeriesNumber, canonical},
    state::{BucketState, PartitionName, State},
    time_partition,
};

/// Where points go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteTarget {
    pub bucket: Id,
    /// The bucket's shard group duration, in nanoseconds.
    pub shard_group: i64,
    /// The bucket's retention; older points are dropped.
    pub oldest: Option<RetentionLimit>,
}

/// The retention of a bucket at the moment of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionLimit {
    /// The earliest time that is kept.
    pub lower_bound: i64,
    /// The retention period, in nanoseconds.
    pub duration: i64,
}

/// What became of a write that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// All points are stored.
    Accepted,
    /// Points were dropped, or a field was left out; the others are stored.
    Partial(PartialWrite),
}

/// Why points were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialWrite {
    /// The first reason, as in `partial write: <reason> dropped=<n>`.
    pub reason: String,
    /// The points dropped in the partition of the first reason.
    pub dropped: usize,
    /// Whether the message goes on with ` for database: <bucket> for retention policy: autogen`.
    pub names_bucket: bool,
    /// Positions in the batch of all points that were not stored, ascending.
    pub rejected: Vec<usize>,
}

/// What applying a batch did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Positions of the points that were not stored, ascending.
    pub(crate) rejected: Vec<usize>,
    partial: Option<Partial>,
    outdated: Option<Outdated>,
    pub(crate) bytes: usize,
}

/// The first partition in which something was dropped.
#[derive(Debug)]
struct Partial {
    partition_start: i64,
    write: PartialWrite,
}

/// Points older than the retention allows.
#[derive(Debug)]
struct Outdated {
    count: usize,
    /// Position and time.
    oldest: (usize, i64),
    newest: (usize, i64),
}

impl State {
    /// Adds the points of a batch to the memtable. A bucket may have `series_max` series; 0: any
    /// number.
    pub(crate) fn apply(
        &mut self,
        target: &WriteTarget,
        batch: &ParsedBatch<'_>,
        series_max: usize,
    ) -> Result<Applied> {
        let mut applied = Applied::default();
        let lower_bound = target.oldest.map_or(i64::MIN, |limit| limit.lower_bound);
        let bucket = self
            .buckets
            .entry(target.bucket)
            .or_insert_with_key(|id| BucketState::new(*id));
        let tables = &mut self.active.tables;
        for (at, point) in batch.points.iter().enumerate() {
            if point.time < lower_bound {
                applied.note_outdated(at, point.time);
                continue;
            }
            let found = match bucket.registry.find(point.series) {
                Some(found) if !bucket.known.distrusts_registry => Some(found),
                _ => None,
            };
            let (series, number) = match found {
                Some(found) => found,
                None => {
                    if series_max > 0 {
                        let key = line_protocol::series_key(point.series);
                        if !bucket.known.admit(&key, series_max) {
                            let start = time_partition::bounds(point.time, target.shard_group).0;
                            let reason = too_many_series(series_max);
                            applied.note_rejected(at, start, reason);
                            continue;
                        }
                    }
                    let before = bucket.registry.bytes();
                    let found = bucket.add_series(point.series);
                    // New series are what a memtable of many series mostly consists of.
                    applied.bytes += bucket.registry.bytes() - before;
                    found
                }
            };
            let measurement = &mut bucket.measurements[number as usize];
            let partition = measurement.partition_of(point.time, target.shard_group);
            let start = partition.start;
            let was_empty = partition.table.is_empty();
            let was_fresh = !partition.is_stale;
            let fields = batch.fields_of(point);
            match partition
                .table
                .push(&mut partition.schema, series, point.time, fields)
            {
                Ok(stored) => {
                    applied.bytes += stored.bytes;
                    if stored.is_full {
                        partition.table.seal(bucket.registry.keys())?;
                    }
                    if stored.is_time_stripped {
                        let name = &measurement.name;
                        applied.note_stripped(start, name);
                    }
                    if was_empty {
                        let bucket = bucket.id;
                        tables.push(PartitionName {
                            bucket,
                            measurement: number,
                            start,
                        });
                    }
                    if was_fresh {
                        bucket.mark_stale(number, start);
                    }
                }
                Err(error) => {
                    let reason = reason(&error, &measurement.name);
                    applied.note_rejected(at, start, reason);
                }
            }
        }
        self.active.bytes += applied.bytes;
        Ok(applied)
    }
}

impl BucketState {
    /// The number of a series that the registry does not know, and of its measurement.
    fn add_series(&mut self, raw: &[u8]) -> (SeriesNumber, u32) {
        if let Some(key) = canonical(raw) {
            let name = key.split(',').next().unwrap_or_default();
            let measurement = match self.by_name.get(name) {
                Some(number) => *number,
                None => self.measurement(&name.into()),
            };
            return (
                self.registry.insert_canonical(key, measurement),
                measurement,
            );
        }
        let key = line_protocol::series_key(raw);
        let measurement = self.measurement(key.measurement());
        let series = self.registry.insert(raw, &key, measurement);
        (series, measurement)
    }
}

impl Applied {
    #[cold]
    fn note_outdated(&mut self, at: usize, time: i64) {
        self.rejected.push(at);
        let outdated = self.outdated.get_or_insert(Outdated {
            count: 0,
            oldest: (at, time),
            newest: (at, time),
        });
        outdated.count += 1;
        if time < outdated.oldest.1 {
            outdated.oldest = (at, time);
        }
        if time > outdated.newest.1 {
            outdated.newest = (at, time);
        }
    }

    #[cold]
    fn note_stripped(&mut self, partition_start: i64, measurement: &str) {
        self.partial.get_or_insert_with(|| Partial {
            partition_start,
            write: PartialWrite {
                reason: format!(
                    "invalid field name: input field \"time\" on measurement \"{measurement}\" is \
                     invalid. Field \"time\" has been stripped from point."
                ),
                dropped: 0,
                names_bucket: true,
                rejected: Vec::new(),
            },
        });
    }

    #[cold]
    fn note_rejected(&mut self, at: usize, partition_start: i64, reason: String) {
        self.rejected.push(at);
        let partial = self.partial.get_or_insert(Partial {
            partition_start,
            write: PartialWrite {
                reason,
                dropped: 0,
                names_bucket: false,
                rejected: Vec::new(),
            },
        });
        if partial.partition_start == partition_start {
            partial.write.dropped += 1;
        }
    }

    /// What the writer is told. A reason of the partitions comes before one of the retention.
    pub(crate) fn outcome(&self, target: &WriteTarget, batch: &ParsedBatch<'_>) -> WriteOutcome {
        if let Some(partial) = &self.partial {
            return WriteOutcome::Partial(PartialWrite {
                rejected: self.rejected.clone(),
                ..partial.write.clone()
            });
        }
        match (&self.outdated, target.oldest) {
            (Some(outdated), Some(limit)) => WriteOutcome::Partial(PartialWrite {
                reason: outdated.reason(limit, &batch.points),
                dropped: outdated.count,
                names_bucket: true,
                rejected: self.rejected.clone(),
            }),
            _ => WriteOutcome::Accepted,
        }
    }
}

impl Outdated {
    fn reason(&self, limit: RetentionLimit, points: &[ParsedPoint<'_>]) -> String {
        let bound = rfc3339(limit.lower_bound);
        let violation = |(at, time): (usize, i64)| {
            let key = line_protocol::series_key(points[at].series);
            format!(
                "point {} at {} dropped because it violates a Retention Policy Lower Bound at \
                 {bound}",
                key.as_str(),
                rfc3339(time)
            )
        };
        format!(
            "dropped {} points outside retention policy of duration {} - oldest {}, newest {}",
            self.count,
            go_duration(limit.duration),
            violation(self.oldest),
            violation(self.newest)
        )
    }
}

/// In the words of the reference's limit per database.
fn too_many_series(series_max: usize) -> String {
    format!("max-series-per-bucket limit exceeded: ({series_max})")
}

fn reason(error: &RowError, measurement: &str) -> String {
    match error {
        RowError::TypeConflict { field, is, was } => format!(
            "field type conflict: input field \"{field}\" on measurement \"{measurement}\" is \
             type {is}, already exists as type {was}"
        ),
        RowError::StringTooLong { field, bytes } => format!(
            "input field \"{field}\" on measurement \"{measurement}\" is too long, {bytes} > \
             {STRING_BYTES_MAX}"
        ),
        RowError::OnlyTime => format!(
            "invalid field name: input field \"time\" on measurement \"{measurement}\" is invalid"
        ),
    }
}

/// A time as the reference prints it: no trailing zeros in the fraction of a second.
fn rfc3339(time: i64) -> String {
    let text = chrono::DateTime::from_timestamp_nanos(time).format("%Y-%m-%dT%H:%M:%S%.9f");
    let text = text.to_string();
    format!("{}Z", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A duration of whole seconds as Go prints it: `168h0m0s`, `1m0s`, `30s`.
fn go_duration(nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests;
