//! Tests of the reserved words.

use super::{Keyword, is_keyword};

#[test]
fn every_keyword_is_found_in_any_case() {
    for (text, keyword) in Keyword::ALL_SORTED {
        assert_eq!(Keyword::lookup(text), Some(*keyword));
        assert_eq!(Keyword::lookup(&text.to_lowercase()), Some(*keyword));
        assert_eq!(keyword.as_str(), *text);
    }
}

#[test]
fn words_with_a_meaning_only_in_place_are_not_reserved() {
    for word in [
        "time", "now", "fill", "tz", "null", "none", "linear", "previous", "value", "not", "",
    ] {
        assert!(!is_keyword(word), "{word}");
    }
}
