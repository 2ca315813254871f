//! Any pattern to the translation of regular expressions.

use headwater_influxql::{ast::Regex, parse_expr};

/// A pattern is refused or compiles, matches in linear time, and prints as a text that reads as
/// the same pattern.
pub fn regex(data: &[u8]) {
    let Ok(pattern) = std::str::from_utf8(data) else {
        return;
    };
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => {
            assert!(error.starts_with("error parsing regexp: "), "{error}");
            return;
        }
    };
    regex.is_match("");
    regex.is_match(pattern);
    regex.is_match(&"aA0_ \n\u{e9}/".repeat(100));
    // What cannot stand between slashes, or reads as something else there.
    if pattern.contains(['\n', '\r', '\0', '\\']) || pattern.is_empty() {
        return;
    }
    let printed = format!("a =~ {regex}");
    let again = parse_expr(&printed)
        .unwrap_or_else(|error| panic!("`{printed}` does not read again: {error}"));
    assert_eq!(again.to_string(), printed);
}
