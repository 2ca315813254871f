//! What is wrong with a line, in the reference's words (`spec/line_protocol.md` §3).

use std::fmt;

use super::KEY_BYTES_MAX;
use crate::time::{MAX_TIME, MIN_TIME};

/// Why a line is no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("missing measurement")]
    MissingMeasurement,
    #[error("missing fields")]
    MissingFields,
    #[error("missing tag key")]
    MissingTagKey,
    #[error("missing tag value")]
    MissingTagValue,
    #[error("invalid tag format")]
    InvalidTagFormat,
    /// The name is quoted and escaped already.
    #[error("cannot use reserved tag key {0}")]
    ReservedTagKey(&'static str),
    #[error("duplicate tags")]
    DuplicateTags,
    #[error("max key length exceeded: {0} > {KEY_BYTES_MAX}")]
    KeyTooLong(usize),
    #[error("missing field key")]
    MissingFieldKey,
    #[error("missing field value")]
    MissingFieldValue,
    #[error("invalid field format")]
    InvalidFieldFormat,
    #[error("invalid value: field-key={0}")]
    LostFieldValue(String),
    #[error("unbalanced quotes")]
    UnbalancedQuotes,
    #[error("invalid number")]
    InvalidNumber,
    #[error("invalid float")]
    InvalidFloat,
    #[error("invalid boolean")]
    InvalidBoolean,
    #[error("unable to parse integer {0}: strconv.ParseInt: parsing \"{0}\": value out of range")]
    IntegerOutOfRange(String),
    #[error("unable to parse unsigned {0}: strconv.ParseUint: parsing \"{0}\": value out of range")]
    UnsignedOutOfRange(String),
    #[error("bad timestamp")]
    BadTimestamp,
    #[error("strconv.ParseInt: parsing \"{0}\": invalid syntax")]
    TimestampSyntax(String),
    #[error("strconv.ParseInt: parsing \"{0}\": value out of range")]
    TimestampOutOfRange(String),
    #[error("time outside range {MIN_TIME} - {MAX_TIME}")]
    TimeOutsideRange,
    #[error("point is invalid")]
    TrailingBytes,
    #[error("invalid UTF-8 sequence")]
    InvalidUtf8,
}

/// A line that is no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse '{line}': {reason}")]
pub struct ParseError {
    /// The line; bytes that are not UTF-8 are replaced.
    pub line: String,
    pub reason: Reason,
}

/// Every bad line of a body, in its order; printed one message a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors(Vec<ParseError>);

impl ParseErrors {
    /// `None` when there is no error to report.
    pub(super) fn new(errors: Vec<ParseError>) -> Option<Self> {
        if errors.is_empty() {
            None
        } else {
            Some(Self(errors))
        }
    }

    /// Never empty.
    pub fn lines(&self) -> &[ParseError] {
        &self.0
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}
