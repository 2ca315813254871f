//! Tests of the name rule and of virtual mappings.

use super::*;
use crate::BucketKind;

#[test]
fn names_are_printable_and_no_path() {
    for name in [
        "a",
        "na-me_1.x",
        "with space",
        "ünï",
        "日本",
        "a:b@c",
        "_internal",
        "\"q\"",
        "...",
    ] {
        assert!(is_name(name), "{name:?}");
    }
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\nb",
        "a\tb",
        "\u{a0}",
        "a\u{200b}",
        "\u{7f}",
    ] {
        assert!(!is_name(name), "{name:?}");
    }
}

fn bucket(id: u64, name: &str) -> Arc<Bucket> {
    Arc::new(Bucket {
        id: Id::new(id).unwrap(),
        org_id: Id::new(1).unwrap(),
        kind: BucketKind::User,
        name: name.to_owned(),
        description: String::new(),
        rp: None,
        retention_seconds: 0,
        shard_group_seconds: 604_800,
        created_at: 0,
        updated_at: 0,
    })
}

fn stored(id: u64, database: &str, policy: &str, is_default: bool) -> Arc<DbrpMapping> {
    Arc::new(DbrpMapping {
        id: Id::new(id).unwrap(),
        org_id: Id::new(1).unwrap(),
        bucket_id: Id::new(99).unwrap(),
        database: database.to_owned(),
        retention_policy: policy.to_owned(),
        is_default,
        is_virtual: false,
    })
}

/// The mappings as `database/policy`, with `*` for the default and `~` for virtual ones.
fn check(mappings: Vec<Arc<DbrpMapping>>, buckets: &[&str], expected: &[&str]) {
    let buckets: Vec<_> = (100..)
        .zip(buckets)
        .map(|(id, name)| bucket(id, name))
        .collect();
    let index = OrganizationMappings::with_virtual(mappings, buckets.iter());
    let shown: Vec<_> = index
        .all()
        .iter()
        .map(|it| {
            let default = if it.is_default { "*" } else { "" };
            let kind = if it.is_virtual { "~" } else { "" };
            format!("{}/{}{default}{kind}", it.database, it.retention_policy)
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn a_bucket_is_mapped_by_its_name_up_to_the_first_slash() {
    check(
        vec![],
        &["a", "b/c", "d/e/f"],
        &["a/autogen*~", "b/c*~", "d/e/f*~"],
    );
}

#[test]
fn a_bucket_without_slash_is_default_before_those_with_one() {
    check(
        vec![],
        &["a", "a/b", "a/c"],
        &["a/autogen*~", "a/b~", "a/c~"],
    );
    check(vec![], &["a/b", "a/c"], &["a/b*~", "a/c~"]);
}

#[test]
fn a_stored_mapping_hides_the_virtual_one_and_keeps_the_default() {
    check(
        vec![stored(5, "a", "autogen", true)],
        &["a", "a/b"],
        &["a/autogen*", "a/b~"],
    );
    check(
        vec![stored(5, "a", "x", true)],
        &["a"],
        &["a/x*", "a/autogen~"],
    );
}
