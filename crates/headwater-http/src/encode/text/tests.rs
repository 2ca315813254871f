use serde_json::json;

use super::*;

#[track_caller]
fn check_string(text: &str, expected: &str) {
    let mut out = Vec::new();
    write_json_string(&mut out, text);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn strings_are_escaped_for_html_too() {
    check_string("plain é 😀", "\"plain é 😀\"");
    check_string("<a>&b", "\"\\u003ca\\u003e\\u0026b\"");
    check_string("\u{2028}x\u{2029}\u{2030}", "\"\\u2028x\\u2029\u{2030}\"");
    check_string("q\" b\\ n\n t\t r\r", "\"q\\\" b\\\\ n\\n t\\t r\\r\"");
    check_string("\u{1}\u{1f}\u{7f}", "\"\\u0001\\u001f\u{7f}\"");
}

#[test]
fn documents_are_indented_as_the_reference_does() {
    let value = json!({"a": [], "b": {}, "c": [1, "x,{}:"], "d": {"e": "<\\\">"}});
    assert_eq!(
        String::from_utf8(to_json(&value, Some("\t"))).unwrap(),
        "{\n\t\"a\": [],\n\t\"b\": {},\n\t\"c\": [\n\t\t1,\n\t\t\"x,{}:\"\n\t],\n\t\"d\": {\n\t\t\
         \"e\": \"\\u003c\\\\\\\"\\u003e\"\n\t}\n}"
    );
    assert_eq!(
        String::from_utf8(to_json(&value, None)).unwrap(),
        r#"{"a":[],"b":{},"c":[1,"x,{}:"],"d":{"e":"\u003c\\\"\u003e"}}"#
    );
}
