//! Tests of regular expressions: RE2's errors and meanings.

use crate::ast::Regex;

fn check_error(pattern: &str, expected: &str) {
    let error = Regex::new(pattern).unwrap_err();
    assert_eq!(
        error,
        format!("error parsing regexp: {expected}"),
        "{pattern}"
    );
}

fn check_match(pattern: &str, matching: &[&str], others: &[&str]) {
    let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for text in matching {
        assert!(regex.is_match(text), "{pattern} does not match {text:?}");
    }
    for text in others {
        assert!(!regex.is_match(text), "{pattern} matches {text:?}");
    }
}

#[test]
fn errors_name_the_part_that_is_wrong() {
    let cases = [
        ("a[b", "missing closing ]: `[b`"),
        ("[", "missing closing ]: `[`"),
        ("[]", "missing closing ]: `[]`"),
        ("x(y", "missing closing ): `x(y`"),
        ("x)y", "unexpected ): `x)y`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("(+?)", "missing argument to repetition operator: `+?`"),
        ("a|{2}", "missing argument to repetition operator: `{2}`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a+?{2,3}", "invalid nested repetition operator: `+?{2,3}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("a{99999999999}", "invalid repeat count: `{99999999999}`"),
        ("(?:a{100}){100}", "invalid repeat count: `{100}`"),
        (r"\q", r"invalid escape sequence: `\q`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\xg1", r"invalid escape sequence: `\xg1`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
        (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
        (r"\p{L", r"invalid character class range: `\p{L`"),
        ("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
        ("(?P<a", "invalid named capture: `(?P<a`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
    ];
    for (pattern, expected) in cases {
        check_error(pattern, expected);
    }
}

#[test]
fn perl_classes_and_boundaries_are_ascii() {
    check_match(r"^\d+$", &["12"], &["١"]);
    check_match(r"^\w+$", &["a_1"], &["é"]);
    check_match(r"^\s$", &[" ", "\t"], &["\u{a0}", "\u{b}"]);
    check_match(r"\bf", &["éf", "f"], &["ef"]);
    check_match(r"e\Bf", &["ef"], &["e"]);
    check_match(r"^[^\W\d]+$", &["ab"], &["a1"]);
}

#[test]
fn braces_that_repeat_nothing_are_literal() {
    check_match("^a{,2}$", &["a{,2}"], &["a", "aa"]);
    check_match("^{x}$", &["{x}"], &[]);
    check_match("^a{2,}?$", &["aa", "aaa"], &["a"]);
    check_match("^a{02}$", &["a{02}"], &["aa"]);
}

#[test]
fn classes_know_no_set_operations() {
    check_match("^[a&&b]+$", &["a&b"], &["c"]);
    check_match("^[[a]]$", &["[]", "a]"], &["a"]);
    check_match("^[]a-]+$", &["]a-"], &["b"]);
    check_match("^[a~~b-]+$", &["~-"], &["c"]);
    check_match("^[[:alpha:][:^ascii:]]+$", &["aé"], &["1"]);
}

#[test]
fn escapes_stand_for_characters() {
    check_match(r"^\x41\x{e9}\101\0$", &["AéA\0"], &[]);
    check_match(r"^\Qa.b*\E+$", &["a.b**"], &["axb"]);
    check_match(r"^\/\-\_\#$", &["/-_#"], &[]);
    check_match(r"^\pL\P{Lu}\p{^Greek}$", &["aab"], &["aAb", "aaα"]);
}

#[test]
fn flags_may_repeat_and_last_to_the_end_of_their_group() {
    check_match("^(?:(?ii)a)b$", &["Ab"], &["AB"]);
    check_match("(?i-i:a)(?)b", &["ab"], &["Ab"]);
    check_match("^a.b$", &["axb"], &["a\nb"]);
    check_match("(?s)^a.b$", &["a\nb"], &[]);
    check_match("(?P<x>a)(?P<x>b)", &["ab"], &[]);
}

#[test]
fn matching_searches_and_the_pattern_is_kept() {
    let regex = Regex::new("b/c").unwrap();
    assert!(regex.is_match("ab/cd"));
    assert_eq!(&*regex.pattern, "b/c");
    assert_eq!(regex, Regex::new("b/c").unwrap());
}

#[test]
fn costly_patterns_are_refused() {
    let nested = format!("{}a{}", "(".repeat(2000), ")".repeat(2000));
    check_error(&nested, &format!("expression nests too deeply: `{nested}`"));
    check_error(
        r"(?:\pL{500}){2}",
        r"expression too large: `(?:\pL{500}){2}`",
    );
}
