//! InfluxQL text to syntax tree and back, with the reference's exact error texts. Pure: no
//! schema, no clock, no I/O.
//!
//! [`parse_query`] reads the `q` of a request; `Display` of the tree prints its canonical text,
//! which reads as the same tree again. What the statements mean is not known here.

pub mod ast;
pub mod visit;

mod duration;
mod error;
mod keywords;
mod lexer;
mod params;
mod parser;
mod print;
mod redact;
mod regex;

pub use duration::{format_clock_duration, format_duration, parse_duration};
pub use error::{ParseError, Position};
pub use keywords::{is_keyword, keywords};
pub use params::{Params, ParamsError};
pub use parser::{parse_expr, parse_query, parse_statement};
pub use print::{quote_ident, quote_string};
pub use redact::redact_passwords;
