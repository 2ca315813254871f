//! The walk through a body, and the fast path.
//!
//! Most lines are plain: each field well formed, no odd escapes. Those are read in one pass that
//! finds the end of the line by the way. At the first surprise the fast path gives up and the
//! line is read anew by `scan`, so errors and oddities have one home. A test holds the two
//! against each other.

#[cfg(test)]
mod tests;

use memchr::memchr2;

use super::{
    FieldValue, KEY_BYTES_MAX, ParseError, ParseErrors, ParsedBatch, ParsedField, ParsedPoint,
    Reason, number, scan,
};
use crate::Precision;

/// How many points, and fields, room is made for ahead at most.
const RESERVE_MAX: usize = 1 << 16;

/// Reads a request body. `default_time` is given to points without a timestamp and is taken as it
/// is: the caller has truncated it to `precision`.
///
/// # Errors
/// All bad lines, when there is one (`spec/write.md` §6.2: then nothing is written).
pub fn parse(
    body: &[u8],
    precision: Precision,
    default_time: i64,
) -> Result<ParsedBatch<'_>, ParseErrors> {
    let mut parser = Parser {
        body,
        precision,
        default_time,
        is_utf8: std::str::from_utf8(body).is_ok(),
        batch: ParsedBatch::default(),
        errors: Vec::new(),
        known_tag_keys: Vec::new(),
    };
    let mut at = 0;
    while at < body.len() {
        at = parser.line(at);
        if parser.batch.points.len() == 1 && parser.batch.points.capacity() < RESERVE_MAX {
            parser.reserve(at);
        }
    }
    match ParseErrors::new(parser.errors) {
        Some(errors) => Err(errors),
        None => Ok(parser.batch),
    }
}

struct Parser<'a> {
    body: &'a [u8],
    precision: Precision,
    default_time: i64,
    /// Of the whole body; if not, each line is looked at.
    is_utf8: bool,
    batch: ParsedBatch<'a>,
    errors: Vec<ParseError>,
    /// A sequence of tag keys that passed [`scan::check_tag_keys`]: a line with the same keys, as
    /// most have, or a prefix of them, need not be checked.
    known_tag_keys: Vec<&'a [u8]>,
}

impl<'a> Parser<'a> {
    /// Room for lines like the first one.
    fn reserve(&mut self, line_bytes: usize) {
        let lines = (self.body.len() / line_bytes.max(1)).min(RESERVE_MAX);
        self.batch.points.reserve(lines);
        self.batch
            .fields
            .reserve((lines * self.batch.fields.len()).min(RESERVE_MAX * 8));
    }

    /// Reads the line at `start` and returns where the next one starts.
    fn line(&mut self, start: usize) -> usize {
        let body = self.body;
        let blanks = body[start..]
            .iter()
            .take_while(|byte| scan::is_blank(**byte))
            .count();
        let first = start + blanks;
        match body.get(first) {
            None | Some(b'\n') => return first + 1,
            // The end of a comment is found like that of any line, so quotes count in it.
            Some(b'#') => return scan::line_end(body, start) + 1,
            Some(_) => {}
        }
        let first_field = self.batch.fields.len();
        // After a leading blank quotes count from the start, see `scan::line_end`.
        if self.is_utf8
            && blanks == 0
            && let Some(point) = self.plain_line(first)
        {
            let end = first + point.line.len();
            self.batch.points.push(point);
            return end + 1;
        }
        self.batch.fields.truncate(first_field);
        let end = scan::line_end(body, start);
        let line = &body[first..end];
        // An open quote has taken in the body's last newline, which is no part of the line.
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let fields = &mut self.batch.fields;
        let mut result = scan::point(line, fields, self.precision, self.default_time);
        if result.is_ok() && !self.is_utf8 && std::str::from_utf8(line).is_err() {
            result = Err(Reason::InvalidUtf8);
        }
        match result {
            Ok(point) => self.batch.points.push(point),
            Err(reason) => {
                let line = String::from_utf8_lossy(line).into_owned();
                self.errors.push(ParseError { line, reason });
            }
        }
        end + 1
    }

    /// The fast path. `None` says nothing about the line.
    #[inline]
    fn plain_line(&mut self, start: usize) -> Option<ParsedPoint<'a>> {
        let body = self.body;
        let (measurement_end, series_end) = self.plain_series(start)?;
        let series = &body[start..series_end];
        if series.len() > KEY_BYTES_MAX {
            return None;
        }
        let field_key_bytes_max = KEY_BYTES_MAX.checked_sub(series.len() + 4)?;
        let first_field = self.batch.fields.len();
        let mut at = series_end;
        loop {
            let key_start = at + 1;
            let key_end = token_end(body, key_start, Stop::KEY)?;
            let first = *body.get(key_start)?;
            let key = &body[key_start..key_end];
            // A blank here is skipped by the exact reading.
            if key.is_empty()
                || key.len() > field_key_bytes_max
                || scan::is_blank(first)
                || body.get(key_end) != Some(&b'=')
            {
                return None;
            }
            let (value, len) = plain_value(&body[key_end + 1..])?;
            self.batch.fields.push(ParsedField { key, value });
            at = key_end + 1 + len;
            if body.get(at) != Some(&b',') {
                break;
            }
        }
        let (time, end) = self.plain_time(at)?;
        let fields = field_index(first_field)..field_index(self.batch.fields.len());
        let measurement_len = measurement_end - start;
        Some(ParsedPoint {
            line: &body[start..end],
            series,
            measurement_len,
            fields,
            time,
        })
    }

    /// The ends of the measurement and of the tags.
    #[inline]
    fn plain_series(&mut self, start: usize) -> Option<(usize, usize)> {
        let body = self.body;
        let measurement_end = token_end(body, start, Stop::MEASUREMENT)?;
        if measurement_end == start {
            return None;
        }
        let mut at = measurement_end;
        let mut tags = 0;
        let mut known = true;
        while body.get(at) == Some(&b',') {
            let key_end = token_end(body, at + 1, Stop::KEY)?;
            let value_end = token_end(body, key_end + 1, Stop::KEY)?;
            if body.get(key_end) != Some(&b'=') || key_end == at + 1 || value_end == key_end + 1 {
                return None;
            }
            known = known && self.known_tag_keys.get(tags) == Some(&&body[at + 1..key_end]);
            tags += 1;
            at = value_end;
        }
        if body.get(at) != Some(&b' ') {
            return None;
        }
        if !known {
            let raw = &body[measurement_end..at];
            scan::check_tag_keys(raw).ok()?;
            self.known_tag_keys.clear();
            self.known_tag_keys
                .extend(scan::tags_of(raw).map(|(key, _)| key));
        }
        Some((measurement_end, at))
    }

    /// The time, and the end of the line, after fields that end at `at`.
    #[inline]
    fn plain_time(&self, at: usize) -> Option<(i64, usize)> {
        match self.body.get(at) {
            None | Some(b'\n') => return Some((self.default_time, at)),
            Some(b' ') => {}
            Some(_) => return None,
        }
        let rest = &self.body[at + 1..];
        let negative = rest.first() == Some(&b'-');
        let (magnitude, digits) = number::leading_digits(&rest[usize::from(negative)..]);
        let len = usize::from(negative) + digits;
        // 19 digits cannot wrap a u64.
        if !(1..=19).contains(&digits) || rest.get(len).is_some_and(|byte| *byte != b'\n') {
            return None;
        }
        let units = i64::try_from(magnitude).ok()?;
        let units = if negative { -units } else { units };
        Some((scan::nanoseconds(units, self.precision)?, at + 1 + len))
    }
}

/// A position in [`ParsedBatch::fields`].
#[inline]
pub(super) fn field_index(index: usize) -> u32 {
    u32::try_from(index).expect("a field takes four bytes, and no body has 16 GiB")
}

#[inline]
fn plain_value(bytes: &[u8]) -> Option<(FieldValue<'_>, usize)> {
    if bytes.first() != Some(&b'"') {
        return number::plain(bytes);
    }
    let mut at = 1;
    let mut has_escapes = false;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            break;
        }
        has_escapes = true;
        at += 2;
    }
    let ends = bytes
        .get(at + 1)
        .is_none_or(|byte| matches!(byte, b',' | b' ' | b'\n'));
    ends.then_some((FieldValue::String(&bytes[1..at], has_escapes), at + 1))
}

/// The bytes at which the scan of a token stops.
struct Stop([bool; 256]);

impl Stop {
    const MEASUREMENT: &Self = &Self::at(b", \n\\");
    /// Tag keys, tag values and field keys.
    const KEY: &Self = &Self::at(b",= \n\\");

    const fn at(bytes: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut index = 0;
        while index < bytes.len() {
            table[bytes[index] as usize] = true;
            index += 1;
        }
        Self(table)
    }
}

/// The first place from `start` on at which a token ends. `None` for escapes that the rules for
/// lines and for their parts read differently.
#[inline]
fn token_end(body: &[u8], start: usize, stop: &Stop) -> Option<usize> {
    let mut at = start;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        at += rest
            .iter()
            .position(|byte| stop.0[usize::from(*byte)])
            .unwrap_or(rest.len());
        if body.get(at) != Some(&b'\\') {
            return Some(at);
        }
        match body.get(at + 1) {
            None | Some(b'\\' | b'\n') => return None,
            Some(_) => at += 2,
        }
    }
}
