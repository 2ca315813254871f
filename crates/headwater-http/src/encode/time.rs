//! Times of results: RFC 3339 with as many fractional digits as needed, in UTC or in the
//! statement's zone, or a count of units since 1970 (`spec/query.md` §4).

use chrono::{DateTime, Offset, TimeZone};
use headwater_model::Precision;

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// How the times of a result print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    Rfc3339,
    /// Units since 1970, rounded towards zero.
    Epoch(Precision),
}

/// Writes RFC 3339 times; keeps the last date, because rows of a result mostly share it.
pub(crate) struct Rfc3339 {
    timezone: Option<chrono_tz::Tz>,
    day: i64,
    date: [u8; 10],
}

impl Rfc3339 {
    /// UTC when `timezone` is `None`.
    pub(crate) fn new(timezone: Option<chrono_tz::Tz>) -> Self {
        Self {
            timezone,
            day: i64::MIN,
            date: [0; 10],
        }
    }

    /// Appends `nanoseconds` since 1970 without quotes.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, nanoseconds: i64) {
        let fraction = nanoseconds.rem_euclid(NANOSECONDS_PER_SECOND) as u32;
        let utc = nanoseconds.div_euclid(NANOSECONDS_PER_SECOND);
        let offset = self
            .timezone
            .map_or(0, |zone| offset_seconds(zone, utc, fraction));
        let local = utc + i64::from(offset);
        let day = local.div_euclid(SECONDS_PER_DAY);
        if day != self.day {
            self.date = date_text(day);
            self.day = day;
        }
        let second_of_day = local.rem_euclid(SECONDS_PER_DAY);
        // Date, clock, fraction and offset: at most 10 + 9 + 10 + 6 bytes.
        let mut text = [0; 35];
        text[..10].copy_from_slice(&self.date);
        for (at, mark, value) in [
            (10, b'T', second_of_day / 3600),
            (13, b':', second_of_day / 60 % 60),
            (16, b':', second_of_day % 60),
        ] {
            text[at] = mark;
            text[at + 1..at + 3].copy_from_slice(&two_digits(value));
        }
        let len = 19 + put_fraction(&mut text[19..], fraction);
        let len = len + put_offset(&mut text[len..], offset);
        out.extend_from_slice(&text[..len]);
    }
}

fn offset_seconds(zone: chrono_tz::Tz, seconds: i64, fraction: u32) -> i32 {
    DateTime::from_timestamp(seconds, fraction).map_or(0, |time| {
        zone.offset_from_utc_datetime(&time.naive_utc())
            .fix()
            .local_minus_utc()
    })
}

fn two_digits(value: i64) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// `YYYY-MM-DD` of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
fn date_text(day: i64) -> [u8; 10] {
    // Days are counted from 0000-03-01, so that the leap day ends a year.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let mut text = *b"0000-00-00";
    text[..2].copy_from_slice(&two_digits(year / 100));
    text[2..4].copy_from_slice(&two_digits(year));
    text[5..7].copy_from_slice(&two_digits(month));
    text[8..].copy_from_slice(&two_digits(day_of_month));
    text
}

/// Puts the fraction of a second without trailing zeros; gives its length.
fn put_fraction(text: &mut [u8], fraction: u32) -> usize {
    if fraction == 0 {
        return 0;
    }
    let (mut rest, mut digits) = (fraction, 9);
    while rest.is_multiple_of(10) {
        rest /= 10;
        digits -= 1;
    }
    text[0] = b'.';
    for digit in text[1..=digits].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits + 1
}

/// Puts `Z` or `+hh:mm`; gives its length.
fn put_offset(text: &mut [u8], offset: i32) -> usize {
    if offset == 0 {
        text[0] = b'Z';
        return 1;
    }
    let minutes = i64::from(offset.abs() / 60);
    text[0] = if offset < 0 { b'-' } else { b'+' };
    text[1..3].copy_from_slice(&two_digits(minutes / 60));
    text[3] = b':';
    text[4..6].copy_from_slice(&two_digits(minutes % 60));
    6
}

/// `nanoseconds` since 1970 in UTC, as management answers show times.
pub(crate) fn rfc3339(nanoseconds: i64) -> String {
    let mut out = Vec::with_capacity(30);
    Rfc3339::new(None).write(&mut out, nanoseconds);
    String::from_utf8(out).expect("digits and separators are ASCII")
}

#[cfg(test)]
mod tests;
