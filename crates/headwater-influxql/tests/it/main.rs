//! Integration tests of the InfluxQL parser and printer.

mod conformance;
mod round_trip;
