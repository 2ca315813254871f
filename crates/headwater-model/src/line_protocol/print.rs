//! Points as line protocol that reads as exactly the same points again.
//!
//! The canonical series key is not enough for that: it is what SHOW SERIES prints, and a name with
//! a backslash before a special character reads differently in it.

#[cfg(test)]
mod tests;

use super::line_end;
use crate::{SeriesKey, Value};

/// How many orders of tags [`respell`] tries, at most.
const ORDERS_MAX: usize = 5040;

/// Appends the measurement and the tags.
pub fn print_series(key: &SeriesKey, out: &mut Vec<u8>) {
    print_series_in(key, 0..key.tags().len(), out);
}

/// With the tags in some order.
fn print_series_in(key: &SeriesKey, order: impl Iterator<Item = usize>, out: &mut Vec<u8>) {
    // An equals sign is plain in a measurement, but `\=` reads as one.
    escape(key.measurement(), b", ", b"=", out);
    for at in order {
        let (name, value) = &key.tags()[at];
        out.push(b',');
        escape(name, b",= ", b"", out);
        out.push(b'=');
        escape(value, b",= ", b"", out);
    }
}

/// Whether a printed line, with its newline, is read as one line wherever it stands. A line can be
/// no other than that only if a backslash is in a name: the search for the end of a line takes
/// `\\` for an escaped backslash, and so counts spaces, equals signs and commas that names hold.
pub fn is_one_line(line: &[u8]) -> bool {
    line_end(line, 0) + 1 == line.len()
}

/// A point whose line is not [`is_one_line`], spelled so that it is, in one line or several: with
/// its tags in another order, with one field a line. `fields` are printed, `key=value` each.
/// `None` if there is no such spelling; then no line can have made the point.
pub fn respell(key: &SeriesKey, fields: &[&[u8]], time: i64) -> Option<Vec<u8>> {
    let whole: [&[&[u8]]; 1] = [fields];
    let single: Vec<&[&[u8]]> = fields.chunks(1).collect();
    for lines in [&whole[..], &single] {
        for order in orders(key.tags().len()).take(ORDERS_MAX) {
            let mut out = Vec::new();
            let mut is_good = true;
            for fields in lines {
                let start = out.len();
                print_series_in(key, order.iter().copied(), &mut out);
                out.push(b' ');
                out.extend_from_slice(&fields.join(&b','));
                out.push(b' ');
                print_time(time, &mut out);
                out.push(b'\n');
                is_good = is_good && is_one_line(&out[start..]);
            }
            if is_good {
                return Some(out);
            }
        }
    }
    None
}

/// All orders of the first `count` numbers, lexically.
fn orders(count: usize) -> impl Iterator<Item = Vec<usize>> {
    std::iter::successors(Some((0..count).collect::<Vec<_>>()), |last| {
        let mut next = last.clone();
        let pivot = next.windows(2).rposition(|pair| pair[0] < pair[1])?;
        let swap = next.iter().rposition(|&other| other > next[pivot])?;
        next.swap(pivot, swap);
        next[pivot + 1..].reverse();
        Some(next)
    })
}

/// Appends a field key. [`may_be_first`] tells where it may stand; an empty one has to be first.
pub fn print_field_key(name: &str, out: &mut Vec<u8>) {
    if name.is_empty() {
        // A blank that is skipped; without it the key would be missing.
        out.push(b'\t');
    }
    escape(name, b",= \"", b"", out);
}

/// Whether a field can be a line's first: blanks before the first field are skipped.
pub fn may_be_first(field: &str) -> bool {
    // A space comes with a backslash before it.
    !field.starts_with(['\t', '\0'])
}

/// Appends a value. Floats come in the shortest form that reads as the same bits.
pub fn print_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Float(value) => {
            out.extend_from_slice(ryu::Buffer::new().format(*value).as_bytes());
        }
        Value::Integer(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
            out.push(b'i');
        }
        Value::Unsigned(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
            out.push(b'u');
        }
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::String(value) => print_string(value, out),
    }
}

/// Appends a time in nanoseconds.
pub fn print_time(time: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
}

/// Appends a string in quotes.
pub fn print_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, b"\"\\", b"", out);
    out.push(b'"');
}

/// Puts a backslash before each byte of `always`, and before one of `after_backslash` where a
/// backslash stands before it. Both are ASCII.
fn escape(text: &str, always: &[u8], after_backslash: &[u8], out: &mut Vec<u8>) {
    let mut last = 0;
    for byte in text.bytes() {
        if always.contains(&byte) || (last == b'\\' && after_backslash.contains(&byte)) {
            out.push(b'\\');
        }
        out.push(byte);
        last = byte;
    }
}
