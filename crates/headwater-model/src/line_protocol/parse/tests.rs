//! Whole lines: what they hold, what is wrong with them, and that both readings agree.

use proptest::prelude::*;

use super::*;
use crate::line_protocol::{series_key, unescape_field_key, unescape_string};

const NOW: i64 = 1_234_567_890_123_456_789;

/// A readable form of a batch: series, fields, time.
fn describe(batch: &ParsedBatch<'_>) -> Vec<String> {
    let describe = |point: &ParsedPoint<'_>| {
        let mut text = series_key(point.series).as_str().to_owned();
        for field in batch.fields_of(point) {
            let value = match field.value {
                FieldValue::String(raw, _) => format!("{:?}", unescape_string(raw)),
                FieldValue::Float(value) => format!("{value:?}"),
                FieldValue::Integer(value) => format!("{value}i"),
                FieldValue::Unsigned(value) => format!("{value}u"),
                FieldValue::Boolean(value) => format!("{value}"),
            };
            text += &format!(" {}={value}", unescape_field_key(field.key));
        }
        if point.time == NOW {
            text
        } else {
            text + &format!(" {}", point.time)
        }
    };
    batch.points.iter().map(describe).collect()
}

fn accepts(body: &str, expected: &[&str]) {
    match parse(body.as_bytes(), Precision::Nanosecond, NOW) {
        Ok(batch) => assert_eq!(describe(&batch), expected, "{body}"),
        Err(errors) => panic!("{body}: {errors}"),
    }
}

fn rejects(line: &str, reason: &str) {
    let errors = parse(line.as_bytes(), Precision::Nanosecond, NOW).unwrap_err();
    assert_eq!(
        errors.to_string(),
        format!("unable to parse '{line}': {reason}")
    );
}

/// Every line by the exact reading alone.
fn parse_exactly(body: &[u8], precision: Precision) -> Result<ParsedBatch<'_>, String> {
    let mut batch = ParsedBatch::default();
    let mut errors = Vec::new();
    let mut start = 0;
    while start < body.len() {
        let end = scan::line_end(body, start);
        let blanks = body[start..end]
            .iter()
            .take_while(|byte| scan::is_blank(**byte))
            .count();
        let line = &body[start + blanks..end];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if !line.is_empty() && line[0] != b'#' {
            match scan::point(line, &mut batch.fields, precision, NOW) {
                Ok(point) => batch.points.push(point),
                Err(reason) => {
                    let line = String::from_utf8_lossy(line);
                    errors.push(format!("unable to parse '{line}': {reason}"));
                }
            }
        }
        start = end + 1;
    }
    if errors.is_empty() {
        Ok(batch)
    } else {
        Err(errors.join("\n"))
    }
}

#[test]
fn a_line_has_a_series_fields_and_a_time() {
    accepts(
        "cpu,host=a,region=eu usage=1.5,n=2i,u=3u,ok=t,s=\"x y\" 1451606400000000000\n",
        &["cpu,host=a,region=eu usage=1.5 n=2i u=3u ok=true s=\"x y\" 1451606400000000000"],
    );
    accepts("m v=1", &["m v=1.0"]);
    accepts("m v=1 -5", &["m v=1.0 -5"]);
    accepts("m  \t v=1 \t\0 7  ", &["m v=1.0 7"]);
    accepts("m v=true \t", &["m v=true"]);
}

#[test]
fn the_parts_of_a_point_are_the_bytes_as_written() {
    let body = b"  my\\ m,b=1,a=2 f\\ 1=\"a\\\"\" 5\nx y=1";
    let batch = parse(body, Precision::Nanosecond, NOW).unwrap();
    let point = &batch.points[0];
    assert_eq!(point.line, b"my\\ m,b=1,a=2 f\\ 1=\"a\\\"\" 5");
    assert_eq!(point.series, b"my\\ m,b=1,a=2");
    assert_eq!(&point.series[..point.measurement_len], b"my\\ m");
    assert_eq!(batch.fields[0].key, b"f\\ 1");
    assert_eq!(batch.fields[0].value, FieldValue::String(b"a\\\"", true));
    assert_eq!(batch.points[1].fields, 1..2);
}

#[test]
fn blank_lines_and_comments_are_no_points() {
    accepts("", &[]);
    accepts(" \t\0\n\n# a comment\n \t# another", &[]);
    accepts("# x\nm v=1\n\n#\nm v=2\n", &["m v=1.0", "m v=2.0"]);
    rejects("m v=1 1 #c", "point is invalid");
}

#[test]
fn newlines_in_quoted_field_values_do_not_end_the_line() {
    accepts(
        "m a=\"1\n2\",b=\"x\" 3\nm a=\"\" 4",
        &["m a=\"1\\n2\" b=\"x\" 3", "m a=\"\" 4"],
    );
    accepts(
        "m,t=\"a v=1\nm,t=b\" v=2",
        &["m,t=\"a v=1.0", "m,t=b\" v=2.0"],
    );
}

#[test]
fn an_open_quote_runs_to_the_end_without_the_last_newline() {
    let errors = parse(b"m v=\"a\nm v=1\n", Precision::Nanosecond, NOW).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "unable to parse 'm v=\"a\nm v=1': unbalanced quotes"
    );
}

#[test]
fn escapes_protect_separators() {
    accepts(
        r#"my\ m\,x,t\=1=a\ b,u=c\, f\ 1=1,f\=2=2,f\,3=3"#,
        &[r#"my\ m\,x,t\=1=a\ b,u=c\, f 1=1.0 f=2=2.0 f,3=3.0"#],
    );
    rejects(r"m,t=a\\ v=1", "invalid tag format");
    accepts("m,t=\"a\\ b\" v=1", &["m,t=\"a\\ b\" v=1.0"]);
}

#[test]
fn text_after_a_closing_quote_is_kept_but_for_its_last_byte() {
    accepts("m v=\"a\"b", &["m v=\"a\\\"\""]);
    accepts("m v=\"a\"\u{e9}", &["m v=\"a\\\"\u{fffd}\""]);
}

#[test]
fn missing_parts_are_named() {
    for line in ["m", "=", "\\", "m,t=a", "m,t=a,v=1", "cpu,host=="] {
        rejects(line, "missing fields");
    }
    for line in [
        "m ",
        "m,t=a ",
        "m v",
        "m v=1,",
        "m v=1,,w=2",
        "m v=1, w=2",
        "m v=1,000",
    ] {
        rejects(line, "invalid field format");
    }
    for line in ["m v=", "m v=,w=1", "m v= 1"] {
        rejects(line, "missing field value");
    }
    for line in ["m =1", "m v=1,=2"] {
        rejects(line, "missing field key");
    }
    for line in ["m, v=1", "m,=a v=1", "m,,"] {
        rejects(line, "missing tag key");
    }
    for line in ["m,t v=1", "m,t= v=1", "m,t", "m,t,"] {
        rejects(line, "missing tag value");
    }
    for line in [",t=a v=1", ", v=1", ","] {
        rejects(line, "missing measurement");
    }
    rejects("m,t=a=b v=1", "invalid tag format");
    rejects("m v=\"a", "unbalanced quotes");
    rejects("m f=\"b\"=1,r 15", "invalid value: field-key=r");
    rejects(r"m f\\=1", r"invalid value: field-key=f\\=1");
}

#[test]
fn tag_keys_are_unique_and_not_reserved() {
    rejects("m,t=a,t=b v=1", "duplicate tags");
    rejects("m,b=2,c=3,b=1 v=1", "duplicate tags");
    rejects("m,time=a v=1", "cannot use reserved tag key \"time\"");
    rejects(
        "m,a=1,_field=a v=1",
        "cannot use reserved tag key \"_field\"",
    );
    rejects(
        "m,_measurement=a v=1",
        "cannot use reserved tag key \"_measurement\"",
    );
    rejects("m,\0=a v=1", "cannot use reserved tag key \"\\x00\"");
    accepts("m,_x=1 _y=2", &["m,_x=1 _y=2.0"]);
    accepts("m,v=1 v=1,time=2", &["m,v=1 v=1.0 time=2.0"]);
}

#[test]
fn tag_keys_are_checked_again_when_they_differ_from_the_line_before() {
    let body = "m,a=1,b=2 v=1\nm,a=1 v=1\nm,a=1,b=2,a=3 v=1\nm,b=1,b=2 v=1";
    let errors = parse(body.as_bytes(), Precision::Nanosecond, NOW).unwrap_err();
    let lines: Vec<_> = errors
        .lines()
        .iter()
        .map(|error| error.line.as_str())
        .collect();
    assert_eq!(lines, ["m,a=1,b=2,a=3 v=1", "m,b=1,b=2 v=1"]);
}

#[test]
fn keys_have_a_longest_length_alone_and_with_each_field_key() {
    let series = format!("m,t={}", "a".repeat(KEY_BYTES_MAX - 4));
    rejects(
        &format!("{series}a v=1"),
        "max key length exceeded: 65536 > 65535",
    );
    rejects(
        &format!("{series} v=1"),
        "max key length exceeded: 65540 > 65535",
    );
    let series = &series[..series.len() - 5];
    let line = format!("{series} v=1");
    assert_eq!(
        parse(line.as_bytes(), Precision::Nanosecond, 0)
            .unwrap()
            .points
            .len(),
        1
    );
    rejects(
        &format!("{series} vw=1"),
        "max key length exceeded: 65536 > 65535",
    );
}

#[test]
fn timestamps_are_integers_in_range() {
    for line in [
        "m v=1 1.5",
        "m v=1 w=2",
        "m v=1 --1",
        "m v=1 +1",
        "m v=1 1e3",
        "m v=1 1\r",
    ] {
        rejects(line, "bad timestamp");
    }
    rejects("m v=1 1 2", "point is invalid");
    rejects("m v=1 -", "strconv.ParseInt: parsing \"-\": invalid syntax");
    rejects(
        "m v=1 99999999999999999999",
        "strconv.ParseInt: parsing \"99999999999999999999\": value out of range",
    );
    let outside = "time outside range -9223372036854775806 - 9223372036854775806";
    rejects("m v=1 9223372036854775807", outside);
    rejects("m v=1 -9223372036854775807", outside);
    accepts(
        "m v=1 9223372036854775806",
        &["m v=1.0 9223372036854775806"],
    );
    accepts(
        "m v=1 -9223372036854775806",
        &["m v=1.0 -9223372036854775806"],
    );
}

#[test]
fn precision_scales_timestamps_and_leaves_the_default_time() {
    let cases = [
        (Precision::Microsecond, 1_000),
        (Precision::Millisecond, 1_000_000),
        (Precision::Second, 1_000_000_000),
        (Precision::Minute, 60_000_000_000),
        (Precision::Hour, 3_600_000_000_000),
    ];
    for (precision, unit) in cases {
        let batch = parse(b"m v=1 7\nm v=1", precision, NOW).unwrap();
        assert_eq!(
            [batch.points[0].time, batch.points[1].time],
            [7 * unit, NOW]
        );
        let errors = parse(b"m v=1 9223372036854775806", precision, NOW).unwrap_err();
        assert_eq!(errors.lines()[0].reason, Reason::TimeOutsideRange);
    }
}

#[test]
fn every_bad_line_is_reported_in_order() {
    let errors = parse(b"m v=1\nm\nm v=2\nn v=x", Precision::Nanosecond, NOW).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "unable to parse 'm': missing fields\nunable to parse 'n v=x': invalid boolean"
    );
}

#[test]
fn lines_that_are_not_utf8_are_errors_and_their_neighbours_are_not() {
    let errors = parse(
        b"m v=1\nm v=\"\xff\"\n# \xff\nm v=\"\xc3\xa9\"",
        Precision::Nanosecond,
        0,
    )
    .unwrap_err();
    assert_eq!(
        errors.to_string(),
        "unable to parse 'm v=\"\u{fffd}\"': invalid UTF-8 sequence"
    );
}

/// Bytes that make lines interesting.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => proptest::sample::select(vec![
            "m", "t", "v", "1", "2i", "3u", "-", ".", "e", "+", "true", "f", ",", ",", "=", "=",
            "=", " ", " ", " ", "\n", "\n", "\"", "\"", "\\", "\t", "\0", "#", "\u{e9}", "time",
            "m,t=a v=1 5\n", " v=\"", "9223372036854775807", "00000000",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1),
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_fast_path_agrees_with_the_exact_reading(body in any_body()) {
        let precision = Precision::Second;
        let text = String::from_utf8_lossy(&body).into_owned();
        let fast = parse(text.as_bytes(), precision, NOW).map_err(|errors| errors.to_string());
        prop_assert_eq!(fast, parse_exactly(text.as_bytes(), precision));
    }

    #[test]
    fn no_bytes_panic(body in any_body()) {
        if let Ok(batch) = parse(&body, Precision::Hour, NOW) {
            describe(&batch);
        }
    }
}
