//! Tests of permissions.

use super::*;

fn id(value: u64) -> Id {
    Id::new(value).unwrap()
}

fn permission(text: &str) -> Permission {
    text.parse().unwrap()
}

#[test]
fn prints_the_parts_it_has_and_parses_from_them() {
    let write = Permission::new(Action::Write, ResourceType::Buckets);
    let cases = [
        (write, "write:buckets"),
        (write.on(id(0x5555)), "write:buckets/0000000000005555"),
        (
            write.within(id(0xabc)),
            "write:orgs/0000000000000abc/buckets",
        ),
        (
            write.within(id(0xabc)).on(id(0x5555)),
            "write:orgs/0000000000000abc/buckets/0000000000005555",
        ),
        (
            Permission::new(Action::Read, ResourceType::Orgs).on(id(7)),
            "read:orgs/0000000000000007",
        ),
        (
            Permission::new(Action::Read, ResourceType::Orgs),
            "read:orgs",
        ),
        (
            Permission::new(Action::Read, ResourceType::Orgs)
                .within(id(7))
                .on(id(8)),
            "read:orgs/0000000000000007/orgs/0000000000000008",
        ),
    ];
    for (permission, text) in cases {
        assert_eq!(permission.to_string(), text);
        assert_eq!(text.parse::<Permission>().unwrap(), permission);
    }
}

#[test]
fn every_operator_permission_survives_printing_and_parsing() {
    let operator = Permission::operator();
    assert_eq!(operator.len(), 44);
    for permission in operator.iter().chain(&Permission::all_access(id(9))) {
        assert_eq!(
            permission.to_string().parse::<Permission>().unwrap(),
            *permission
        );
    }
}

#[test]
fn unknown_names_are_refused_with_the_reference_texts() {
    assert_eq!(
        "delete".parse::<Action>().unwrap_err().to_string(),
        "invalid action type for permission: unknown action for permission"
    );
    assert_eq!(
        "bucket".parse::<ResourceType>().unwrap_err().to_string(),
        "invalid resource type for permission: unknown resource type for permission"
    );
    for text in [
        "",
        "read",
        "read:",
        "read:x",
        "read:buckets/1",
        "read:a/b/c/d/e",
        "read:users/",
    ] {
        assert!(text.parse::<Permission>().is_err(), "{text:?}");
    }
}

#[test]
fn a_held_permission_grants_what_it_is_wide_enough_for() {
    let needed = "read:orgs/000000000000000a/buckets/000000000000000b";
    let cases = [
        ("read:instance", true),
        ("write:instance", false),
        ("read:buckets", true),
        ("write:buckets", false),
        ("read:tasks", false),
        ("read:orgs/000000000000000a/buckets", true),
        ("read:orgs/000000000000000c/buckets", false),
        ("read:buckets/000000000000000b", true),
        ("read:buckets/000000000000000d", false),
        ("read:orgs/000000000000000a/buckets/000000000000000b", true),
        // With an id the organization is not compared.
        ("read:orgs/000000000000000c/buckets/000000000000000b", true),
        ("read:orgs/000000000000000a/buckets/000000000000000d", false),
    ];
    for (held, expected) in cases {
        assert_eq!(
            permission(held).grants(&permission(needed)),
            expected,
            "{held}"
        );
    }
    assert!(!permission("read:buckets/000000000000000b").grants(&permission("read:buckets")));
    let everywhere = permission("read:buckets");
    assert!(!permission("read:orgs/000000000000000a/buckets").grants(&everywhere));
}
