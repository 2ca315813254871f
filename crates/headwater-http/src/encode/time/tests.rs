use super::*;

#[track_caller]
fn check(nanoseconds: i64, expected: &str) {
    assert_eq!(rfc3339(nanoseconds), expected);
}

#[test]
fn fractions_lose_their_trailing_zeros() {
    check(0, "1970-01-01T00:00:00Z");
    check(1_577_836_800_000_000_001, "2020-01-01T00:00:00.000000001Z");
    check(1_577_836_800_100_000_000, "2020-01-01T00:00:00.1Z");
    check(1_577_836_800_123_456_000, "2020-01-01T00:00:00.123456Z");
    check(-1, "1969-12-31T23:59:59.999999999Z");
    check(-1_500_000_000, "1969-12-31T23:59:58.5Z");
}

#[test]
fn dates_agree_with_chrono_over_the_whole_range() {
    let mut time = i64::MIN;
    let mut writer = Rfc3339::new(None);
    while let Some(next) = time.checked_add(86_399_123_456_789 * 37) {
        time = next;
        let mut out = Vec::new();
        writer.write(&mut out, time);
        let expected = DateTime::from_timestamp_nanos(time)
            .format("%Y-%m-%dT%H:%M:%S")
            .to_string();
        assert!(
            String::from_utf8(out).unwrap().starts_with(&expected),
            "{expected}"
        );
    }
}

#[test]
fn zones_print_their_offset_of_that_moment() {
    let mut out = Vec::new();
    let mut writer = Rfc3339::new(Some(chrono_tz::America::New_York));
    writer.write(&mut out, 1_577_836_800_000_000_000);
    out.push(b' ');
    writer.write(&mut out, 1_593_561_600_000_000_000);
    assert_eq!(out, b"2019-12-31T19:00:00-05:00 2020-06-30T20:00:00-04:00");
    let mut out = Vec::new();
    Rfc3339::new(Some(chrono_tz::Asia::Kolkata)).write(&mut out, 0);
    assert_eq!(out, b"1970-01-01T05:30:00+05:30");
}
