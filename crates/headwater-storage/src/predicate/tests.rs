//! The persisted form; selection is tested with the directory.

use super::*;

#[test]
fn the_persisted_form_is_readable_and_complete() {
    let predicate = TagPredicate::And(vec![
        TagPredicate::Equals {
            key: "host".into(),
            value: "a".into(),
        },
        TagPredicate::Not(Box::new(TagPredicate::Matches {
            key: "rack".into(),
            pattern: Pattern::new("^1").unwrap(),
        })),
        TagPredicate::Or(vec![
            TagPredicate::Has {
                key: "region".into(),
            },
            TagPredicate::Constant(false),
        ]),
    ]);
    let text = serde_json::to_string(&predicate).unwrap();
    assert_eq!(
        text,
        r#"{"and":[{"equals":{"key":"host","value":"a"}},{"not":{"matches":{"key":"rack","pattern":"^1"}}},{"or":[{"has":{"key":"region"}},{"constant":false}]}]}"#
    );
    assert_eq!(
        serde_json::from_str::<TagPredicate>(&text).unwrap(),
        predicate
    );
}

#[test]
fn a_damaged_pattern_is_refused() {
    let text = r#"{"matches":{"key":"host","pattern":"("}}"#;
    assert!(serde_json::from_str::<TagPredicate>(text).is_err());
}
