//! Tests of bound parameters: JSON to tokens.

use super::{Params, ParamsError};
use crate::keywords::Keyword;
use crate::lexer::Token;

/// The token that `$p` becomes when its JSON is `value`.
fn bound(value: &str) -> (Token, String) {
    let params = Params::from_json(&format!("{{\"p\": {value}}}")).unwrap();
    let bound = params.get("p").unwrap().clone();
    (bound.token, bound.text)
}

fn check(value: &str, token: Token, text: &str) {
    assert_eq!(bound(value), (token, text.to_owned()), "{value}");
}

fn check_error(text: &str, expected: &str) {
    let error: ParamsError = Params::from_json(text).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text:?}");
}

#[test]
fn plain_values_become_literals() {
    check("7", Token::Integer, "7");
    check("-7", Token::Integer, "-7");
    check("7.50", Token::Number, "7.5");
    check("\"a\\u00e9\\ud83d\\ude00\\n\"", Token::String, "aé😀\n");
    check("true", Token::Keyword(Keyword::True), "");
}

#[test]
fn objects_name_the_kind_of_literal() {
    check(r#"{"ident": "select"}"#, Token::Ident, "select");
    check(r#"{"identifier": "a b"}"#, Token::Ident, "a b");
    check(r#"{"regex": "^a/b"}"#, Token::Regex, "^a/b");
    check(r#"{"string": "x"}"#, Token::String, "x");
    check(r#"{"float": 2}"#, Token::Number, "2");
    check(r#"{"number": 2.5}"#, Token::Number, "2.5");
    check(r#"{"int": 3}"#, Token::Integer, "3");
    check(r#"{"duration": "1h"}"#, Token::Duration, "1h");
    check(r#"{"duration": 1500000}"#, Token::Duration, "1500u");
}

#[test]
fn what_cannot_be_bound_keeps_its_message() {
    let cases = [
        ("null", "unable to bind parameter with type <nil>"),
        (
            "[1, {\"a\": []}]",
            "unable to bind parameter with type []interface {}",
        ),
        (
            "{}",
            "bound object parameter value must have exactly one entry",
        ),
        (
            r#"{"int": 1, "string": "a"}"#,
            "bound object parameter value must have exactly one entry",
        ),
        (r#"{"ident": 1}"#, "identifier must be a string value"),
        (r#"{"regex": null}"#, "regex literal must be a string value"),
        (r#"{"string": 1}"#, "string literal must be a string value"),
        (r#"{"float": "1"}"#, "number literal must be a float value"),
        (
            r#"{"integer": 1.5}"#,
            "integer literal must be an integer value",
        ),
        (
            r#"{"duration": true}"#,
            "duration literal must be a string or integer value",
        ),
        (r#"{"time": 1}"#, "unknown bind object type: time"),
    ];
    for (value, message) in cases {
        check(value, Token::BoundParam, message);
    }
}

#[test]
fn numbers_that_fit_no_literal_are_refused() {
    check_error(
        r#"{"a": 1E3}"#,
        r#"error parsing json value: strconv.ParseInt: parsing "1E3": invalid syntax"#,
    );
    check_error(
        r#"{"a": 9223372036854775808}"#,
        r#"error parsing json value: strconv.ParseInt: parsing "9223372036854775808": value out of range"#,
    );
    check_error(
        r#"{"a": 1.5e999}"#,
        r#"error parsing json value: strconv.ParseFloat: parsing "1.5e999": value out of range"#,
    );
}

#[test]
fn json_errors_are_worded_as_the_reference_words_them() {
    let cases = [
        (" ", "EOF"),
        ("{", "unexpected EOF"),
        (r#"{"a":"#, "unexpected EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        (
            "{a",
            "invalid character 'a' looking for beginning of object key string",
        ),
        (r#"{"a" 1"#, "invalid character '1' after object key"),
        (
            r#"{"a":1 2"#,
            "invalid character '2' after object key:value pair",
        ),
        (r#"{"a":[1 2"#, "invalid character '2' after array element"),
        (
            r#"{"a":tru}"#,
            "invalid character '}' in literal true (expecting 'e')",
        ),
        (
            r#"{"a":1.}"#,
            "invalid character '}' after decimal point in numeric literal",
        ),
        (r#"{"a":"\x"#, "invalid character 'x' in string escape code"),
        ("{\"a\":\"\n", "invalid character '\\n' in string literal"),
        (
            "[1]",
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            "\"a\"",
            "json: cannot unmarshal string into Go value of type map[string]interface {}",
        ),
        (
            "true",
            "json: cannot unmarshal bool into Go value of type map[string]interface {}",
        ),
    ];
    for (text, message) in cases {
        check_error(text, &format!("error parsing query parameters: {message}"));
    }
}

#[test]
fn null_is_empty_and_trailing_text_is_ignored() {
    assert!(Params::from_json("null").unwrap().is_empty());
    assert!(Params::from_json("{} x").unwrap().is_empty());
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("{{\"a\": {}", "[".repeat(100_000));
    check_error(&text, "error parsing query parameters: exceeded max depth");
}

#[test]
fn the_last_of_equal_names_counts() {
    assert_eq!(bound("1, \"p\": 2"), (Token::Integer, "2".to_owned()));
}
