//! Storage: write-ahead log, memtable, Parquet data files with their series directories, flush,
//! compaction, retention and deletes; one scan that yields sorted series slices as Arrow arrays.

mod file;
mod predicate;

pub use predicate::{Pattern, TagPredicate};
