use chrono_tz::Tz;

use super::*;

fn seconds(text: &str, timezone: Tz) -> Option<i128> {
    assert!(looks_like_time(text), "{text}");
    parse_time(text, timezone).map(|time| time.nanoseconds / 1_000_000_000)
}

#[test]
fn dates_and_times_are_read_in_the_zone() {
    assert_eq!(seconds("2000-01-31", Tz::UTC), Some(949_276_800));
    assert_eq!(seconds("2000-01-31 05:06:07", Tz::UTC), Some(949_295_167));
    assert_eq!(seconds("2000-01-31 5:06:07", Tz::UTC), Some(949_295_167));
    assert_eq!(
        seconds("2000-01-31T05:06:07Z", Tz::America__Los_Angeles),
        Some(949_295_167)
    );
    assert_eq!(
        seconds("2000-01-31T05:06:07+01:00", Tz::UTC),
        Some(949_291_567)
    );
    assert_eq!(
        seconds("2000-01-31", Tz::America__Los_Angeles),
        Some(949_305_600)
    );
    let fraction = parse_time("1970-01-01 00:00:00.0123456789", Tz::UTC).map(|t| t.nanoseconds);
    assert_eq!(fraction, Some(12_345_678));
}

#[test]
fn a_reading_the_clock_skips_or_repeats_takes_one_of_both_offsets() {
    let zone = Tz::America__Los_Angeles;
    // 02:30 does not exist on 2000-04-02; 01:30 is twice on 2000-10-29.
    assert_eq!(seconds("2000-04-02 02:30:00", zone), Some(954_667_800));
    assert_eq!(seconds("2000-10-29 01:30:00", zone), Some(972_808_200));
}

#[test]
fn malformed_strings_are_refused() {
    for text in [
        "1970-13-01",
        "1970-02-30",
        "1970-01-01 00:00",
        "1970-01-01 00:00:05.",
        "1970-01-01 ",
        "1970-01-01 00:00:05Z",
        "1970-01-01T00:00:10",
        "1970-01-01T00:00:10z",
        "1970-01-01 24:00:00",
    ] {
        assert_eq!(seconds(text, Tz::UTC), None, "{text}");
    }
    for text in ["1970-1-1", "foo", "", "1970-01-0"] {
        assert!(!looks_like_time(text), "{text}");
    }
}

#[test]
fn times_print_in_their_zone() {
    let print = |text, zone| format_rfc3339(parse_time(text, zone).expect("valid"));
    assert_eq!(print("2500-01-01", Tz::UTC), "2500-01-01T00:00:00Z");
    assert_eq!(
        print("1600-01-01T00:00:00-07:00", Tz::UTC),
        "1600-01-01T00:00:00-07:00"
    );
}
