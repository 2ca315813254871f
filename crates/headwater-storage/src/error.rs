//! Why storage could not do what it was asked.

use std::{io, path::PathBuf};

use crate::file::FileError;

/// A failure of the engine. What a caller does about it is [`Error::kind`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More unflushed rows than `memtable_bytes_max`; the text is the one that agents know
    /// (`spec/decisions.md` 13).
    #[error("engine: cache-max-memory-size exceeded")]
    MemtableFull,
    /// No room on the disk. Writes are taken again when there is.
    #[error("engine: the disk is full: {reason}")]
    DiskFull { reason: String },
    /// An earlier failure put data at risk; writes are refused until a restart.
    #[error("engine: writes are refused until a restart, since a failure: {reason}")]
    Poisoned { reason: String },
    #[error("engine: closed")]
    Closed,
    #[error("write-ahead log {}: {source}", path.display())]
    Wal { path: PathBuf, source: io::Error },
    #[error("write-ahead log {} is damaged at byte {offset}: {reason}", path.display())]
    WalDamaged {
        path: PathBuf,
        offset: u64,
        reason: String,
    },
    /// A data file; the message names it.
    #[error("{message}")]
    File { message: String, is_damaged: bool },
    #[error("data directory {}: {source}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    /// What was found in the data directory is not what this program may go on with.
    #[error("data directory {}: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    /// No flush and no compaction makes such records.
    #[error("the catalog contradicts itself about data file {path}: {reason}")]
    Contradiction { path: String, reason: &'static str },
    #[error("catalog: {0}")]
    Catalog(#[from] headwater_catalog::Error),
    /// The caller wants no more of it.
    #[error("interrupted")]
    Interrupted,
    /// A rule that data safety rests on did not hold.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Unavailable,
    /// Bytes on disk are not what was written.
    Corrupt,
    /// Anything else.
    Internal,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::MemtableFull | Self::DiskFull { .. } | Self::Poisoned { .. } | Self::Closed => {
                ErrorKind::Unavailable
            }
            Self::WalDamaged { .. }
            | Self::Contradiction { .. }
            | Self::File {
                is_damaged: true, ..
            } => ErrorKind::Corrupt,
            Self::Wal { .. }
            | Self::File { .. }
            | Self::Directory { .. }
            | Self::Refused { .. }
            | Self::Catalog(_)
            | Self::Interrupted
            | Self::Internal(_) => ErrorKind::Internal,
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        if error.is_disk_full() {
            return Self::DiskFull {
                reason: error.to_string(),
            };
        }
        Self::File {
            message: error.to_string(),
            is_damaged: error.is_damage(),
        }
    }
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Internal(error.to_string())
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
