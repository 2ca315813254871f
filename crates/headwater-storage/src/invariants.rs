//! Rules that data safety rests on, each with a name, its reason and a check.

use std::sync::Arc;

use headwater_model::TimeRange;

use crate::{file::FileSummary, live_file::LiveFile};

/// The files of a partition hold disjoint ranges of writes and are listed in that order.
/// Reason: the newest value of a field wins, and a file's place is all that says which is newer.
/// A merge of neighbours may carry the number of a later delete at its upper end; so only the
/// lower ends are compared.
pub(crate) fn files_follow_each_other(files: &[Arc<LiveFile>]) -> bool {
    files.is_sorted_by(|a, b| a.record().min_sequence < b.record().min_sequence)
}

/// A file's rows are inside its partition.
/// Reason: a partition is dropped as a whole by retention, and a query asks only the partitions
/// that its time range meets.
pub(crate) fn rows_are_inside(summary: &FileSummary, partition: TimeRange) -> bool {
    partition.covers(TimeRange::new(summary.min_time, summary.max_time))
}

/// A compaction that may drop deletes up to `sequence` must not run ahead of the writes: at the
/// next start writes up to the largest sequence number of any file are taken to be in files.
/// Reason: otherwise acknowledged writes would be skipped by replay.
pub(crate) fn sequence_is_safe(sequence: u64, safe_sequence: u64) -> bool {
    sequence <= safe_sequence
}
