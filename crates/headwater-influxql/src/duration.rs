//! Duration literals and their printed form (`spec/influxql/grammar.md` §1.3).

use crate::ParseError;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Nanoseconds of a duration literal such as `1h30m`; a leading `-` negates the whole.
///
/// # Errors
/// `invalid duration`, or `overflowed duration …` naming the last number and unit when the sum
/// wrapped around to a negative number, which is all that the reference notices.
pub fn parse_duration(text: &str) -> Result<i64, ParseError> {
    let invalid = || ParseError::Bare("invalid duration".to_owned());
    if text.len() < 2 {
        return Err(invalid());
    }
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut sum = 0_i64;
    let mut last = (0_i64, "");
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().map_err(|_| invalid())?;
        let tail = &rest[digits..];
        let (unit, nanoseconds) = unit_of(tail).ok_or_else(invalid)?;
        sum = sum.wrapping_add(number.wrapping_mul(nanoseconds));
        last = (number, unit);
        rest = &tail[unit.len()..];
    }
    if sum < 0 && !negative {
        let (number, unit) = last;
        return Err(ParseError::Bare(format!(
            "overflowed duration {number}{unit}: choose a smaller duration or INF"
        )));
    }
    Ok(if negative { sum.wrapping_neg() } else { sum })
}

/// The unit that `text` begins with, and its nanoseconds.
fn unit_of(text: &str) -> Option<(&str, i64)> {
    const UNITS: [(&str, i64); 10] = [
        ("ns", 1),
        ("u", MICROSECOND),
        ("µ", MICROSECOND),
        ("ms", MILLISECOND),
        ("m", MINUTE),
        ("s", SECOND),
        ("h", HOUR),
        ("d", DAY),
        ("w", WEEK),
        ("", 0),
    ];
    UNITS
        .iter()
        .find(|(unit, _)| text.starts_with(unit))
        .filter(|(unit, _)| !unit.is_empty())
        .copied()
}

/// A duration in the largest unit that divides it, for example `90m` or `2w`; zero is `0s`.
pub fn format_duration(nanoseconds: i64) -> String {
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let units = [
        (WEEK, "w"),
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
        (MILLISECOND, "ms"),
        (MICROSECOND, "u"),
    ];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| nanoseconds % size == 0)
        .unwrap_or((1, "ns"));
    format!("{}{unit}", nanoseconds / size)
}

/// A duration in hours, minutes and seconds, for example `168h0m0s` or `1.5s`: the form in which
/// retention policies are listed and `CREATE DATABASE` is printed.
pub fn format_clock_duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < SECOND.unsigned_abs() {
        let (size, unit) = match magnitude {
            n if n < MICROSECOND.unsigned_abs() => (1, "ns"),
            n if n < MILLISECOND.unsigned_abs() => (MICROSECOND.unsigned_abs(), "µs"),
            _ => (MILLISECOND.unsigned_abs(), "ms"),
        };
        return format!("{sign}{}{unit}", decimal(magnitude, size));
    }
    let seconds = magnitude / SECOND.unsigned_abs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = decimal(magnitude % MINUTE.unsigned_abs(), SECOND.unsigned_abs());
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, _) => format!("{sign}{minutes}m{rest}s"),
        _ => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

/// `value / size` as a decimal without trailing zeros; `size` is a power of ten.
fn decimal(value: u64, size: u64) -> String {
    let (whole, fraction) = (value / size, value % size);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = size.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
