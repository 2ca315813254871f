//! Merging data files of one partition, so that a read meets few of them, overwritten rows go,
//! and deletes become physical.

mod choose;
mod run;

pub(crate) use choose::{Candidate, choose};
