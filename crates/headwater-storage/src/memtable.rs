//! Rows in memory: per bucket, measurement and time partition a [`Table`] of columns in arrival
//! order, cut into blocks. Full blocks are immutable and shared with readers; they are sorted
//! lazily, outside the engine's lock.

mod block;
mod column;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use block::Block;
pub(crate) use table::{RowError, Table, delete_rows};
