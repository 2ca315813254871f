//! Parse errors in the reference's words (`spec/influxql/grammar.md` §1.5).

use std::fmt;

/// Why a text is not InfluxQL. `Display` is the bare message: `failed to parse query: ` and the
/// like are the caller's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Another token was expected here; `expected` is the list as printed.
    #[error("found {found}, expected {expected} at {at}")]
    Unexpected {
        found: String,
        expected: String,
        at: Position,
    },
    /// A message about one place.
    #[error("{message} at {at}")]
    At { message: String, at: Position },
    /// A message that names no place.
    #[error("{0}")]
    Bare(String),
}

/// A place in a text. Both numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    /// In characters, not bytes.
    pub column: usize,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, char {}", self.line, self.column)
    }
}
