//! What a scan would touch of a partition.

use std::sync::Arc;

use headwater_model::TimeRange;

use super::{
    handle::SeriesHandle,
    view::{FileSource, PartitionView, Source},
};
use crate::{error::Result, footprint::Footprint};

/// See [`super::Partition::footprint`].
pub(crate) fn footprint(
    view: &PartitionView,
    series: &[SeriesHandle],
    columns: &[Arc<str>],
    range: TimeRange,
) -> Result<Footprint> {
    let mut total = Footprint::default();
    let mut wanted: Vec<Vec<u32>> = vec![Vec::new(); view.sources.len()];
    for handle in series {
        for &(source, position) in handle.positions.as_slice() {
            wanted[source as usize].push(position);
        }
    }
    for (source, positions) in view.sources.iter().zip(wanted) {
        total.add(match source {
            Source::File(file) => of_file(file, positions, columns, range)?,
            Source::Block(block) => {
                let rows = positions.iter().map(|&position| {
                    let rows = block.rows_in(position, range);
                    rows.end - rows.start
                });
                Footprint {
                    memtable_rows: rows.sum(),
                    ..Footprint::default()
                }
            }
        });
    }
    Ok(total)
}

fn of_file(
    source: &FileSource,
    mut positions: Vec<u32>,
    columns: &[Arc<str>],
    range: TimeRange,
) -> Result<Footprint> {
    positions.sort_unstable();
    let mut rows = Vec::with_capacity(positions.len());
    if !positions.is_empty() {
        let directory = source.file.directory()?;
        for series in positions {
            let hull = TimeRange::new(directory.min_time(series), directory.max_time(series));
            if hull.overlaps(range) {
                rows.push(directory.row_range(series));
            }
        }
    }
    let names: Vec<&str> = columns.iter().map(|name| &**name).collect();
    source.file.footprint(&rows, &names)
}
