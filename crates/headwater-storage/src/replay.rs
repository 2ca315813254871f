//! Carries out again what the write-ahead log holds and data files do not.

use std::{collections::HashSet, sync::Arc};

use headwater_model::{Id, line_protocol};

use crate::{
    delete::Burial,
    error::{Error, Result},
    ingest::WriteTarget,
    state::State,
    tombstone::Tombstone,
    wal::{Entry, Record},
};

/// What is left to be told to the catalog.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Deletes that a crash kept from the catalog.
    pub(crate) tombstones: Vec<Arc<Tombstone>>,
    pub(crate) burial: Burial,
}

/// Applies `records` in their order. Those of buckets that are not `known` are skipped: the
/// bucket has been deleted.
pub(crate) fn replay(
    state: &mut State,
    records: Vec<Record>,
    known: &HashSet<Id>,
) -> Result<Replayed> {
    let checkpoints = records
        .iter()
        .filter(|record| record.entry == Entry::Checkpoint);
    let checkpoint = checkpoints.map(|record| record.sequence).max().unwrap_or(0);
    state.flushed_sequence = state.flushed_sequence.max(checkpoint);
    let last = records
        .iter()
        .map(|record| record.sequence)
        .max()
        .unwrap_or(0);
    state.next_sequence = state.next_sequence.max(last + 1);
    state.active.first_sequence = state.flushed_sequence + 1;
    let mut replayed = Replayed::default();
    for record in records {
        if record.sequence <= state.flushed_sequence {
            continue;
        }
        match record.entry {
            Entry::Write {
                bucket,
                precision,
                default_time,
                shard_group,
                lines,
            } if known.contains(&bucket) => {
                let target = WriteTarget {
                    bucket,
                    shard_group,
                    oldest: None,
                };
                let batch = line_protocol::parse(&lines, precision, default_time)
                    .map_err(|e| unreadable(record.sequence, e))?;
                state.active.log_bytes += lines.len();
                let applied = state.apply(&target, &batch, 0)?;
                if !applied.rejected.is_empty() {
                    let (sequence, count) = (record.sequence, applied.rejected.len());
                    tracing::warn!(
                        sequence,
                        count,
                        "replay rejected points; a delete was replayed"
                    );
                }
            }
            Entry::Delete { bucket, delete } if known.contains(&bucket) => {
                let tombstones = Tombstone::of(bucket, record.sequence, &delete);
                let last = tombstones.last().map_or(0, |tombstone| tombstone.sequence);
                state.next_sequence = state.next_sequence.max(last + 1);
                let new = state.hide(tombstones.clone())?;
                replayed.tombstones.extend(new);
                let touched = state.delete_rows(&tombstones)?;
                let dead = state.dead_partitions(touched)?;
                replayed.burial.extend(state.bury(dead));
            }
            Entry::DropBucket { bucket } => {
                state.forget_bucket(bucket);
            }
            Entry::Write { .. } | Entry::Delete { .. } | Entry::Checkpoint => {}
        }
    }
    Ok(replayed)
}

fn unreadable(sequence: u64, error: line_protocol::ParseErrors) -> Error {
    Error::Internal(format!(
        "write {sequence} of the write-ahead log does not parse: {error}"
    ))
}
