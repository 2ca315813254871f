//! The crate from outside.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod conformance;
mod round_trip;
