//! Time strings of WHERE and GROUP BY (`spec/influxql/semantics_select.md` §3.2): which
//! strings are taken for times, and what they say.

use chrono::{NaiveDate, Offset as _, TimeZone as _};
use chrono_tz::Tz;

#[cfg(test)]
mod tests;

/// A parsed time string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParsedTime {
    /// Nanoseconds since 1970; years 0 to 9999 exceed an `i64`.
    pub nanoseconds: i128,
    /// Seconds east of UTC of the zone it was read in, for printing it back.
    pub offset: i32,
}

/// Whether `text` is meant as a time: it starts with `dddd-dd-dd`.
pub(crate) fn looks_like_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        })
        // What follows the date is any text but a lone line break.
        && (bytes.len() == 10 || bytes[10] != b'\n')
}

/// Reads a string for which `looks_like_time` holds; zone-less ones in `timezone`. `None` is
/// the reference's `invalid timestamp string`.
pub(crate) fn parse_time(text: &str, timezone: Tz) -> Option<ParsedTime> {
    let mut cursor = Cursor {
        rest: text.as_bytes(),
    };
    let date = cursor.date()?;
    if cursor.rest.is_empty() {
        return local(
            date.and_hms_opt(0, 0, 0)?.and_utc().timestamp(),
            0,
            timezone,
        );
    }
    match cursor.next()? {
        b' ' => {
            let (second_of_day, nanoseconds) = cursor.clock()?;
            if !cursor.rest.is_empty() {
                return None;
            }
            let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
            local(midnight + second_of_day, nanoseconds, timezone)
        }
        b'T' => {
            let (second_of_day, nanoseconds) = cursor.clock()?;
            let offset = cursor.zone()?;
            if !cursor.rest.is_empty() {
                return None;
            }
            let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
            let seconds = midnight + second_of_day - i64::from(offset);
            Some(ParsedTime {
                nanoseconds: join(seconds, nanoseconds),
                offset,
            })
        }
        _ => None,
    }
}

fn join(seconds: i64, nanoseconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

/// The instant of a wall clock reading. Where the clock was set back or forward there are two
/// or none; the reference then takes the offset that holds at the reading less the offset that
/// holds at the reading taken as UTC.
fn local(wall_seconds: i64, nanoseconds: i64, timezone: Tz) -> Option<ParsedTime> {
    let mut offset = offset_at(wall_seconds, timezone)?;
    if offset != 0 {
        offset = offset_at(wall_seconds - i64::from(offset), timezone)?;
    }
    let seconds = wall_seconds - i64::from(offset);
    Some(ParsedTime {
        nanoseconds: join(seconds, nanoseconds),
        offset,
    })
}

/// Seconds east of UTC in `timezone` at an instant.
fn offset_at(seconds: i64, timezone: Tz) -> Option<i32> {
    let utc = chrono::DateTime::from_timestamp(seconds, 0)?.naive_utc();
    Some(
        timezone
            .offset_from_utc_datetime(&utc)
            .fix()
            .local_minus_utc(),
    )
}

/// RFC 3339 to the second, as error texts print a time.
pub(crate) fn format_rfc3339(time: ParsedTime) -> String {
    let seconds = time.nanoseconds.div_euclid(1_000_000_000) + i128::from(time.offset);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let Some(wall) = chrono::DateTime::from_timestamp(seconds, 0) else {
        return seconds.to_string();
    };
    let wall = wall.format("%Y-%m-%dT%H:%M:%S");
    if time.offset == 0 {
        return format!("{wall}Z");
    }
    let sign = if time.offset < 0 { '-' } else { '+' };
    let minutes = time.offset.unsigned_abs() / 60;
    format!("{wall}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// `count` digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.rest = rest;
        Some(digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
    }

    fn date(&mut self) -> Option<NaiveDate> {
        let year = self.digits(4)?;
        self.expect(b'-')?;
        let month = self.digits(2)?;
        self.expect(b'-')?;
        let day = self.digits(2)?;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    }

    /// `[h]h:mm:ss[.fraction]` as seconds of the day and nanoseconds.
    fn clock(&mut self) -> Option<(i64, i64)> {
        let hour = match self.rest {
            [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => self.digits(2)?,
            _ => self.digits(1)?,
        };
        self.expect(b':')?;
        let minute = self.digits(2)?;
        self.expect(b':')?;
        let second = self.digits(2)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let nanoseconds = self.fraction();
        Some((i64::from(hour * 3600 + minute * 60 + second), nanoseconds))
    }

    /// Digits after a point or a comma; what is finer than a nanosecond is cut off.
    fn fraction(&mut self) -> i64 {
        let [b'.' | b',', digits @ ..] = self.rest else {
            return 0;
        };
        let count = digits.iter().take_while(|d| d.is_ascii_digit()).count();
        if count == 0 {
            return 0;
        }
        let value = digits[..count.min(9)]
            .iter()
            .fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        self.rest = &digits[count..];
        (count..9).fold(value, |n, _| n * 10)
    }

    /// `Z` or `±hh:mm`, as seconds east of UTC.
    fn zone(&mut self) -> Option<i32> {
        let sign = match self.next()? {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digits(2)?;
        self.expect(b':')?;
        let minutes = self.digits(2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        Some(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}
