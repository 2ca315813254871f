//! Numeric and boolean literals and timestamps (`spec/line_protocol.md` §2.2, §2.3).
//!
//! The `scan_*` functions judge a literal as the reference does; [`plain`] reads the forms that
//! need no judgement and leaves the rest to them.

#[cfg(test)]
mod tests;

use super::{FieldValue, error::Reason};

/// Floats at least this long are checked for range even without an exponent.
const LONG_FLOAT_BYTES: usize = 25;

/// Reads a literal at the start of `bytes` that is plainly a number or a boolean, and its length.
/// `None`: look closer.
#[inline]
pub(super) fn plain<'a>(bytes: &[u8]) -> Option<(FieldValue<'a>, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii_digit() || first == b'-' || first == b'.' {
        return plain_number(bytes);
    }
    let len = bytes
        .iter()
        .take(6)
        .take_while(|byte| !ends_literal(**byte))
        .count();
    Some((FieldValue::Boolean(boolean(&bytes[..len])?), len))
}

#[inline]
fn plain_number<'a>(bytes: &[u8]) -> Option<(FieldValue<'a>, usize)> {
    let negative = bytes[0] == b'-';
    let start = usize::from(negative);
    let (magnitude, digits) = leading_digits(&bytes[start..]);
    let at = start + digits;
    let next = bytes.get(at).copied().unwrap_or(b'\n');
    // 18 digits can neither leave an i64 nor wrap.
    if (1..=18).contains(&digits) {
        let signed = if negative {
            -magnitude.cast_signed()
        } else {
            magnitude.cast_signed()
        };
        match next {
            b'i' => return ended(FieldValue::Integer(signed), bytes, at + 1),
            b'u' if !negative => return ended(FieldValue::Unsigned(magnitude), bytes, at + 1),
            // Integers of 15 digits are exact; the sign is set apart for the sake of -0.
            byte if digits <= 15 && ends_literal(byte) => {
                let float = if negative {
                    -(magnitude as f64)
                } else {
                    magnitude as f64
                };
                return Some((FieldValue::Float(float), at));
            }
            _ => {}
        }
    }
    if matches!(next, b'i' | b'u') {
        return None;
    }
    let (float, len) = fast_float2::parse_partial::<f64, _>(bytes).ok()?;
    // Not finite: overflow, or a word such as `-inf`.
    if float.is_finite() {
        ended(FieldValue::Float(float), bytes, len)
    } else {
        None
    }
}

fn ended<'a>(value: FieldValue<'a>, bytes: &[u8], len: usize) -> Option<(FieldValue<'a>, usize)> {
    let ends = bytes.get(len).is_none_or(|byte| ends_literal(*byte));
    ends.then_some((value, len))
}

#[inline]
fn ends_literal(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\n')
}

/// The value (wrapping) and the number of the digits at the start of `bytes`.
#[inline]
pub(super) fn leading_digits(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0u64;
    let mut len = 0;
    while let Some((chunk, _)) = bytes[len..].split_first_chunk::<8>() {
        let Some(part) = eight_digits(u64::from_le_bytes(*chunk)) else {
            break;
        };
        value = value.wrapping_mul(100_000_000).wrapping_add(part);
        len += 8;
    }
    while let Some(digit) = bytes.get(len).map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        len += 1;
    }
    (value, len)
}

/// The value of eight ASCII digits, the first in the lowest byte; neighbours are joined pairwise.
#[inline]
fn eight_digits(chunk: u64) -> Option<u64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    if chunk & HIGH != ZEROS || chunk.wrapping_add(SIXES) & HIGH != ZEROS {
        return None;
    }
    let pairs = (chunk & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    Some((fours & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32)
}

/// `None` unless all of `bytes` is a boolean.
#[inline]
pub(super) fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Some(true),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

/// The value of `[-]digits`; `None` when it leaves the type.
pub(super) fn integer(bytes: &[u8]) -> Option<i64> {
    // The standard parser judges syntax as the callers did, so its only error left is range.
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Reads a whole numeric literal: `bytes` holds neither comma nor space.
pub(super) fn number<'a>(bytes: &[u8]) -> Result<FieldValue<'a>, Reason> {
    let shape = Shape::of(bytes)?;
    let body = &bytes[..bytes.len() - 1];
    let text = || String::from_utf8_lossy(body).into_owned();
    match shape.suffix {
        Some(b'i') => integer(body)
            .map(FieldValue::Integer)
            .ok_or_else(|| Reason::IntegerOutOfRange(text())),
        Some(_) => std::str::from_utf8(body)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .map(FieldValue::Unsigned)
            .ok_or_else(|| Reason::UnsignedOutOfRange(text())),
        None => {
            let float = fast_float2::parse::<f64, _>(bytes)
                .ok()
                .filter(|f| f.is_finite());
            let lost = if shape.scientific || bytes.len() >= LONG_FLOAT_BYTES {
                Reason::InvalidFloat
            } else {
                Reason::InvalidNumber
            };
            float.map(FieldValue::Float).ok_or(lost)
        }
    }
}

/// What a literal that passes for a number at first sight consists of.
struct Shape {
    suffix: Option<u8>,
    scientific: bool,
}

impl Shape {
    fn of(bytes: &[u8]) -> Result<Self, Reason> {
        let negative = bytes.first() == Some(&b'-');
        let (mut suffix, mut decimal, mut scientific) = (None, false, false);
        for at in usize::from(negative)..bytes.len() {
            match bytes[at] {
                byte @ (b'i' | b'u') if at > 0 && suffix.is_none() => suffix = Some(byte),
                b'.' if !decimal => decimal = true,
                b'e' | b'E' if at > 0 => scientific = true,
                b'+' | b'-' if at > 0 && matches!(bytes[at - 1], b'e' | b'E') => {}
                b'0'..=b'9' => {}
                _ => return Err(Reason::InvalidNumber),
            }
        }
        let not_digits =
            usize::from(negative) + usize::from(decimal) + usize::from(suffix == Some(b'i'));
        let last_is_suffix = suffix.is_none() || bytes.last() == suffix.as_ref();
        if suffix.is_some() && (decimal || scientific || !last_is_suffix)
            || suffix == Some(b'u') && negative
            || bytes.len() == not_digits
        {
            return Err(Reason::InvalidNumber);
        }
        Ok(Self { suffix, scientific })
    }
}
