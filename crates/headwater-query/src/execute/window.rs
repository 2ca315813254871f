//! The windows of `GROUP BY time(…)` (`spec/influxql/fill_and_windows.md` §2, the 2.x algorithm).

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use headwater_model::{MAX_TIME, MIN_TIME, TimeRange};

use crate::plan::Window;

/// How time is cut into windows; with `every <= 0` one window covers the whole range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    /// Nanoseconds.
    pub(super) every: i64,
    pub(super) offset: i64,
    pub(super) timezone: Option<Tz>,
    pub(super) range: TimeRange,
}

impl Windows {
    pub(super) fn new(window: Window, timezone: Option<Tz>, range: TimeRange) -> Self {
        Self {
            every: window.every.max(0),
            offset: window.offset,
            timezone,
            range,
        }
    }

    pub(super) fn is_single(&self) -> bool {
        self.every == 0
    }

    /// Whether windows are equally long and a window's number is plain arithmetic.
    pub(super) fn is_regular(&self) -> bool {
        self.every > 0 && self.timezone.is_none()
    }

    /// Whether the hour that clocks repeat may be in two windows that overlap, so that a later
    /// time can be in an earlier window. Windows of whole hours hold all of that hour, and short
    /// ones are not shifted.
    pub(super) fn may_overlap(&self) -> bool {
        const HOUR: i64 = 3_600_000_000_000;
        let is_whole = self.every % HOUR == 0 && self.offset % HOUR == 0;
        self.timezone.is_some() && self.every > HOUR / 2 && !is_whole
    }

    /// The window `[start, end)` that `time` is in.
    pub(super) fn of(&self, time: i64) -> (i64, i64) {
        if self.every == 0 {
            return (self.range.start, self.range.end.saturating_add(1));
        }
        let t = time.wrapping_sub(self.offset);
        let zone = self.zone(t);
        let into = t.wrapping_add(zone).rem_euclid(self.every);
        let mut start = if MIN_TIME.saturating_add(into) >= t {
            MIN_TIME
        } else {
            t - into
        };
        start = start.saturating_add(self.offset);
        let rest = self.every - into;
        let mut end = if MAX_TIME - rest <= t {
            MAX_TIME
        } else {
            t + rest
        };
        end = end.saturating_add(self.offset);
        if self.timezone.is_some() {
            let shift = zone - self.zone(start);
            if shift != 0 && shift.abs() < self.every {
                start = start.saturating_add(shift);
            }
            let shift = zone - self.zone(end);
            let keeps = shift > 0 || self.zone(end.saturating_add(shift)) == self.zone(end);
            if shift != 0 && shift.abs() < self.every && keeps {
                end = end.saturating_add(shift);
            }
        }
        (start, end)
    }

    /// The start of the window that `time` is in.
    pub(super) fn start(&self, time: i64) -> i64 {
        self.of(time).0
    }

    /// The offset of the zone from UTC at an instant, in nanoseconds; 0 without a zone.
    pub(super) fn zone(&self, time: i64) -> i64 {
        let Some(zone) = self.timezone else { return 0 };
        let seconds = time.div_euclid(1_000_000_000);
        let Some(instant) = DateTime::from_timestamp(seconds, 0) else {
            return 0;
        };
        let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
        i64::from(offset.local_minus_utc()) * 1_000_000_000
    }
}

#[cfg(test)]
mod tests;
