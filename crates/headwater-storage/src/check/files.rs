//! What is wrong with one data file.

use std::collections::BTreeMap;

use headwater_catalog::FileRecord;
use headwater_model::FieldType;

use crate::{
    error::{Error, Result},
    file::{DataFile, Directory, FileError},
    live_file::{FileSpace, aside},
};

/// Compares a file with itself and with what the catalog says of it; `fields` are those of its
/// partition. Empty when all is well.
pub(super) fn inspect(
    space: &FileSpace,
    record: &FileRecord,
    fields: &BTreeMap<&str, FieldType>,
) -> Result<Vec<String>> {
    let path = space.root.join(&record.path);
    let length = match space.file_system.open(&path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let is_aside = space.file_system.open(&aside(&path)).is_ok();
            return Ok(vec![match is_aside {
                true => "it was set aside as damaged".to_owned(),
                false => "it is listed in the catalog but missing".to_owned(),
            }]);
        }
        Err(source) => return Err(Error::Directory { path, source }),
    };
    let mut found = Vec::new();
    if length != record.bytes {
        let listed = record.bytes;
        found.push(format!("it has {length} bytes, the catalog says {listed}"));
    }
    let file = match DataFile::open(space.file_system.clone(), &path, &space.cache) {
        Ok(file) => file,
        Err(error) => {
            found.push(damage(error)?);
            return Ok(found);
        }
    };
    let schema = file.schema()?;
    if *schema.measurement != *record.measurement {
        found.push(format!("it is of measurement {:?}", schema.measurement));
    }
    for (name, kind) in &schema.fields {
        if fields.get(&**name) != Some(kind) {
            found.push(format!(
                "the catalog does not know its field {name} as {kind}"
            ));
        }
    }
    let mut are_pages_whole = true;
    for row_group in 0..file.row_groups()?.len() {
        if let Err(error) = file.verify_row_group(row_group) {
            are_pages_whole = false;
            found.push(damage(error)?);
        }
    }
    let directory = match file.directory() {
        Ok(directory) => directory,
        Err(error) => {
            found.push(damage(error)?);
            return Ok(found);
        }
    };
    if directory.row_count() != record.rows {
        let (rows, listed) = (directory.row_count(), record.rows);
        found.push(format!("it has {rows} rows, the catalog says {listed}"));
    }
    if are_pages_whole {
        compare(&file, &directory, record, &mut found)?;
    }
    Ok(found)
}

/// Compares the directory with the pages, row group by row group.
fn compare(
    file: &DataFile,
    directory: &Directory,
    record: &FileRecord,
    found: &mut Vec<String>,
) -> Result<()> {
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    let mut series = 0u32;
    for (row_group, rows) in file.row_groups()?.into_iter().enumerate() {
        let times = file.read(std::slice::from_ref(&rows), &[], true)?.times;
        let mut row = rows.start;
        for (key, count) in file.series_of_pages(row_group)? {
            // A series goes on in the next row group.
            while (series as usize) < directory.series_count()
                && directory.row_range(series).end <= row
            {
                series += 1;
            }
            let end = row + count;
            let agrees = (series as usize) < directory.series_count()
                && directory.row_range(series).start <= row
                && directory.row_range(series).end >= end
                && directory.key(series) == key;
            if !agrees {
                let key = key.as_str();
                found.push(format!(
                    "its directory is wrong about {key} from row {row} on"
                ));
                return Ok(());
            }
            let own = &times[(row - rows.start) as usize..(end - rows.start) as usize];
            if !own.is_sorted_by(|a, b| a < b) {
                found.push(format!("times of {} do not ascend", key.as_str()));
            }
            let (first, last) = (own[0], own[own.len() - 1]);
            let range = directory.row_range(series);
            let is_first_right = range.start < row || directory.min_time(series) == first;
            let is_last_right = range.end > end || directory.max_time(series) == last;
            if !is_first_right || !is_last_right {
                let key = key.as_str();
                found.push(format!("its directory is wrong about the times of {key}"));
            }
            (min, max) = (min.min(first), max.max(last));
            row = end;
        }
    }
    if (min, max) != (record.min_time, record.max_time) {
        found.push(format!(
            "its times are from {min} to {max}, the catalog says from {} to {}",
            record.min_time, record.max_time
        ));
    }
    Ok(())
}

/// The reason, if the file is at fault and not the file system.
fn damage(error: FileError) -> Result<String> {
    match error {
        FileError::Damaged { reason, .. } => Ok(reason),
        error => Err(error.into()),
    }
}
