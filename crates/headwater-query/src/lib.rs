//! Queries: from a syntax tree and the schema of the stored data to a plan, and from the plan
//! to series. No HTTP and no encodings: answers are columns, which the encoders of
//! `headwater-http` walk.

pub mod plan;
pub mod series;

mod error;

mod condition;
mod fold;
mod function;
mod time_string;

pub use error::Error;
