//! Line protocol, the text format of writes (`spec/line_protocol.md`).
//!
//! Parsing has two phases. [`parse`] checks a whole body and yields points that borrow from it:
//! names stay as they were written, and nothing is allocated per point. [`series_key`],
//! [`unescape_field_key`] and [`unescape_string`] make text of the parts a caller does not know
//! yet, which in the ingest path is the rare case.
//!
//! Within: `parse` walks the body and has the fast path for plain lines; `scan` is the exact
//! reading of every other line and the only judge of what is an error; `number` holds literals;
//! `text` unescapes; `error` has the messages; `print` is the way back. Not here: limits of the
//! body, field types against a schema, reserved field names (`spec/write.md` §6.1).

mod error;
mod number;
mod parse;
mod print;
mod scan;
mod text;

use std::ops::Range;

pub use error::{ParseError, ParseErrors, Reason};
pub use parse::parse;
pub use print::{
    is_one_line, may_be_first, print_field_key, print_series, print_string, print_time,
    print_value, respell,
};
pub use scan::line_end;
pub use text::{series_key, unescape_field_key, unescape_string};

/// The longest series key, in bytes as written (`spec/line_protocol.md` §2.6).
pub const KEY_BYTES_MAX: usize = 65535;

/// The points of one request body, in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParsedBatch<'a> {
    pub points: Vec<ParsedPoint<'a>>,
    /// The fields of all points, each point's contiguous and in the order of its line.
    pub fields: Vec<ParsedField<'a>>,
}

impl<'a> ParsedBatch<'a> {
    /// The fields of one of this batch's points.
    pub fn fields_of(&self, point: &ParsedPoint<'a>) -> &[ParsedField<'a>] {
        &self.fields[point.fields.start as usize..point.fields.end as usize]
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedPoint<'a> {
    /// The line without leading blanks and newline, as error texts quote it.
    pub line: &'a [u8],
    /// `measurement[,tag=value…]` as written. Several spellings can name one series.
    pub series: &'a [u8],
    /// How many bytes of `series` are the measurement.
    pub measurement_len: usize,
    /// Where the point's fields are in [`ParsedBatch::fields`]; never empty.
    pub fields: Range<u32>,
    /// Nanoseconds since 1970.
    pub time: i64,
}

/// One field as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParsedField<'a> {
    /// May hold escapes: [`unescape_field_key`].
    pub key: &'a [u8],
    pub value: FieldValue<'a>,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// Always finite.
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    /// The bytes between the quotes, and whether they may hold escapes: [`unescape_string`].
    String(&'a [u8], bool),
}

impl FieldValue<'_> {
    pub fn field_type(&self) -> crate::FieldType {
        match self {
            Self::Float(_) => crate::FieldType::Float,
            Self::Integer(_) => crate::FieldType::Integer,
            Self::Unsigned(_) => crate::FieldType::Unsigned,
            Self::Boolean(_) => crate::FieldType::Boolean,
            Self::String(..) => crate::FieldType::String,
        }
    }
}
