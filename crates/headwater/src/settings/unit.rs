//! How values that are more than a number or a text are written in settings.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// Bytes: a number, or a text with a unit, `64MiB`.
pub(super) mod bytes {
    use super::*;

    /// The binary units first: `1024000` is 1000 KiB.
    const UNITS: [(&str, u64); 8] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
        ("B", 1),
    ];

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
        Other(de::IgnoredAny),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        value: &usize,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let value = *value as u64;
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| value >= *size && value.is_multiple_of(*size))
            .unwrap_or(("B", 1));
        serializer.serialize_str(&format!("{}{unit}", value / size))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<usize, D::Error> {
        let parsed = match Written::deserialize(deserializer)? {
            Written::Number(number) => Some(number),
            Written::Text(text) => parse(&text),
            Written::Other(_) => None,
        };
        parsed
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(|| de::Error::custom("expected a number of bytes, as 1048576 or \"1MiB\""))
    }

    fn parse(text: &str) -> Option<u64> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text[digits.len()..].trim();
        let size = if unit.is_empty() {
            1
        } else {
            UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                .1
        };
        digits.parse::<u64>().ok()?.checked_mul(size)
    }
}

/// InfluxQL's durations: `30s`, `1h`.
pub(super) mod duration {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*value))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| de::Error::custom("expected a duration, as \"30s\" or \"1h\""))
    }

    pub(super) fn format(value: Duration) -> String {
        let nanoseconds = i64::try_from(value.as_nanos()).unwrap_or(i64::MAX);
        headwater_influxql::format_duration(nanoseconds)
    }

    pub(super) fn parse(text: &str) -> Option<Duration> {
        let nanoseconds = headwater_influxql::parse_duration(text).ok()?;
        u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
    }
}

/// `always`, or the interval.
pub(super) mod fsync {
    use headwater_storage::Fsync;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Fsync,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Fsync::Always => serializer.serialize_str("always"),
            Fsync::Interval(interval) => serializer.serialize_str(&duration::format(*interval)),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Fsync, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "always" => Ok(Fsync::Always),
            text => duration::parse(text)
                .filter(|interval| !interval.is_zero())
                .map(Fsync::Interval)
                .ok_or_else(|| {
                    de::Error::custom("expected \"always\" or an interval, as \"100ms\"")
                }),
        }
    }
}

/// The status of an HTTP answer that says that the server cannot serve now.
pub(super) mod status {
    use axum::http::StatusCode;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        value: &StatusCode,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(value.as_u16())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?)
            .ok()
            .filter(StatusCode::is_server_error)
            .ok_or_else(|| de::Error::custom("expected a status from 500 to 599"))
    }
}
