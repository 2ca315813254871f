//! Where a 1.x write goes and what it maps.

use headwater_catalog::{
    Access, Action, Authorization, NewOrganization, Permission, Profile, ResourceType, Settings,
};

use crate::fixture::{Fixture, expect_refusal, new_bucket, settings};

const NO_MAPPING: &str = "no dbrp mapping found";
const FORBIDDEN: &str = "insufficient permissions for write";

/// Name of the bucket a write goes to.
async fn target(
    fixture: &Fixture,
    authorization: &Authorization,
    database: &str,
    policy: Option<&str>,
) -> Result<String, headwater_catalog::Error> {
    let bucket = fixture
        .catalog
        .map_for_write(authorization, database, policy)
        .await?;
    Ok(bucket.name.clone())
}

/// The mappings of a database as `policy bucket`, with `*` for the default.
fn mappings(fixture: &Fixture, database: &str) -> Vec<String> {
    let state = fixture.catalog.state();
    state
        .database_mappings(fixture.org(), database)
        .iter()
        .map(|it| {
            let bucket = state.bucket(it.bucket_id).unwrap();
            format!(
                "{} {}{}",
                it.retention_policy,
                bucket.name,
                if it.is_default { "*" } else { "" }
            )
        })
        .collect()
}

#[tokio::test]
async fn a_mapping_wins_over_a_bucket_of_the_right_name() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let real = fixture.bucket("real").await;
    fixture.bucket("db/autogen").await;
    fixture.map(&real, "db", "autogen").await;
    for policy in [None, Some(""), Some("autogen")] {
        assert_eq!(
            target(&fixture, fixture.operator(), "db", policy)
                .await
                .unwrap(),
            "real"
        );
    }
    assert_eq!(mappings(&fixture, "db"), ["autogen real*"]);
}

#[tokio::test]
async fn an_unmapped_bucket_is_mapped_by_its_name() {
    for profile in [Profile::Cloud, Profile::V1] {
        let fixture = Fixture::new(profile).await;
        for name in [
            "one",
            "two",
            "two/autogen",
            "three/a",
            "three/b",
            "four/autogen",
        ] {
            fixture.bucket(name).await;
        }
        let operator = fixture.operator();
        let cases = [
            ("one", None, "one"),
            ("one", Some("autogen"), "one"),
            ("two", None, "two/autogen"),
            ("three", Some("a"), "three/a"),
            ("three", Some("b"), "three/b"),
            ("three", None, "three/a"),
            ("four", Some("autogen"), "four/autogen"),
        ];
        for (database, policy, expected) in cases {
            assert_eq!(
                target(&fixture, operator, database, policy).await.unwrap(),
                expected
            );
        }
        assert_eq!(mappings(&fixture, "one"), ["autogen one*"]);
        assert_eq!(mappings(&fixture, "two"), ["autogen two/autogen*"]);
        assert_eq!(mappings(&fixture, "three"), ["a three/a*", "b three/b"]);
    }
}

#[tokio::test]
async fn without_a_bucket_of_the_right_name_nothing_is_found_or_created() {
    let fixture = Fixture::new(Profile::Cloud).await;
    fixture.bucket("plain").await;
    fixture.bucket("db/x").await;
    fixture.bucket("a/b").await;
    let buckets = fixture.catalog.state().buckets().count();
    let cases = [
        ("nope", None),
        ("nope", Some("x")),
        // With a policy only `db/rp` is looked for.
        ("plain", Some("autogen")),
        ("plain", Some("x")),
        // Without one only `db/autogen` and `db`.
        ("db", None),
        // No database can be called so.
        ("a/b", None),
        ("", None),
    ];
    for (database, policy) in cases {
        let found = target(&fixture, fixture.operator(), database, policy).await;
        expect_refusal(found, "not found", NO_MAPPING);
        assert!(mappings(&fixture, database).is_empty());
    }
    assert_eq!(fixture.catalog.state().buckets().count(), buckets);
}

#[tokio::test]
async fn a_bucket_is_mapped_only_by_who_may_write_it() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (one, two) = (fixture.bucket("one").await, fixture.bucket("two").await);
    let reader = fixture
        .token(&[Permission::bucket(Action::Read, fixture.org(), one.id)])
        .await;
    let writer = fixture
        .token(&[Permission::bucket(Action::Write, fixture.org(), two.id)])
        .await;
    let (reader, writer) = (&reader.authorization, &writer.authorization);
    expect_refusal(
        target(&fixture, reader, "one", None).await,
        "forbidden",
        FORBIDDEN,
    );
    expect_refusal(
        target(&fixture, writer, "one", None).await,
        "not found",
        NO_MAPPING,
    );
    assert!(mappings(&fixture, "one").is_empty());
    assert_eq!(target(&fixture, writer, "two", None).await.unwrap(), "two");
    assert_eq!(mappings(&fixture, "two"), ["autogen two*"]);
    // Mapped now, and judged the same.
    expect_refusal(
        target(&fixture, reader, "two", None).await,
        "not found",
        NO_MAPPING,
    );
    fixture.map(&one, "one", "autogen").await;
    expect_refusal(
        target(&fixture, reader, "one", None).await,
        "forbidden",
        FORBIDDEN,
    );
}

#[tokio::test]
async fn a_mapping_the_caller_cannot_see_is_neither_replaced_nor_demoted() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let hidden = fixture.bucket("hidden").await;
    let own = fixture.bucket("db/autogen").await;
    fixture.map(&hidden, "db", "autogen").await;
    let other = fixture.bucket("other").await;
    fixture.map(&hidden, "other", "x").await;
    let writer = fixture
        .token(&[own.id, other.id].map(|id| Permission::bucket(Action::Write, fixture.org(), id)))
        .await;
    let writer = &writer.authorization;
    for policy in [None, Some("autogen")] {
        expect_refusal(
            target(&fixture, writer, "db", policy).await,
            "not found",
            NO_MAPPING,
        );
    }
    expect_refusal(
        target(&fixture, writer, "other", None).await,
        "not found",
        NO_MAPPING,
    );
    assert_eq!(mappings(&fixture, "db"), ["autogen hidden*"]);
    assert_eq!(mappings(&fixture, "other"), ["x hidden*"]);
}

#[tokio::test]
async fn buckets_of_another_organization_are_not_looked_at() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let new = NewOrganization {
        name: "other".into(),
        ..NewOrganization::default()
    };
    let other = fixture.catalog.create_organization(new).await.unwrap();
    fixture
        .catalog
        .create_bucket(new_bucket(other.id, "auto"))
        .await
        .unwrap();
    let found = target(&fixture, fixture.operator(), "auto", None).await;
    expect_refusal(found, "not found", NO_MAPPING);
}

#[tokio::test]
async fn in_oss_a_bucket_has_a_virtual_mapping_and_none_is_stored() {
    let fixture = Fixture::new(Profile::Oss).await;
    fixture.bucket("virt").await;
    fixture.bucket("vx/vy").await;
    let operator = fixture.operator();
    assert_eq!(
        target(&fixture, operator, "virt", None).await.unwrap(),
        "virt"
    );
    assert_eq!(
        target(&fixture, operator, "vx", Some("vy")).await.unwrap(),
        "vx/vy"
    );
    assert_eq!(
        target(&fixture, operator, "vx", None).await.unwrap(),
        "vx/vy"
    );
    expect_refusal(
        target(&fixture, operator, "nope", None).await,
        "not found",
        NO_MAPPING,
    );
    let state = fixture.catalog.state();
    assert!(
        state
            .mappings_visible(operator, Access::Read)
            .iter()
            .all(|it| it.is_virtual)
    );
}

#[tokio::test]
async fn missing_buckets_are_created_where_it_is_allowed() {
    let settings = Settings {
        create_buckets_on_write: true,
        ..settings(Profile::Cloud)
    };
    let fixture = Fixture::with(settings).await;
    let operator = fixture.operator();
    assert_eq!(
        target(&fixture, operator, "new", None).await.unwrap(),
        "new/autogen"
    );
    assert_eq!(
        target(&fixture, operator, "new", Some("week"))
            .await
            .unwrap(),
        "new/week"
    );
    assert_eq!(
        mappings(&fixture, "new"),
        ["autogen new/autogen*", "week new/week"]
    );
    let state = fixture.catalog.state();
    let bucket = state.bucket_by_name(fixture.org(), "new/week").unwrap();
    assert_eq!(bucket.description, "Auto-created from v1 db/rp mapping.");
    assert_eq!(
        (bucket.rp.as_deref(), bucket.retention_seconds),
        (Some("week"), 259_200)
    );

    let narrow = Permission::bucket(Action::Write, fixture.org(), bucket.id);
    let narrow = fixture.token(&[narrow]).await;
    let needed = Permission::new(Action::Write, ResourceType::Buckets).within(fixture.org());
    let refused = target(&fixture, &narrow.authorization, "more", None).await;
    expect_refusal(
        refused,
        "unauthorized",
        &format!("{needed} is unauthorized"),
    );
    assert!(
        fixture
            .catalog
            .state()
            .bucket_by_name(fixture.org(), "more/autogen")
            .is_none()
    );
}

#[tokio::test]
async fn simultaneous_writes_map_a_bucket_once() {
    let fixture = Fixture::new(Profile::Cloud).await;
    fixture.bucket("busy").await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let catalog = fixture.catalog.clone();
            let operator = fixture.setup.authorization.clone();
            tokio::spawn(async move { catalog.map_for_write(&operator, "busy", None).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().name, "busy");
    }
    assert_eq!(mappings(&fixture, "busy"), ["autogen busy*"]);
}
