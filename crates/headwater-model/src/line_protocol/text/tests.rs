//! Unescaping, and series keys from any spelling.

use super::*;

#[test]
fn measurements_and_tags_lose_only_the_escapes_they_need() {
    let key = series_key(br"my\ m\,x\=y,b\=c=1\ 2,a=x\\n\,");
    assert_eq!(&**key.measurement(), "my m,x=y");
    let tags: Vec<_> = key.tags().iter().map(|(k, v)| (&**k, &**v)).collect();
    assert_eq!(tags, [("a", r"x\\n,"), ("b=c", "1 2")]);
    assert_eq!(key.as_str(), r"my\ m\,x=y,a=x\\n\,,b\=c=1\ 2");
}

#[test]
fn spellings_of_one_series_give_equal_keys() {
    assert_eq!(series_key(b"m,b=2,a=1"), series_key(b"m,a=1,b=2"));
    assert_eq!(series_key(br"m\=n,a=1"), series_key(b"m=n,a=1"));
    assert_ne!(series_key(b"m,a=1"), series_key(b"m,a=2"));
}

#[test]
fn a_tag_value_may_begin_with_an_equals_sign() {
    let key = series_key(b"m,t==a");
    assert_eq!(key.tag("t").map(|v| &**v), Some("=a"));
    assert_eq!(key.as_str(), r"m,t=\=a");
}

#[test]
fn field_keys_also_lose_the_backslash_before_a_quote() {
    assert_eq!(unescape_field_key(b"plain"), "plain");
    assert_eq!(
        unescape_field_key(br#"a\ b\,c\=d\"e\f\"#),
        r#"a b,c=d"e\f\"#
    );
}

#[test]
fn strings_unescape_quotes_and_backslashes_only() {
    assert_eq!(unescape_string(br#"say \"hi\" \\ \n"#), r#"say "hi" \ \n"#);
    assert_eq!(unescape_string(br"\\\\"), r"\\");
    assert_eq!(unescape_string(b"cut \xc3"), "cut \u{fffd}");
}
