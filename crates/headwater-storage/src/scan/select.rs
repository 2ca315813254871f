//! Which series of a partition there are, and where.

use std::sync::Arc;

use headwater_model::{SeriesKey, TimeRange};

use super::{
    handle::{Positions, SeriesHandle},
    liveness::{Cuts, is_live},
    view::{FileSource, PartitionView, Source},
};
use crate::{error::Result, memtable::Block, predicate::TagPredicate, tombstone::matches};

/// A series in one source.
struct Found {
    key: SeriesKey,
    position: (u32, u32),
    range: TimeRange,
    rows: u64,
}

/// The live series that satisfy `predicate`, ascending.
pub(crate) fn select(
    view: &PartitionView,
    predicate: Option<&TagPredicate>,
) -> Result<Vec<SeriesHandle>> {
    let mut found = Vec::new();
    for (source, number) in view.sources.iter().zip(0..) {
        match source {
            Source::File(file) => select_file(file, number, predicate, &mut found)?,
            Source::Block(block) => select_block(block, number, predicate, &mut found),
        }
    }
    if view.sources.len() > 1 {
        // Each source is sorted and the sort is stable: a merge that keeps old before new.
        found.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let mut series: Vec<SeriesHandle> = Vec::with_capacity(found.len());
    let mut found = found.into_iter().peekable();
    let mut positions = Vec::new();
    while let Some(first) = found.next() {
        let mut range = first.range;
        let mut rows_max = first.rows;
        positions.clear();
        positions.push(first.position);
        while let Some(next) = found.next_if(|next| next.key == first.key) {
            range = TimeRange::new(
                range.start.min(next.range.start),
                range.end.max(next.range.end),
            );
            rows_max += next.rows;
            positions.push(next.position);
        }
        let positions = match positions.as_slice() {
            &[one] => Positions::One([one]),
            many => Positions::Many(Arc::from(many)),
        };
        let (min_time, max_time) = (range.start, range.end);
        series.push(SeriesHandle {
            key: first.key,
            min_time,
            max_time,
            rows_max,
            positions,
        });
    }
    Ok(series)
}

fn select_file(
    source: &FileSource,
    number: u32,
    predicate: Option<&TagPredicate>,
    found: &mut Vec<Found>,
) -> Result<()> {
    let directory = source.file.directory()?;
    let cuts = Cuts::of(source)?;
    let mut add = |series: u32| -> Result<()> {
        if cuts.is_empty() || is_live(source, &directory, &cuts, series)? {
            let rows = directory.row_range(series);
            found.push(Found {
                key: directory.key(series),
                position: (number, series),
                range: TimeRange::new(directory.min_time(series), directory.max_time(series)),
                rows: rows.end - rows.start,
            });
        }
        Ok(())
    };
    match predicate {
        Some(predicate) => directory
            .select(predicate)
            .into_iter()
            .try_for_each(&mut add),
        None => (0..directory.series_count() as u32).try_for_each(&mut add),
    }
}

fn select_block(
    block: &Block,
    number: u32,
    predicate: Option<&TagPredicate>,
    found: &mut Vec<Found>,
) {
    for (key, position) in block.series_keys().iter().zip(0..) {
        if predicate.is_none_or(|predicate| matches(predicate, key)) {
            found.push(Found {
                key: key.clone(),
                position: (number, position),
                range: block.series_range(position),
                rows: block.series_rows(position) as u64,
            });
        }
    }
}
