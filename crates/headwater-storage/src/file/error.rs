//! Why a data file could not be written or read.

use std::{
    io,
    path::{Path, PathBuf},
};

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
        "data file {} has format version {found}, this program reads versions up to {supported}",
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

    /// Whether the bytes on disk are at fault, not the file system.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Version { .. })
    }
}
