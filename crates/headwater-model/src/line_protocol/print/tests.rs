//! What is printed reads as the same again.

use proptest::prelude::*;

use super::*;
use crate::{
    Precision,
    line_protocol::{
        FieldValue, ParsedBatch, parse, series_key, unescape_field_key, unescape_string,
    },
};

/// A point: its series, fields and time.
type Point = (SeriesKey, Vec<(String, Value)>, i64);

fn points(batch: &ParsedBatch<'_>) -> Vec<Point> {
    let value = |value: FieldValue<'_>| match value {
        FieldValue::Float(value) => Value::Float(value),
        FieldValue::Integer(value) => Value::Integer(value),
        FieldValue::Unsigned(value) => Value::Unsigned(value),
        FieldValue::Boolean(value) => Value::Boolean(value),
        FieldValue::String(raw, _) => Value::String(unescape_string(raw).into()),
    };
    let point = |point| {
        let fields = batch.fields_of(point).iter();
        let fields = fields.map(|f| (unescape_field_key(f.key).into_owned(), value(f.value)));
        (series_key(point.series), fields.collect(), point.time)
    };
    batch.points.iter().map(point).collect()
}

fn print((key, fields, time): &Point) -> Vec<u8> {
    let mut out = Vec::new();
    print_series(key, &mut out);
    for (at, (name, value)) in fields.iter().enumerate() {
        out.push(if at == 0 { b' ' } else { b',' });
        print_field_key(name, &mut out);
        out.push(b'=');
        print_value(value, &mut out);
    }
    out.extend_from_slice(format!(" {time}\n").as_bytes());
    if is_one_line(&out) {
        return out;
    }
    let field = |(name, value): &(String, Value)| {
        let mut text = Vec::new();
        print_field_key(name, &mut text);
        text.push(b'=');
        print_value(value, &mut text);
        text
    };
    let fields: Vec<Vec<u8>> = fields.iter().map(field).collect();
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    let text = || String::from_utf8_lossy(&out).into_owned();
    respell(key, &fields, *time).unwrap_or_else(|| panic!("no other spelling of {:?}", text()))
}

#[track_caller]
fn reads_again(line: &[u8]) {
    let Ok(batch) = parse(line, Precision::Nanosecond, 7) else {
        return;
    };
    for (key, fields, time) in points(&batch) {
        let point = (key.clone(), fields.clone(), time);
        let mut printed = print(&point);
        // What comes next must not change how it is read.
        printed.extend_from_slice(b"next v=\"a\" 1");
        let again = parse(&printed, Precision::Nanosecond, 0);
        let text = || String::from_utf8_lossy(&printed).into_owned();
        let again = again.unwrap_or_else(|error| panic!("{:?}: {error}", text()));
        let mut again = points(&again);
        let next = again.pop().unwrap();
        assert_eq!((next.0.as_str(), next.2), ("next", 1), "{:?}", text());
        let mut read = Vec::new();
        for (found, fields, found_time) in again {
            assert_eq!((&found, found_time), (&key, time), "{:?}", text());
            read.extend(fields);
        }
        assert_eq!(read, fields, "{:?}", text());
    }
}

#[test]
fn names_with_backslashes_and_quotes_read_again() {
    for line in [
        r"m\\=n\=o=p,t\\,=a\ b,u\ =\\=c v\,\ =1 -5",
        r#"m"a,t="x" v\"=1,w\\"=2 1"#,
        "m,b=\\\\,\\ ,a=\\\\  n=\"a\n\" 1",
        r#"m s="a\\",t="\"b\n",u="c=,d" 1"#,
        "m s=\"two\nlines\",t=\"\" 1",
        "m a=1,\tb=2 1",
        "m \t=1,a=2 1",
        r"\#m,\#t=\#v \#f=1 1",
    ] {
        let read = parse(line.as_bytes(), Precision::Nanosecond, 7);
        assert!(read.is_ok(), "{read:?}");
        reads_again(line.as_bytes());
    }
}

#[test]
fn all_orders_are_tried_once() {
    let found: Vec<Vec<usize>> = orders(3).collect();
    let expected = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    assert_eq!(found, expected);
    assert_eq!(orders(0).collect::<Vec<_>>(), [Vec::<usize>::new()]);
}

#[test]
fn values_keep_their_type_and_bits() {
    let print = |value: Value| {
        let mut out = Vec::new();
        print_value(&value, &mut out);
        String::from_utf8(out).unwrap()
    };
    for (value, expected) in [
        (Value::Float(1.0), "1.0"),
        (Value::Float(-0.0), "-0.0"),
        (Value::Float(5e-324), "5e-324"),
        (Value::Float(f64::MAX), "1.7976931348623157e308"),
        (Value::Integer(i64::MIN), "-9223372036854775808i"),
        (Value::Unsigned(u64::MAX), "18446744073709551615u"),
        (Value::Boolean(true), "true"),
        (Value::String("a\"\\\n".into()), "\"a\\\"\\\\\n\""),
    ] {
        assert_eq!(print(value), expected);
    }
}

proptest! {
    #[test]
    fn whatever_can_be_read_reads_again_as_printed(line in r##"[mt,= \\"#]{1,5}(,[a,= \\"]{1,4}=[b,= \\"#]{1,4}){0,2} [vw,= \\"\t]{1,5}=(1|-0|"[a,= \\"\n]{0,4}"|t|2i|3u)(,[xy= \\"]{1,4}="?[z,= \\"\n]{0,5}"?)?( -?[0-9]{1,18})?"##) {
        reads_again(line.as_bytes());
    }

    #[test]
    fn floats_keep_their_bits(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let point = (series_key(b"m"), vec![("v".to_owned(), Value::Float(value))], 1);
        let line = print(&point);
        let batch = parse(&line, Precision::Nanosecond, 0).unwrap();
        let FieldValue::Float(read) = batch.fields[0].value else { panic!("no float") };
        prop_assert_eq!(read.to_bits(), bits);
    }
}
