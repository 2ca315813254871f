//! The write-ahead log: what has been acknowledged and is not in data files yet.
//!
//! Segments `wal/NNNNNNNNNNNNNNNN.log` hold framed records (`docs/format.md`). One thread appends;
//! the records that wait while it syncs form the next batch (group commit). A segment is removed
//! only when all rows in it are in data files that the catalog lists.

mod inspect;
mod reader;
mod record;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use inspect::inspect;
pub(crate) use reader::open;
pub(crate) use record::{Entry, Record};
pub(crate) use writer::{Done, Start, Wal, WalFailure, is_full};
