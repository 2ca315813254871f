//! The exact reading of one line, byte by byte: every rule and every error, in the reference's
//! order (`spec/line_protocol.md` §2, §3). Slower than the fast path of `parse`, which must agree
//! with it on each line it takes.

use super::{
    FieldValue, KEY_BYTES_MAX, ParsedField, ParsedPoint,
    error::Reason,
    number::{boolean, integer, number},
    parse::field_index,
};
use crate::time::{MAX_TIME, MIN_TIME, Precision};

/// The end of the line that starts at `start`: a newline outside of quoted field values, or the
/// end of the body (`spec/line_protocol.md` §1). What follows the newline can still change the
/// answer if that is the last byte of `body`.
pub fn line_end(body: &[u8], start: usize) -> usize {
    let (mut in_fields, mut quoted) = (false, false);
    let (mut equals, mut commas) = (0usize, 0usize);
    let mut at = start;
    while at < body.len() {
        match body[at] {
            b'\\' if at + 2 < body.len() => at += 1,
            b' ' => in_fields = true,
            b'=' if in_fields && !quoted => equals += 1,
            b',' if in_fields && !quoted => commas += 1,
            b'"' if in_fields && equals > commas => quoted = !quoted,
            b'\n' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    body.len()
}

/// The bytes that may stand before a line, before its fields and before its timestamp.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0)
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Reads a line that has a first byte which is no blank. Fields are added to `fields`, also where
/// an error follows.
pub(super) fn point<'a>(
    line: &'a [u8],
    fields: &mut Vec<ParsedField<'a>>,
    precision: Precision,
    default_time: i64,
) -> Result<ParsedPoint<'a>, Reason> {
    let measurement_len = measurement_end(line)?;
    let series_len = tags_end(line, measurement_len)?;
    let series = &line[..series_len];
    check_tag_keys(&series[measurement_len..])?;
    if series_len > KEY_BYTES_MAX {
        return Err(Reason::KeyTooLong(series_len));
    }
    let fields_start = skip_blanks(line, series_len);
    let fields_end = fields_end(line, fields_start)?;
    let first_field = field_index(fields.len());
    read_fields(&line[fields_start..fields_end], series_len, fields)?;
    let time = read_time(line, fields_end, precision, default_time)?;
    let fields = first_field..field_index(fields.len());
    Ok(ParsedPoint {
        line,
        series,
        measurement_len,
        fields,
        time,
    })
}

fn measurement_end(line: &[u8]) -> Result<usize, Reason> {
    if line.first().is_none_or(|byte| *byte == b',') {
        return Err(Reason::MissingMeasurement);
    }
    let ends = |at: &usize| line[*at - 1] != b'\\' && matches!(line[*at], b',' | b' ');
    (1..line.len()).find(ends).ok_or(Reason::MissingFields)
}

/// The end of the series part: the space before the fields.
fn tags_end(line: &[u8], measurement_len: usize) -> Result<usize, Reason> {
    let mut at = measurement_len;
    while line[at] == b',' {
        at = tag_key_end(line, at + 1)?;
        at = tag_value_end(line, at + 1)?;
    }
    Ok(at)
}

fn tag_key_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    if line
        .get(start)
        .is_none_or(|byte| matches!(byte, b' ' | b',' | b'='))
    {
        return Err(Reason::MissingTagKey);
    }
    for at in start + 1..line.len() {
        if line[at - 1] != b'\\' {
            match line[at] {
                b' ' | b',' => return Err(Reason::MissingTagValue),
                b'=' => return Ok(at),
                _ => {}
            }
        }
    }
    Err(Reason::MissingTagValue)
}

/// An equals sign may be the first byte of a value but no later one.
fn tag_value_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    if line
        .get(start)
        .is_none_or(|byte| matches!(byte, b' ' | b','))
    {
        return Err(Reason::MissingTagValue);
    }
    for at in start + 1..line.len() {
        if line[at - 1] != b'\\' {
            match line[at] {
                b'=' => return Err(Reason::InvalidTagFormat),
                b' ' | b',' => return Ok(at),
                _ => {}
            }
        }
    }
    Err(Reason::MissingFields)
}

/// Where `stop` stands first without a backslash right before it, else the length.
pub(super) fn next_unescaped(bytes: &[u8], stop: u8) -> usize {
    memchr::memchr_iter(stop, bytes)
        .find(|at| *at == 0 || bytes[*at - 1] != b'\\')
        .unwrap_or(bytes.len())
}

/// Keys and values, as written, of `,key=value,key=value…`.
pub(super) fn tags_of(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let tags = rest.get(1..)?;
        let (tag, after) = tags.split_at(next_unescaped(tags, b','));
        rest = after;
        let (key, value) = tag.split_at(next_unescaped(tag, b'='));
        Some((key, value.get(1..).unwrap_or_default()))
    })
}

/// Reserved and repeated keys; keys are compared as written.
pub(super) fn check_tag_keys(raw: &[u8]) -> Result<(), Reason> {
    let mut keys: Vec<&[u8]> = tags_of(raw).map(|(key, _)| key).collect();
    for key in &keys {
        let quoted = match *key {
            b"time" => "\"time\"",
            b"_field" => "\"_field\"",
            b"_measurement" => "\"_measurement\"",
            b"\x00" => "\"\\x00\"",
            b"\xff" => "\"\\xff\"",
            _ => continue,
        };
        return Err(Reason::ReservedTagKey(quoted));
    }
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Reason::DuplicateTags);
    }
    Ok(())
}

/// Checks the field part that starts at `start` and finds its end. Counts signs rather than
/// telling fields apart, which is why [`read_fields`] can still find faults.
fn fields_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    let mut quoted = false;
    let (mut equals, mut commas) = (0usize, 0usize);
    let mut at = start;
    while at < line.len() {
        match line[at] {
            b'\\' if at + 1 < line.len() => at += 1,
            b'"' if equals > commas => quoted = !quoted,
            _ if quoted => {}
            b'=' => {
                equals += 1;
                // A series precedes, so both bytes are there.
                if matches!(line[at - 1], b' ' | b',') && line[at - 2] != b'\\' {
                    return Err(Reason::MissingFieldKey);
                }
                if line
                    .get(at + 1)
                    .is_none_or(|byte| matches!(byte, b',' | b' '))
                {
                    return Err(Reason::MissingFieldValue);
                }
                if line[at + 1] != b'"' {
                    at = literal_end(line, at + 1)?;
                    continue;
                }
            }
            b',' => commas += 1,
            b' ' => break,
            _ => {}
        }
        at += 1;
    }
    if quoted {
        return Err(Reason::UnbalancedQuotes);
    }
    if equals == 0 || commas != equals - 1 {
        return Err(Reason::InvalidFieldFormat);
    }
    Ok(at)
}

fn literal_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    let rest = &line[start..];
    let len = rest
        .iter()
        .take_while(|byte| !matches!(byte, b',' | b' '))
        .count();
    literal(&rest[..len])?;
    Ok(start + len)
}

fn literal<'a>(bytes: &[u8]) -> Result<FieldValue<'a>, Reason> {
    match bytes.first() {
        Some(b'0'..=b'9' | b'.' | b'-' | b'N' | b'n') => number(bytes),
        _ => boolean(bytes)
            .map(FieldValue::Boolean)
            .ok_or(Reason::InvalidBoolean),
    }
}

fn read_fields<'a>(
    mut rest: &'a [u8],
    series_len: usize,
    fields: &mut Vec<ParsedField<'a>>,
) -> Result<(), Reason> {
    while !rest.is_empty() {
        let key_len = next_unescaped(rest, b'=');
        let key = &rest[..key_len];
        if key_len + 1 >= rest.len() {
            return Err(Reason::LostFieldValue(
                String::from_utf8_lossy(key).into_owned(),
            ));
        }
        // Four bytes separate the two in the reference's index.
        let key_bytes = series_len + 4 + key_len;
        if key_bytes > KEY_BYTES_MAX {
            return Err(Reason::KeyTooLong(key_bytes));
        }
        rest = &rest[key_len + 1..];
        let (raw, after) = rest.split_at(value_len(rest));
        fields.push(ParsedField {
            key,
            value: value(raw)?,
        });
        rest = after.get(1..).unwrap_or_default();
    }
    Ok(())
}

/// The length of a value: up to a comma outside of quotes.
fn value_len(bytes: &[u8]) -> usize {
    let mut quoted = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn value(raw: &[u8]) -> Result<FieldValue<'_>, Reason> {
    if raw.first() != Some(&b'"') {
        return literal(raw);
    }
    // What follows the closing quote is kept, but for its last byte: `"a"b` is `a"`.
    let string = raw.get(1..raw.len() - 1).ok_or(Reason::UnbalancedQuotes)?;
    Ok(FieldValue::String(
        string,
        memchr::memchr(b'\\', string).is_some(),
    ))
}

fn read_time(
    line: &[u8],
    from: usize,
    precision: Precision,
    default_time: i64,
) -> Result<i64, Reason> {
    let start = skip_blanks(line, from);
    let rest = &line[start..];
    let len = rest
        .iter()
        .take_while(|byte| !matches!(byte, b' ' | b'\n'))
        .count();
    let (digits, after) = rest.split_at(len);
    if digits.is_empty() {
        return Ok(default_time);
    }
    let magnitude = digits.strip_prefix(b"-").unwrap_or(digits);
    if !magnitude.iter().all(u8::is_ascii_digit) {
        return Err(Reason::BadTimestamp);
    }
    let text = || String::from_utf8_lossy(digits).into_owned();
    if magnitude.is_empty() {
        return Err(Reason::TimestampSyntax(text()));
    }
    let units = integer(digits).ok_or_else(|| Reason::TimestampOutOfRange(text()))?;
    let time = nanoseconds(units, precision).ok_or(Reason::TimeOutsideRange)?;
    if after.iter().any(|byte| *byte != b' ') {
        return Err(Reason::TrailingBytes);
    }
    Ok(time)
}

/// `None` when no point may have that time.
#[inline]
pub(super) fn nanoseconds(units: i64, precision: Precision) -> Option<i64> {
    let time = units.checked_mul(precision.nanoseconds())?;
    (MIN_TIME..=MAX_TIME).contains(&time).then_some(time)
}
