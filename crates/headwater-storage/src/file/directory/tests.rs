//! Selection, search and the persisted form.

use proptest::prelude::*;

use super::{codec::DecodeError, *};
use crate::{
    predicate::{Pattern, TagPredicate},
    watch::Watch,
};

fn schema(tag_keys: &[&str]) -> FileSchema {
    FileSchema {
        measurement: "cpu".into(),
        tag_keys: tag_keys.iter().map(|&key| key.into()).collect(),
        fields: Vec::new(),
    }
}

fn key(tags: &[(&str, &str)]) -> SeriesKey {
    SeriesKey::new(
        "cpu".into(),
        tags.iter().map(|&(k, v)| (k.into(), v.into())).collect(),
    )
}

/// A directory of series with one row each, at 0, 10, 20, ….
fn directory(tag_keys: &[&str], mut keys: Vec<SeriesKey>) -> Directory {
    keys.sort();
    let mut builder = DirectoryBuilder::new(schema(tag_keys));
    for (number, key) in keys.iter().enumerate() {
        builder.begin_series(key).unwrap();
        builder.add_rows(&[number as i64 * 10]);
    }
    builder.finish()
}

fn encoded(directory: &Directory) -> (Vec<u8>, usize) {
    encode(directory).unwrap()
}

fn decoded(directory: &Directory) -> Directory {
    let (bytes, plain_length) = encoded(directory);
    decode(&bytes, plain_length, directory.schema.clone()).unwrap()
}

fn select(directory: &Directory, predicate: &TagPredicate) -> Vec<u32> {
    directory
        .select(predicate, &mut Watch::new(&|_| true))
        .unwrap()
}

fn check_select(directory: &Directory, predicate: &TagPredicate) {
    let naive: Vec<u32> = (0..directory.series_count() as u32)
        .filter(|&series| {
            let key = directory.build_key(series);
            predicate.matches(&|name| match key.tag(name) {
                Some(value) => Box::leak(value.to_string().into_boxed_str()),
                None => "",
            })
        })
        .collect();
    assert_eq!(select(directory, predicate), naive, "{predicate:?}");
}

fn equals(key: &str, value: &str) -> TagPredicate {
    TagPredicate::Equals {
        key: key.into(),
        value: value.into(),
    }
}

#[test]
fn an_absent_tag_equals_the_empty_value() {
    let directory = directory(
        &["host", "rack"],
        vec![
            key(&[("host", "a")]),
            key(&[("host", "b"), ("rack", "1")]),
            key(&[("rack", "1")]),
        ],
    );
    assert_eq!(select(&directory, &equals("host", "")), [2]);
    assert_eq!(select(&directory, &equals("rack", "")), [0]);
    assert_eq!(select(&directory, &equals("no such tag", "")), [0, 1, 2]);
    assert_eq!(select(&directory, &equals("no such tag", "x")), [0_u32; 0]);
    assert_eq!(
        select(&directory, &equals("host", "no such value")),
        [0_u32; 0]
    );
    let has = TagPredicate::Has { key: "rack".into() };
    assert_eq!(select(&directory, &has), [1, 2]);
    let pattern = Pattern::new("^$|b").unwrap();
    let matches = TagPredicate::Matches {
        key: "host".into(),
        pattern,
    };
    assert_eq!(select(&directory, &matches), [1, 2]);
    assert_eq!(
        select(&directory, &TagPredicate::Not(Box::new(matches))),
        [0]
    );
}

#[test]
fn empty_connectives_have_their_neutral_value() {
    let directory = directory(&["host"], vec![key(&[("host", "a")]), key(&[])]);
    assert_eq!(select(&directory, &TagPredicate::And(Vec::new())), [0, 1]);
    assert_eq!(
        select(&directory, &TagPredicate::Or(Vec::new())),
        [0_u32; 0]
    );
}

fn predicate() -> impl Strategy<Value = TagPredicate> {
    let tag_key = || proptest::sample::select(vec!["a", "b", "c", "zz"]).prop_map(str::to_owned);
    let value = || proptest::sample::select(vec!["", "0", "1", "2", "9"]).prop_map(str::to_owned);
    let pattern = proptest::sample::select(vec!["", "1", "^$", "[02]", "^1$|^$"]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(TagPredicate::Constant),
        (tag_key(), value()).prop_map(|(key, value)| TagPredicate::Equals { key, value }),
        (tag_key(), pattern).prop_map(|(key, pattern)| {
            TagPredicate::Matches {
                key,
                pattern: Pattern::new(pattern).unwrap(),
            }
        }),
        tag_key().prop_map(|key| TagPredicate::Has { key }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(TagPredicate::And),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(TagPredicate::Or),
            inner.prop_map(|part| TagPredicate::Not(Box::new(part))),
        ]
    })
}

fn keys() -> impl Strategy<Value = Vec<SeriesKey>> {
    let values = proptest::sample::select(vec!["", "0", "1", "2"]);
    let tags = proptest::collection::vec(values, 3);
    proptest::collection::hash_set(tags, 0..20).prop_map(|series| {
        let key = |values: Vec<&str>| {
            let tags = ["a", "b", "c"]
                .into_iter()
                .zip(values)
                .filter(|(_, v)| !v.is_empty());
            key(&tags.collect::<Vec<_>>())
        };
        series.into_iter().map(key).collect()
    })
}

proptest! {
    #[test]
    fn selection_agrees_with_evaluation_of_each_series(
        keys in keys(),
        predicates in proptest::collection::vec(predicate(), 8),
    ) {
        let directory = directory(&["a", "b", "c"], keys);
        for predicate in &predicates {
            check_select(&directory, predicate);
        }
    }

    #[test]
    fn bytes_that_are_no_directory_are_refused(
        keys in keys(),
        at in any::<prop::sample::Index>(),
        xor in 1..=255_u8,
    ) {
        let directory = directory(&["a", "b", "c"], keys);
        let mut plain = codec::encode_plain(&directory);
        let at = at.index(plain.len());
        plain[at] ^= xor;
        // Either refused or another directory; what counts is that it returns.
        let _ = codec::decode_plain(&plain, directory.schema.clone());
        let cut = codec::decode_plain(&plain[..at], directory.schema.clone());
        prop_assert!(cut.is_err());
    }
}

#[test]
fn the_persisted_form_keeps_times_at_the_ends_of_their_range() {
    let keys: Vec<SeriesKey> = (0..4).map(|n| key(&[("host", &n.to_string())])).collect();
    let times = [
        [i64::MIN + 2, i64::MAX - 1],
        [0, 1],
        [-5, 7],
        [i64::MAX - 2, i64::MAX - 1],
    ];
    let mut builder = DirectoryBuilder::new(schema(&["host"]));
    for (key, times) in keys.iter().zip(&times) {
        builder.begin_series(key).unwrap();
        builder.add_rows(times);
    }
    let directory = decoded(&builder.finish());
    for (series, times) in times.iter().enumerate() {
        let series = series as u32;
        assert_eq!(
            [directory.min_time(series), directory.max_time(series)],
            *times
        );
        assert_eq!(directory.row_range(series).start, u64::from(series) * 2);
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    let directory = directory(&["host"], vec![key(&[("host", "a")])]);
    let mut plain = codec::encode_plain(&directory);
    plain.push(0);
    assert_eq!(
        codec::decode_plain(&plain, directory.schema).unwrap_err(),
        DecodeError::Contradiction("bytes after the end")
    );
}

#[test]
fn a_tag_that_the_schema_lacks_is_refused() {
    let mut builder = DirectoryBuilder::new(schema(&["host"]));
    assert_eq!(
        builder.begin_series(&key(&[("host", "a"), ("rack", "1")])),
        Err("rack".into())
    );
}

#[test]
fn a_large_directory_is_compact() {
    let hosts = 200_000;
    let keys = (0..hosts).map(|host| {
        let rack = format!("rack-{}", host * 7_919 % 97);
        let region = ["eu-central", "eu-west", "us-east", "us-west"][host * 31 % 4];
        key(&[
            ("host", &format!("host-{host}")),
            ("rack", &rack),
            ("region", region),
        ])
    });
    let directory = directory(&["host", "rack", "region"], keys.collect());
    let (bytes, _) = encoded(&directory);
    let per_series = bytes.len() as f64 / hosts as f64;
    assert!(per_series < 5.0, "{per_series} bytes a series on disk");
    let in_memory = directory.size_bytes() as f64 / hosts as f64;
    assert!(in_memory < 90.0, "{in_memory} bytes a series in memory");
    let directory = decoded(&directory);
    assert_eq!(select(&directory, &equals("host", "host-5")).len(), 1);
    check_same_codes(&directory);
}

/// Every value of the dictionaries occurs.
fn check_same_codes(directory: &Directory) {
    for tag in 0..directory.tag_keys().len() {
        let mut seen = vec![false; directory.tags[tag].values.len() + 1];
        seen[0] = true;
        for series in 0..directory.series_count() as u32 {
            seen[directory.tag_code(tag, series) as usize] = true;
        }
        assert!(seen.iter().all(|&seen| seen), "tag {tag}");
    }
}
