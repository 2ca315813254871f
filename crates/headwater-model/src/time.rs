//! Timestamps are `i64` nanoseconds since 1970-01-01T00:00:00Z.

/// The earliest timestamp a point may have (`spec/line_protocol.md` §2.3).
pub const MIN_TIME: i64 = i64::MIN + 2;
/// The latest timestamp a point may have.
pub const MAX_TIME: i64 = i64::MAX - 1;

/// Closed interval of timestamps; empty when `start > end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    pub start: i64,
    pub end: i64,
}

impl TimeRange {
    /// Every timestamp a point may have.
    pub const ALL: Self = Self {
        start: MIN_TIME,
        end: MAX_TIME,
    };

    pub fn new(start: i64, end: i64) -> Self {
        Self { start, end }
    }

    pub fn is_empty(self) -> bool {
        self.start > self.end
    }

    pub fn contains(self, time: i64) -> bool {
        self.start <= time && time <= self.end
    }

    /// Whether every timestamp of `other` is in this range.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    pub fn intersect(self, other: Self) -> Self {
        Self {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        }
    }
}

/// The unit of written timestamps and of `epoch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    #[default]
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
}

impl Precision {
    /// Nanoseconds in one unit.
    pub fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Hour => 3_600_000_000_000,
        }
    }

    /// `n ns u us µ μ ms s m h` (`spec/decisions.md` 7); `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "n" | "ns" => Self::Nanosecond,
            "u" | "us" | "\u{b5}" | "\u{3bc}" | "\u{b5}s" | "\u{3bc}s" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            "m" => Self::Minute,
            "h" => Self::Hour,
            _ => return None,
        })
    }
}
