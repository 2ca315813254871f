use super::*;

#[track_caller]
fn check(text: &str, expected: &[(&str, bool, &str)]) {
    let rules = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let expected: Vec<Rule> = expected
        .iter()
        .map(|(key, equal, value)| Rule {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            equal: *equal,
        })
        .collect();
    assert_eq!(rules, expected, "{text}");
}

#[track_caller]
fn refuse(text: &str, complaint: &str) {
    let error = format!("{:?}", parse(text).unwrap_err());
    assert!(error.contains(&format!("{complaint:?}")), "{text}: {error}");
}

#[test]
fn rules_are_joined_by_and_and_parentheses() {
    check("", &[]);
    check(r#"t="a""#, &[("t", true, "a")]);
    check(
        r#"t!="a" AND "t k" = "a b""#,
        &[("t", false, "a"), ("t k", true, "a b")],
    );
    check(
        r#"(t="a" and (u=1 AND v=true)) AND w=-2 AND x=1h"#,
        &[
            ("t", true, "a"),
            ("u", true, "1"),
            ("v", true, "true"),
            ("w", true, "-2"),
            ("x", true, "1h"),
        ],
    );
    check(r#""name"="x""#, &[("name", true, "x")]);
}

#[test]
fn complaints_are_the_references() {
    let decoding = |complaint: &str| format!("error decoding json body: {complaint}");
    for (text, complaint) in [
        (
            r#"t="a" OR t="b""#,
            "the logical operator OR is not supported yet at position 6",
        ),
        (
            "t=~/a/",
            "operator: \"=~\" at position: 1 is not supported yet",
        ),
        ("t='a'", "bad tag value: \"a\", at position 1"),
        ("t=", "bad tag value: \"\", at position 2"),
        (r#"="a""#, "bad logical expression, at position 0"),
        (r#"(t="a""#, "extra ( seen"),
        (r#"t="a")"#, "extra ) seen"),
        (r#"t>"a""#, "invalid operator \">\" at position: 1"),
        ("time > 1", "invalid operator \">\" at position: 5"),
    ] {
        refuse(text, &decoding(complaint));
    }
    let expression = "invalid request; error parsing predicate: found EOF, expected identifier, \
                      string, number, bool at line 1, char ";
    refuse(r#"t="a" AND"#, &format!("{expression}11"));
    refuse("  ", &format!("{expression}4"));
}

#[test]
fn deep_nesting_is_refused() {
    assert!(parse(&"(".repeat(100_000)).is_err());
}
