//! Queries: from a syntax tree and the schema of the stored data to a plan, and from the plan
//! to series. No HTTP and no encodings: answers are columns, which the encoders of
//! `headwater-http` walk.
//!
//! `QueryEngine::execute` takes a parsed request; `run` works through its statements, `resolve`
//! makes plans of SELECTs, `execute` runs them with the kernels of `function`; `show`, `delete`,
//! `admin` and `explain` are the other statements.

pub mod plan;
pub mod series;

mod error;
mod guard;
mod profile;
mod run;

mod admin;
mod delete;
mod explain;
mod show;

mod condition;
mod execute;
mod fold;
mod function;
mod resolve;
mod time_string;

mod databases;
mod schema;
mod snapshots;

pub use error::Error;
pub use run::{QueryEngine, QueryRequest, Settings, Statistics};
