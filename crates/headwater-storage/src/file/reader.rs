//! Reads rows and the series directory of one data file.

mod decode;
mod verify;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;
use bytes::Bytes;
use headwater_env::SharedFileSystem;
use headwater_model::TimeRange;

use super::{
    CHECKSUMS_COUNT, Directory, FileCache, FileError,
    cache::{CacheKey, Cached, Part},
    directory,
    footer::{Footer, TIME_COLUMN},
};
use crate::footprint::Footprint;

/// A data file that can be read. Cheap to clone; footer, directory and bytes live in the cache
/// and are loaded again when they have been dropped from it.
///
/// No file stays open between reads, so there may be more data files than file descriptors. The
/// file must stay in place as long as a `DataFile` of it exists.
#[derive(Debug, Clone)]
pub(crate) struct DataFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file_system: SharedFileSystem,
    path: PathBuf,
    cache: FileCache,
    number: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.cache.remove_file(self.number);
    }
}

/// Rows of a data file, concatenated in the order in which they were asked for.
#[derive(Debug, Clone)]
pub(crate) struct RowBatches {
    /// Empty when times were not asked for.
    pub(crate) times: ScalarBuffer<i64>,
    /// In the order asked for; `None` when the file lacks the column.
    pub(crate) columns: Vec<Option<ArrayRef>>,
}

/// Rows to read from one row group, counted from its first row.
#[derive(Debug)]
struct Selection {
    row_group: usize,
    rows: Vec<Range<usize>>,
}

impl DataFile {
    /// Opens `path`: reads and checks the footer.
    pub(crate) fn open(
        file_system: SharedFileSystem,
        path: &Path,
        cache: &FileCache,
    ) -> Result<Self, FileError> {
        let cache = cache.clone();
        let number = cache.new_file();
        let file = Self(Arc::new(Inner {
            file_system,
            path: path.to_owned(),
            cache,
            number,
        }));
        file.footer()?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// The series of the file.
    pub(crate) fn directory(&self) -> Result<Arc<Directory>, FileError> {
        let key = self.cache_key(Part::Directory);
        if let Some(Cached::Directory(directory)) = self.0.cache.get(key) {
            return Ok(directory);
        }
        let footer = self.footer()?;
        let section = footer.directory;
        let bytes = self.load(section.offset, section.length, section.crc32c, || {
            "series directory".to_owned()
        })?;
        let damaged = |reason: String| FileError::damaged(&self.0.path, reason);
        let plain_length = usize::try_from(section.plain_length)
            .map_err(|_| damaged("its directory does not fit into memory".to_owned()))?;
        let directory = directory::decode(&bytes, plain_length, footer.schema.clone())
            .map_err(|error| damaged(error.to_string()))?;
        if directory.row_count() != footer.row_count() {
            let reason = format!(
                "its directory counts {} rows, its footer {}",
                directory.row_count(),
                footer.row_count()
            );
            return Err(damaged(reason));
        }
        let directory = Arc::new(directory);
        let size = directory.size_bytes();
        self.0
            .cache
            .insert(key, Cached::Directory(directory.clone()), size);
        Ok(directory)
    }

    /// Reads the rows `rows` (ascending, not overlapping, within the file) of the fields
    /// `columns`.
    pub(crate) fn read(
        &self,
        rows: &[Range<u64>],
        columns: &[&str],
        with_time: bool,
    ) -> Result<RowBatches, FileError> {
        let footer = self.footer()?;
        let selections = select_rows(&footer, rows);
        let times = if with_time {
            decode::times(self, &footer, &selections)?
        } else {
            ScalarBuffer::default()
        };
        let columns = columns
            .iter()
            .map(|field| {
                let Some(column) = footer.column_of_field(field) else {
                    return Ok(None);
                };
                decode::field(self, &footer, column, &selections).map(Some)
            })
            .collect::<Result<_, FileError>>()?;
        Ok(RowBatches { times, columns })
    }

    /// What reading rows (as in [`DataFile::read`]) with their times touches of the file.
    pub(crate) fn footprint(
        &self,
        rows: &[Range<u64>],
        columns: &[&str],
    ) -> Result<Footprint, FileError> {
        let footer = self.footer()?;
        let selections = select_rows(&footer, rows);
        let fields = columns
            .iter()
            .filter_map(|name| footer.column_of_field(name));
        let columns: Vec<usize> = std::iter::once(TIME_COLUMN).chain(fields).collect();
        let chunk_bytes = |row_group: usize, column: usize| {
            let metadata = footer.metadata.row_group(row_group).column(column);
            metadata.byte_range().1
        };
        let bytes = selections.iter().flat_map(|selection| {
            let columns = columns.iter();
            columns.map(|column| chunk_bytes(selection.row_group, *column))
        });
        Ok(Footprint {
            files: 1,
            files_read: u64::from(!selections.is_empty()),
            row_groups: footer.metadata.num_row_groups() as u64,
            row_groups_read: selections.len() as u64,
            chunks_read: (selections.len() * columns.len()) as u64,
            bytes_read: bytes.sum(),
            file_rows: rows.iter().map(|rows| rows.end - rows.start).sum(),
            memtable_rows: 0,
        })
    }

    /// `rows` of one series without those that are outside of `range` by what the page index
    /// knows; some at either end may be left.
    pub(crate) fn rows_near(
        &self,
        rows: Range<u64>,
        range: TimeRange,
    ) -> Result<Range<u64>, FileError> {
        let footer = self.footer()?;
        let mut near = rows.end..rows.end;
        for selection in select_rows(&footer, std::slice::from_ref(&rows)) {
            let first = footer.row_group_starts[selection.row_group];
            for selected in selection.rows {
                let pages = footer.time_pages(selection.row_group, selected);
                for (page, _) in pages.filter(|(_, times)| times.overlaps(range)) {
                    near.start = near.start.min(first + page.start as u64);
                    near.end = first + page.end as u64;
                }
            }
        }
        Ok(near.start.min(near.end)..near.end)
    }

    /// Where the column chunks of tags are.
    #[cfg(test)]
    pub(super) fn tag_chunks(&self) -> Vec<Range<usize>> {
        let footer = self.footer().expect("the file is whole");
        let tags = 1..1 + footer.schema.tag_keys.len();
        let row_groups = footer.metadata.row_groups().iter();
        let chunks = row_groups.flat_map(|row_group| row_group.columns()[tags.clone()].iter());
        chunks
            .map(|chunk| {
                let (start, length) = chunk.byte_range();
                start as usize..(start + length) as usize
            })
            .collect()
    }

    fn footer(&self) -> Result<Arc<Footer>, FileError> {
        let key = self.cache_key(Part::Footer);
        if let Some(Cached::Footer(footer)) = self.0.cache.get(key) {
            return Ok(footer);
        }
        let path = &self.0.path;
        let file = self
            .0
            .file_system
            .open(path)
            .map_err(|e| FileError::io(path, e))?;
        let footer = Arc::new(Footer::read(&*file, path)?);
        self.0
            .cache
            .insert(key, Cached::Footer(footer.clone()), footer.size_bytes());
        Ok(footer)
    }

    /// The bytes of a column chunk.
    fn chunk(&self, footer: &Footer, row_group: usize, column: usize) -> Result<Bytes, FileError> {
        let key = self.cache_key(Part::Chunk(footer.chunk_number(row_group, column) as u32));
        if let Some(Cached::Chunk(bytes)) = self.0.cache.get(key) {
            return Ok(bytes);
        }
        let metadata = footer.metadata.row_group(row_group).column(column);
        let (start, length) = metadata.byte_range();
        let bytes = self.load(
            start,
            length,
            footer.chunk_checksum(row_group, column),
            || format!("column {} in row group {row_group}", metadata.column_path()),
        )?;
        self.0
            .cache
            .insert(key, Cached::Chunk(bytes.clone()), bytes.len() + 100);
        Ok(bytes)
    }

    /// Reads a part of the file and verifies its checksum; `what` names it.
    fn load(
        &self,
        offset: u64,
        length: u64,
        checksum: u32,
        what: impl Fn() -> String,
    ) -> Result<Bytes, FileError> {
        let path = &self.0.path;
        let file = self
            .0
            .file_system
            .open(path)
            .map_err(|e| FileError::io(path, e))?;
        if offset
            .checked_add(length)
            .is_none_or(|end| end > file.len())
        {
            return Err(FileError::damaged(
                path,
                format!("its {} is cut off", what()),
            ));
        }
        let bytes = file
            .read_at(offset, length as usize)
            .map_err(|e| FileError::io(path, e))?;
        let actual = crc32c::crc32c(&bytes);
        if actual != checksum && CHECKSUMS_COUNT {
            let reason = format!(
                "the checksum of its {} is {actual:08x}, recorded is {checksum:08x}",
                what()
            );
            return Err(FileError::damaged(path, reason));
        }
        Ok(bytes.into())
    }

    fn cache_key(&self, part: Part) -> CacheKey {
        CacheKey {
            file: self.0.number,
            part,
        }
    }
}

/// Splits rows at the borders of row groups.
fn select_rows(footer: &Footer, rows: &[Range<u64>]) -> Vec<Selection> {
    let starts = &footer.row_group_starts;
    let mut selections: Vec<Selection> = Vec::new();
    let mut previous_end = 0;
    for range in rows {
        assert!(
            previous_end <= range.start
                && range.start <= range.end
                && range.end <= footer.row_count(),
            "rows {range:?} after {previous_end} of {}",
            footer.row_count()
        );
        previous_end = range.end;
        let mut start = range.start;
        let mut row_group = starts.partition_point(|&first| first <= start) - 1;
        while start < range.end {
            let first = starts[row_group];
            let end = range.end.min(starts[row_group + 1]);
            let rows = (start - first) as usize..(end - first) as usize;
            match selections.last_mut() {
                Some(last) if last.row_group == row_group => match last.rows.last_mut() {
                    Some(before) if before.end == rows.start => before.end = rows.end,
                    _ => last.rows.push(rows),
                },
                _ => selections.push(Selection {
                    row_group,
                    rows: vec![rows],
                }),
            }
            start = end;
            row_group += 1;
        }
    }
    selections
}

#[cfg(test)]
mod tests;
