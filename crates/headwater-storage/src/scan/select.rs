//! Which series of a partition there are, and where.

use std::{cmp::Ordering, cmp::Reverse, collections::BinaryHeap, sync::Arc, vec::IntoIter};

use headwater_model::{SeriesKey, TimeRange};

use super::{
    handle::{Positions, SeriesHandle},
    liveness::{Cuts, is_live},
    view::{FileSource, PartitionView, Source},
};
use crate::{
    error::Result, memtable::Block, predicate::TagPredicate, tombstone::matches, watch::Watch,
};

/// A series in one source.
struct Found {
    key: SeriesKey,
    position: (u32, u32),
    range: TimeRange,
    rows: u64,
}

/// The live series that satisfy `predicate`, ascending; see [`super::Partition::select_while`].
pub(crate) fn select(
    view: &PartitionView,
    predicate: Option<&TagPredicate>,
    goes_on: &dyn Fn(usize) -> bool,
) -> Result<Vec<SeriesHandle>> {
    let mut watch = Watch::new(goes_on);
    let mut sources = Vec::with_capacity(view.sources.len());
    for (source, number) in view.sources.iter().zip(0..) {
        let mut found = Vec::new();
        match source {
            Source::File(file) => select_file(file, number, predicate, &mut watch, &mut found)?,
            Source::Block(block) => select_block(block, number, predicate, &mut watch, &mut found)?,
        }
        sources.push(found);
    }
    let mut series = Vec::with_capacity(sources.iter().map(Vec::len).max().unwrap_or(0));
    let mut found = Merge::new(sources);
    let mut positions = Vec::new();
    while let Some(first) = found.next() {
        watch.step()?;
        let mut range = first.range;
        let mut rows_max = first.rows;
        positions.clear();
        positions.push(first.position);
        while let Some(next) = found.next_of(&first.key) {
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

/// What the sources have, ascending by key and, for a key, from old to new.
struct Merge {
    sources: Vec<IntoIter<Found>>,
    /// The next of each source.
    heads: BinaryHeap<Reverse<Head>>,
}

struct Head {
    found: Found,
    source: usize,
}

impl Merge {
    /// Each source is sorted; from old to new.
    fn new(sources: Vec<Vec<Found>>) -> Self {
        let mut merge = Self {
            heads: BinaryHeap::with_capacity(sources.len()),
            sources: sources.into_iter().map(Vec::into_iter).collect(),
        };
        for source in 0..merge.sources.len() {
            merge.push(source);
        }
        merge
    }

    fn push(&mut self, source: usize) {
        if let Some(found) = self.sources[source].next() {
            self.heads.push(Reverse(Head { found, source }));
        }
    }

    fn next(&mut self) -> Option<Found> {
        let Reverse(head) = self.heads.pop()?;
        self.push(head.source);
        Some(head.found)
    }

    /// The next if it is of this key.
    fn next_of(&mut self, key: &SeriesKey) -> Option<Found> {
        let Reverse(head) = self.heads.peek()?;
        (head.found.key == *key).then(|| self.next()).flatten()
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_key = self.found.key.cmp(&other.found.key);
        by_key.then(self.source.cmp(&other.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

fn select_file(
    source: &FileSource,
    number: u32,
    predicate: Option<&TagPredicate>,
    watch: &mut Watch<'_>,
    found: &mut Vec<Found>,
) -> Result<()> {
    let directory = source.file.directory()?;
    let cuts = Cuts::of(source)?;
    let selected = predicate
        .map(|predicate| directory.select(predicate, watch))
        .transpose()?;
    let mut add = |series: u32| -> Result<()> {
        watch.step()?;
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
    match selected {
        Some(selected) => selected.into_iter().try_for_each(&mut add),
        None => (0..directory.series_count() as u32).try_for_each(&mut add),
    }
}

fn select_block(
    block: &Block,
    number: u32,
    predicate: Option<&TagPredicate>,
    watch: &mut Watch<'_>,
    found: &mut Vec<Found>,
) -> Result<()> {
    for (key, position) in block.series_keys().iter().zip(0..) {
        watch.step()?;
        if predicate.is_none_or(|predicate| matches(predicate, key)) {
            found.push(Found {
                key: key.clone(),
                position: (number, position),
                range: block.series_range(position),
                rows: block.series_rows(position) as u64,
            });
        }
    }
    Ok(())
}
