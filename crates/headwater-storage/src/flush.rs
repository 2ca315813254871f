//! From memtable to data files: freeze, write one file per partition, list them all in one
//! transaction, let readers see them instead of the memtable, and only then release the log.

mod choose;
pub(crate) mod run;

pub(crate) use choose::{Choice, choose, is_large};
pub(crate) use run::Written;
