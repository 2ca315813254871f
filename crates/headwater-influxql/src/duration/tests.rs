//! Tests of durations.

use super::{format_clock_duration, format_duration, parse_duration};

fn check(text: &str, expected: Result<i64, &str>) {
    let got = parse_duration(text).map_err(|error| error.to_string());
    assert_eq!(got, expected.map_err(str::to_owned), "{text}");
}

#[test]
fn units_add_up_in_any_order() {
    check("7ns", Ok(7));
    check("7u", Ok(7_000));
    check("7µ", Ok(7_000));
    check("7ms", Ok(7_000_000));
    check("1h30m", Ok(5_400_000_000_000));
    check("0w0d0h0m20s500ms", Ok(20_500_000_000));
    check("1s1s", Ok(2_000_000_000));
    check("-1m5s", Ok(-65_000_000_000));
    check("106751d", Ok(106_751 * 86_400_000_000_000));
}

#[test]
fn other_texts_are_invalid() {
    for text in [
        "",
        "5",
        "500",
        "s",
        "10x",
        "10n",
        "10us1",
        "1.5s",
        "1S",
        "99999999999999999999s",
        "-",
        "--1s",
    ] {
        check(text, Err("invalid duration"));
    }
}

#[test]
fn a_sum_that_wraps_names_the_last_part() {
    check(
        "106752d",
        Err("overflowed duration 106752d: choose a smaller duration or INF"),
    );
    check(
        "1h106752d",
        Err("overflowed duration 106752d: choose a smaller duration or INF"),
    );
}

#[test]
fn the_largest_dividing_unit_is_printed() {
    let cases = [
        (0, "0s"),
        (5_400_000_000_000, "90m"),
        (14 * 86_400_000_000_000, "2w"),
        (1_500_000, "1500u"),
        (1, "1ns"),
        (-1_000_000_000, "-1s"),
    ];
    for (nanoseconds, text) in cases {
        assert_eq!(format_duration(nanoseconds), text);
    }
}

#[test]
fn clock_form_keeps_zero_minutes_and_seconds() {
    let cases = [
        (0, "0s"),
        (168 * 3_600_000_000_000, "168h0m0s"),
        (1_800_000_000_000, "30m0s"),
        (1_500_000_000, "1.5s"),
        (61_000_000_001, "1m1.000000001s"),
        (2_500, "2.5µs"),
        (30_000_000, "30ms"),
        (-3_600_000_000_000, "-1h0m0s"),
    ];
    for (nanoseconds, text) in cases {
        assert_eq!(format_clock_duration(nanoseconds), text);
    }
}
