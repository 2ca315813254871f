//! Tests of printing: what quoting and the forms that only folding makes look like.

use super::{quote_ident, quote_idents, quote_string};
use crate::{ast::Expr, parse_expr};

#[test]
fn names_are_quoted_only_where_they_need_it() {
    let cases = [
        ("usage_idle", "usage_idle"),
        ("_x1", "_x1"),
        ("", r#""""#),
        ("1x", r#""1x""#),
        ("Select", r#""Select""#),
        ("a.b", r#""a.b""#),
        ("é", r#""é""#),
        ("a\"b\\c\nd'", r#""a\"b\\c\nd'""#),
    ];
    for (name, expected) in cases {
        assert_eq!(quote_ident(name), expected);
    }
}

#[test]
fn strings_escape_their_own_quote() {
    assert_eq!(quote_string("it's \"x\"\n\\"), r#"'it\'s "x"\n\\'"#);
}

#[test]
fn segments_are_quoted_but_for_the_last_and_empty_ones_between() {
    let names = ["a", "", "c", "d"].map(str::to_owned);
    assert_eq!(quote_idents(&names), r#""a".."c".d"#);
}

#[test]
fn numbers_always_have_a_point() {
    for (value, expected) in [
        (2.0, "2.0"),
        (-0.5, "-0.5"),
        (1e21, "1000000000000000000000.0"),
    ] {
        assert_eq!(Expr::Number(value).to_string(), expected);
    }
}

#[test]
fn times_are_printed_without_trailing_zeros() {
    let cases = [
        (0, "'1970-01-01T00:00:00Z'"),
        (1_500_000_000, "'1970-01-01T00:00:01.5Z'"),
        (-1, "'1969-12-31T23:59:59.999999999Z'"),
        (i64::MIN, "'1677-09-21T00:12:43.145224192Z'"),
    ];
    for (nanoseconds, expected) in cases {
        assert_eq!(Expr::Time(nanoseconds).to_string(), expected);
    }
}

#[test]
fn lists_and_nil_have_a_form() {
    let list = Expr::List(vec!["a".to_owned(), "b c".to_owned()]);
    assert_eq!(list.to_string(), r#"(a, "b c")"#);
    assert_eq!(Expr::Nil.to_string(), "nil");
}

#[test]
fn a_signed_name_keeps_its_place_behind_a_product() {
    let cases = [
        ("a / -b", "a / -b"),
        ("a % +f(b) * -(c)", "a % +f(b) * -(c)"),
        ("-a / b - -c", "-1 * a / b - -1 * c"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_expr(text).unwrap().to_string(), expected);
    }
}

#[test]
fn names_of_functions_are_quoted_where_they_need_it() {
    for text in [
        r#""a b"(x)"#,
        r#""select"(x)"#,
        "distinct(x)",
        r#"DISTINCT "a b""#,
    ] {
        assert_eq!(parse_expr(text).unwrap().to_string(), text);
    }
}
