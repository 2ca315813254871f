//! Literals, by both readings.

use super::*;

/// What a whole literal is: by the exact reading, with the fast one agreeing where it answers.
fn check(text: &str, expected: Result<FieldValue<'_>, Reason>) {
    assert_eq!(number(text.as_bytes()), expected, "{text}");
    if let Some((value, len)) = plain(text.as_bytes()) {
        assert_eq!((Ok(value), len), (expected, text.len()), "{text}, fast");
    }
}

#[test]
fn numbers_without_a_suffix_are_floats() {
    let cases = [
        ("0", 0.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("-0", -0.0),
        ("1e5", 1e5),
        ("1.5E+3", 1500.0),
        ("25e-1", 2.5),
        ("1e-400", 0.0),
        ("-1e-400", -0.0),
        ("999999999999999", 999_999_999_999_999.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ("0.1", 0.1),
        ("1.7976931348623157e308", f64::MAX),
    ];
    for (text, float) in cases {
        check(text, Ok(FieldValue::Float(float)));
        let Ok(FieldValue::Float(read)) = number(text.as_bytes()) else {
            panic!("{text}")
        };
        assert_eq!(read.to_bits(), float.to_bits(), "{text}");
    }
}

#[test]
fn a_suffix_makes_integers_and_unsigned_integers() {
    check("12i", Ok(FieldValue::Integer(12)));
    check("-12i", Ok(FieldValue::Integer(-12)));
    check("-0i", Ok(FieldValue::Integer(0)));
    check(
        "123456789012345678i",
        Ok(FieldValue::Integer(123_456_789_012_345_678)),
    );
    check("9223372036854775807i", Ok(FieldValue::Integer(i64::MAX)));
    check("-9223372036854775808i", Ok(FieldValue::Integer(i64::MIN)));
    check("00000000000000000000000007i", Ok(FieldValue::Integer(7)));
    check("18446744073709551615u", Ok(FieldValue::Unsigned(u64::MAX)));
    check("0u", Ok(FieldValue::Unsigned(0)));
}

#[test]
fn integers_out_of_range_are_quoted_in_the_error() {
    let reason = number(b"-9223372036854775809i").unwrap_err();
    assert_eq!(
        reason.to_string(),
        "unable to parse integer -9223372036854775809: strconv.ParseInt: parsing \
         \"-9223372036854775809\": value out of range"
    );
    let reason = number(b"18446744073709551616u").unwrap_err();
    assert_eq!(
        reason.to_string(),
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \
         \"18446744073709551616\": value out of range"
    );
}

#[test]
fn malformed_numbers_are_invalid() {
    let cases = [
        "-", ".", "-.", "-i", ".i", "-u", "1-1", "0x10", "1_000", "--1", "-+1", "1f", "1iu", "1ui",
        "1ii", "9i10", "1.0i", "1e3i", "1.1.1", "-1u", "1u1", "NaN", "nan", "-inf", "42+3", "1+",
    ];
    for text in cases {
        check(text, Err(Reason::InvalidNumber));
    }
}

#[test]
fn exponents_without_digits_and_floats_out_of_range_are_invalid_floats() {
    let long = "1".repeat(400);
    for text in [
        "1e", "1e+", "1ee1", "-e1", ".e1", "1e1.5", "1e400", "-1e400", &long,
    ] {
        check(text, Err(Reason::InvalidFloat));
    }
}

#[test]
fn booleans_have_ten_spellings() {
    for text in ["t", "T", "true", "True", "TRUE"] {
        assert_eq!(
            plain(text.as_bytes()),
            Some((FieldValue::Boolean(true), text.len()))
        );
    }
    for text in ["f", "F", "false", "False", "FALSE"] {
        assert_eq!(
            plain(text.as_bytes()),
            Some((FieldValue::Boolean(false), text.len()))
        );
    }
    for text in ["tRUE", "yes", "tru", "trueish", "Inf", "+1", ""] {
        assert_eq!(boolean(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn digits_are_read_up_to_the_first_other_byte() {
    for (text, expected) in [
        ("", (0, 0)),
        ("x", (0, 0)),
        ("12345678", (12_345_678, 8)),
        ("1234567:", (1_234_567, 7)),
        ("1234567/", (1_234_567, 7)),
        ("00000000000000019 ", (19, 17)),
        ("1451606400000000000\n", (1_451_606_400_000_000_000, 19)),
    ] {
        assert_eq!(leading_digits(text.as_bytes()), expected, "{text}");
    }
}
