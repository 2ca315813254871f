//! Writes a damaged data file anew with the rows that are left of it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_catalog::FileRecord;
use headwater_model::SeriesKey;

use crate::{
    error::{Error, Result},
    file::{DataFile, Directory, FileSummary, FileWriter},
    live_file::{FileSpace, aside},
};

/// What became of a file.
pub(super) struct Repair {
    /// `None`: nothing is left of it.
    pub(super) record: Option<FileRecord>,
    pub(super) text: String,
}

/// Replaces the file of `record`. What cannot be used is kept in the folder `quarantine`.
pub(super) fn repair(space: &FileSpace, quarantine: &Path, record: &FileRecord) -> Result<Repair> {
    let path = space.root.join(&record.path);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    let source = match space.file_system.open(&path) {
        Ok(_) => path.clone(),
        Err(_) => aside(&path),
    };
    if let Err(error) = space.file_system.open(&source)
        && error.kind() == std::io::ErrorKind::NotFound
    {
        let text = "taken off the catalog".to_owned();
        return Ok(Repair { record: None, text });
    }
    let rebuilt = match DataFile::open(space.file_system.clone(), &source, &space.cache) {
        Ok(file) => rebuild(space, &file, record)?,
        Err(error) if error.is_damage() => None,
        Err(error) => return Err(error.into()),
    };
    let is_whole = rebuilt.is_some_and(|summary| summary.rows == record.rows);
    if !is_whole || source != path {
        let kept = if is_whole {
            space.file_system.remove(&source).map_err(io(&source))?;
            None
        } else {
            Some(keep(space, quarantine, &source, record)?)
        };
        if let Some(kept) = kept {
            if rebuilt.is_none() {
                let text = format!("taken off the catalog and moved to {}", kept.display());
                return Ok(Repair { record: None, text });
            }
            tracing::info!(kept = %kept.display(), "kept what could not be used");
        }
    }
    let Some(summary) = rebuilt else {
        let text = "taken off the catalog".to_owned();
        return Ok(Repair { record: None, text });
    };
    // Over the old one, if that is still there.
    let new = rebuilt_path(&path);
    space.file_system.rename(&new, &path).map_err(io(&path))?;
    if let Some(dir) = path.parent() {
        space.file_system.sync_dir(dir).map_err(io(dir))?;
    }
    let text = match is_whole {
        true => format!("rebuilt with all its {} rows", summary.rows),
        false => format!(
            "rebuilt with {} of its {} rows; the old file is in {}",
            summary.rows,
            record.rows,
            quarantine.display()
        ),
    };
    let record = FileRecord {
        rows: summary.rows,
        bytes: summary.bytes,
        min_time: summary.min_time,
        max_time: summary.max_time,
        path: FileSpace::relative_path(record.bucket, &record.measurement, record.id),
        ..record.clone()
    };
    Ok(Repair {
        record: Some(record),
        text,
    })
}

/// Where a file is written anew; a name that the engine knows for one that was not finished.
fn rebuilt_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// Moves a file out of the way, where no start sweeps it up.
fn keep(
    space: &FileSpace,
    quarantine: &Path,
    source: &Path,
    record: &FileRecord,
) -> Result<PathBuf> {
    let io = |source| Error::Directory {
        path: quarantine.to_owned(),
        source,
    };
    space.file_system.create_dir_all(quarantine).map_err(io)?;
    let kept = quarantine.join(format!("{}.parquet", record.id));
    space.file_system.rename(source, &kept).map_err(io)?;
    space.file_system.sync_dir(quarantine).map_err(io)?;
    Ok(kept)
}

/// Writes the rows of the row groups that are whole, if there are any. The series come from the
/// directory or, if that is damaged or contradicts the pages, from the tag columns.
fn rebuild(space: &FileSpace, file: &DataFile, record: &FileRecord) -> Result<Option<FileSummary>> {
    let schema = file.schema()?;
    if *schema.measurement != *record.measurement {
        return Ok(None);
    }
    let columns: Vec<Arc<str>> = schema.fields.iter().map(|(name, _)| name.clone()).collect();
    let columns: Vec<&str> = columns.iter().map(|name| &**name).collect();
    let directory = file.directory().ok();
    let path = rebuilt_path(&space.root.join(&record.path));
    let mut writer = FileWriter::create(space.file_system.clone(), &path, schema, space.options)?;
    let mut last: Option<(SeriesKey, i64)> = None;
    let mut is_empty = true;
    for (row_group, rows) in file.row_groups()?.into_iter().enumerate() {
        let series = match file.verify_row_group(row_group) {
            Ok(()) => file.series_of_pages(row_group),
            Err(error) => match &directory {
                // It may be a tag column that is damaged: then the directory knows.
                Some(directory) if error.is_damage() => Ok(runs(directory, rows.clone())),
                _ => Err(error),
            },
        };
        let read = series.and_then(|series| {
            let batch = file.read(std::slice::from_ref(&rows), &columns, true)?;
            Ok((series, batch))
        });
        let (series, batch) = match read {
            Ok(read) => read,
            Err(error) if error.is_damage() => continue,
            Err(error) => return Err(error.into()),
        };
        let mut offset = 0;
        for (key, count) in series {
            let count = count as usize;
            let times = batch.times.slice(offset, count);
            let arrays = batch.columns.iter();
            let arrays: Vec<_> = arrays
                .map(|column| column.as_ref().map(|array| array.slice(offset, count)))
                .collect();
            offset += count;
            let follows = last
                .as_ref()
                .is_none_or(|(before, time)| *before < key || *before == key && *time < times[0]);
            if !follows || !times.is_sorted_by(|a, b| a < b) {
                continue;
            }
            writer.write_series(&key, &times, &arrays)?;
            last = Some((key, times[times.len() - 1]));
            is_empty = false;
        }
    }
    if is_empty {
        return Ok(None);
    }
    Ok(Some(writer.finish()?))
}

/// The series of rows by the directory: each with how many of them follow each other.
fn runs(directory: &Directory, rows: std::ops::Range<u64>) -> Vec<(SeriesKey, u64)> {
    let mut runs = Vec::new();
    for series in 0..directory.series_count() as u32 {
        let own = directory.row_range(series);
        let (start, end) = (own.start.max(rows.start), own.end.min(rows.end));
        if start < end {
            runs.push((directory.key(series), end - start));
        }
    }
    runs
}
