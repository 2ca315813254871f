//! From the bytes of a line to names and strings (`spec/line_protocol.md` §2.1).
//!
//! Bytes that are not UTF-8 become U+FFFD. [`parse`](super::parse) lets no such line through;
//! only a character that a stray byte after a closing quote cut in two gets here.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

use memchr::memchr;

use super::scan::{next_unescaped, tags_of};
use crate::SeriesKey;

/// The series that `measurement[,tag=value…]` names. Spellings that differ in the order of tags
/// or in needless escapes give equal keys.
pub fn series_key(raw: &[u8]) -> SeriesKey {
    let measurement_len = next_unescaped(raw, b',');
    let measurement = unescape(&raw[..measurement_len], b",= ");
    let tags = tags_of(&raw[measurement_len..])
        .map(|(key, value)| {
            (
                Arc::from(unescape(key, b",= ")),
                Arc::from(unescape(value, b",= ")),
            )
        })
        .collect();
    SeriesKey::new(Arc::from(measurement), tags)
}

/// The name of a field.
pub fn unescape_field_key(raw: &[u8]) -> Cow<'_, str> {
    // The reference drops the backslash before a quote here, and only here.
    unescape(raw, b",= \"")
}

/// The value of a string field, from the bytes between its quotes.
pub fn unescape_string(raw: &[u8]) -> Cow<'_, str> {
    unescape(raw, b"\"\\")
}

/// Drops each backslash that stands before one of `special`.
fn unescape<'a>(raw: &'a [u8], special: &[u8]) -> Cow<'a, str> {
    if memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(byte) if special.contains(byte) => {
                out.push(*byte);
                rest = &rest[at + 2..];
            }
            _ => {
                out.push(b'\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}
