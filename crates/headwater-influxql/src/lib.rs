//! InfluxQL text to syntax tree and back, with the reference's exact error texts. Pure: no
//! schema, no clock, no I/O.

pub mod ast;
