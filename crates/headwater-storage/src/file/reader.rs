//! Reads rows and the series directory of one data file.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;
use headwater_env::SharedFileSystem;

use super::{Directory, FileCache, FileError};

/// A data file that can be read. Cheap to clone; footer, directory and bytes live in the cache
/// and are loaded again when they have been dropped from it.
#[derive(Debug, Clone)]
pub(crate) struct DataFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
}

/// Rows of a data file, concatenated in the order in which they were asked for.
#[derive(Debug, Clone)]
pub(crate) struct RowBatches {
    /// Empty when times were not asked for.
    pub(crate) times: ScalarBuffer<i64>,
    /// In the order asked for; `None` when the file lacks the column.
    pub(crate) columns: Vec<Option<ArrayRef>>,
}

impl DataFile {
    /// Opens `path`: reads and checks the footer and the directory.
    pub(crate) fn open(
        _file_system: SharedFileSystem,
        path: &Path,
        _cache: &FileCache,
    ) -> Result<Self, FileError> {
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
        })))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// The series of the file.
    pub(crate) fn directory(&self) -> Result<Arc<Directory>, FileError> {
        Err(FileError::damaged(&self.0.path, "not yet read"))
    }

    /// Reads the rows `rows` (ascending, not overlapping) of the fields `columns`.
    pub(crate) fn read(
        &self,
        _rows: &[Range<u64>],
        _columns: &[&str],
        _with_time: bool,
    ) -> Result<RowBatches, FileError> {
        Err(FileError::damaged(&self.0.path, "not yet read"))
    }
}
