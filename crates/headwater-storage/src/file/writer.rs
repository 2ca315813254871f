//! Writes one data file: series in ascending order in, Parquet out. Holds about one row group in
//! memory.

use std::path::{Path, PathBuf};

use arrow_array::ArrayRef;
use headwater_env::SharedFileSystem;
use headwater_model::SeriesKey;

use super::{FileError, FileSchema};

/// How a data file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// Rows of a row group.
    pub(crate) row_group_rows: usize,
    /// Rows of a data page: what must be decoded at least to read one row.
    pub(crate) page_rows: usize,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            row_group_rows: 100_000,
            page_rows: 4_000,
        }
    }
}

/// What a finished data file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSummary {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) min_time: i64,
    pub(crate) max_time: i64,
    pub(crate) series_count: u64,
}

/// A data file being written. Dropped before `finish`, it leaves at most `PATH.tmp` behind.
pub(crate) struct FileWriter {
    path: PathBuf,
}

impl FileWriter {
    /// Begins `path`; until `finish` the bytes are in `PATH.tmp`.
    pub(crate) fn create(
        _file_system: SharedFileSystem,
        path: &Path,
        _schema: FileSchema,
        _options: FileOptions,
    ) -> Result<Self, FileError> {
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Appends rows of one series. Series come in ascending order of their keys, times strictly
    /// ascending, also over repeated calls for one series. `columns` are the fields in the order
    /// of the schema, each `None` (all null) or an array as long as `times` of the field's type.
    /// A key may only have tags of the schema.
    pub(crate) fn write_series(
        &mut self,
        _key: &SeriesKey,
        _times: &[i64],
        _columns: &[Option<ArrayRef>],
    ) -> Result<(), FileError> {
        Err(FileError::encode(&self.path, "not yet written"))
    }

    /// Completes the file: synced, renamed into place, directory synced.
    pub(crate) fn finish(self) -> Result<FileSummary, FileError> {
        Err(FileError::encode(&self.path, "not yet written"))
    }
}
