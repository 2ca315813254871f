//! Data files: one Parquet file holds the rows of one (bucket, measurement, time partition),
//! sorted by series and time, and a directory of its series (`docs/format.md`).
//!
//! This module knows bytes and rows. Which files exist, which of two rows wins and what has been
//! deleted is the business of the engine.

mod cache;
mod directory;
mod encoding;
mod error;
mod footer;
mod reader;
mod schema;
mod writer;

pub(crate) use cache::FileCache;
pub(crate) use directory::Directory;
pub(crate) use error::FileError;
pub(crate) use reader::{DataFile, RowBatches};
pub(crate) use schema::FileSchema;
pub(crate) use writer::{FileOptions, FileSummary, FileWriter};

/// Whether a checksum that differs refuses a file. Fuzzing lets it through, because the decoders of
/// footer and directory must not rest on it.
const CHECKSUMS_COUNT: bool = !cfg!(fuzzing);

#[cfg(test)]
mod tests;
