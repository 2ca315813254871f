//! Why a data file could not be written or read.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::wal::is_full;

/// A failure of one data file; names the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The file system refused.
    #[error("data file {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The bytes are not what a writer left there.
    #[error("data file {} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// Written by a newer program.
    #[error(
        "data file {} has format version {found}, this program reads versions up to {supported}: \
         it was written by a newer program",
        path.display()
    )]
    Version {
        path: PathBuf,
        found: u32,
        supported: u32,
    },
    /// Rows could not be encoded as Parquet.
    #[error("data file {}: cannot encode: {reason}", path.display())]
    Encode { path: PathBuf, reason: String },
}

impl FileError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn encode(path: &Path, reason: impl ToString) -> Self {
        Self::Encode {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Whether the file is gone.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether there was no room for it.
    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }

    /// Whether the bytes on disk are at fault, not the file system.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
