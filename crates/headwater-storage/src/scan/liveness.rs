//! Which series of a file have rows left when deletes are taken into account.

use std::sync::Arc;

use headwater_model::TimeRange;

use super::view::FileSource;
use crate::{error::Result, file::Directory, tombstone::Tombstone};

/// The deletes of a file, resolved to its series.
#[derive(Debug)]
pub(crate) struct Cuts {
    /// Hidden range and the series it is hidden of (`None`: all).
    cuts: Vec<(TimeRange, Option<Arc<[u32]>>)>,
}

impl Cuts {
    pub(crate) fn of(source: &FileSource) -> Result<Self> {
        let cut =
            |tombstone: &Arc<Tombstone>| Ok((tombstone.range, source.file.selection(tombstone)?));
        Ok(Self {
            cuts: source.tombstones.iter().map(cut).collect::<Result<_>>()?,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// The ranges that are hidden of `series`, of those that meet `range`.
    pub(crate) fn of_series(&self, series: u32, range: TimeRange) -> Vec<TimeRange> {
        self.cuts
            .iter()
            .filter(|(cut, selected)| {
                cut.overlaps(range)
                    && selected
                        .as_ref()
                        .is_none_or(|s| s.binary_search(&series).is_ok())
            })
            .map(|(cut, _)| *cut)
            .collect()
    }
}

/// Whether a series has a row that no delete hides. Reads its times only if its first and its
/// last row are hidden, but not by one delete.
pub(crate) fn is_live(
    source: &FileSource,
    directory: &Directory,
    cuts: &Cuts,
    series: u32,
) -> Result<bool> {
    let range = TimeRange::new(directory.min_time(series), directory.max_time(series));
    let hidden = cuts.of_series(series, range);
    let is_hidden = |time: i64| hidden.iter().any(|cut| cut.contains(time));
    if !is_hidden(range.start) || !is_hidden(range.end) {
        return Ok(true);
    }
    if hidden.iter().any(|cut| cut.covers(range)) {
        return Ok(false);
    }
    let rows = source
        .file
        .read(&[directory.row_range(series)], &[], true)?;
    Ok(rows.times.iter().any(|&time| !is_hidden(time)))
}

/// Whether any series of a file is live.
pub(crate) fn has_live_series(source: &FileSource) -> Result<bool> {
    if source.tombstones.is_empty() {
        return Ok(true);
    }
    let covers = |t: &Arc<Tombstone>| t.predicate.is_none() && t.range.covers(source.file.range());
    if source.tombstones.iter().any(covers) {
        return Ok(false);
    }
    let directory = source.file.directory()?;
    let cuts = Cuts::of(source)?;
    for series in 0..directory.series_count() as u32 {
        if is_live(source, &directory, &cuts, series)? {
            return Ok(true);
        }
    }
    Ok(false)
}
