//! Databases and retention policies as 1.x clients manage them.

use headwater_catalog::{Action, Permission, PolicyOptions, Profile, RetentionRule};

use crate::fixture::{Fixture, expect_refusal};

fn policy(name: &str, every: Option<i64>, shard: Option<i64>) -> PolicyOptions {
    PolicyOptions {
        name: Some(name.into()),
        rule: RetentionRule {
            every_seconds: every,
            shard_group_seconds: shard,
        },
        is_default: false,
    }
}

fn default(policy: PolicyOptions) -> PolicyOptions {
    PolicyOptions {
        is_default: true,
        ..policy
    }
}

/// The policies of a database as `name retention shard-group`, with `*` for the default.
fn policies(fixture: &Fixture, database: &str) -> Vec<String> {
    let state = fixture.catalog.state();
    let mappings = state.database_mappings(fixture.org(), database).iter();
    mappings
        .map(|it| {
            let bucket = state.bucket(it.bucket_id).unwrap();
            let (retention, shard) = (bucket.retention_seconds, bucket.shard_group_seconds);
            let mark = if it.is_default { "*" } else { "" };
            format!("{} {retention} {shard}{mark}", it.retention_policy)
        })
        .collect()
}

#[tokio::test]
async fn creating_a_database_makes_a_default_policy_and_repeats_without_error() {
    let fixture = Fixture::new(Profile::V1).await;
    let create = |name, policy| {
        fixture
            .catalog
            .create_database(fixture.operator(), name, policy)
    };
    for _ in 0..2 {
        create("db", None).await.unwrap();
        assert_eq!(policies(&fixture, "db"), ["autogen 0 604800*"]);
    }
    let state = fixture.catalog.state();
    assert!(state.bucket_by_name(fixture.org(), "db/autogen").is_some());
    let day = || PolicyOptions {
        name: None,
        ..policy("", Some(86_400), None)
    };
    let conflict = "retention policy conflicts with an existing policy";
    expect_refusal(create("db", Some(day())).await, "conflict", conflict);
    for _ in 0..2 {
        create("day", Some(day())).await.unwrap();
        assert_eq!(policies(&fixture, "day"), ["autogen 86400 3600*"]);
    }
    let hour = policy("hour", Some(3_600), Some(1_800));
    expect_refusal(create("db", Some(hour.clone())).await, "conflict", conflict);
    assert_eq!(policies(&fixture, "db"), ["autogen 0 604800*"]);
    create("hours", Some(hour)).await.unwrap();
    assert_eq!(policies(&fixture, "hours"), ["hour 3600 3600*"]);
    expect_refusal(create(".", None).await, "invalid", "invalid name");
    expect_refusal(
        create("x", Some(policy(".", None, None))).await,
        "invalid",
        "invalid name",
    );
    let text = "retention policy duration must be at least 1h0m0s";
    expect_refusal(
        create("x", Some(policy("s", Some(1), None))).await,
        "invalid",
        text,
    );
    assert!(policies(&fixture, "x").is_empty());
}

#[tokio::test]
async fn policies_are_created_altered_and_dropped() {
    let fixture = Fixture::new(Profile::V1).await;
    let (catalog, operator) = (&fixture.catalog, fixture.operator());
    catalog.create_database(operator, "db", None).await.unwrap();
    let create = |policy| catalog.create_retention_policy(operator, "db", policy);
    let hour = || policy("hour", Some(3_600), Some(1_800));
    create(hour()).await.unwrap();
    create(hour()).await.unwrap();
    let text = "retention policy conflicts with an existing policy";
    expect_refusal(create(default(hour())).await, "conflict", text);
    let text = "retention policy already exists";
    expect_refusal(
        create(policy("hour", Some(7_200), None)).await,
        "conflict",
        text,
    );
    let text = "database not found: nodb";
    let unknown = catalog
        .create_retention_policy(operator, "nodb", hour())
        .await;
    expect_refusal(unknown, "not found", text);

    let alter = |policy| catalog.alter_retention_policy(operator, "db", policy);
    alter(default(policy("hour", Some(7_200), None)))
        .await
        .unwrap();
    assert_eq!(
        policies(&fixture, "db"),
        ["autogen 0 604800", "hour 7200 3600*"]
    );
    let text = "retention policy not found: nope";
    expect_refusal(alter(policy("nope", None, None)).await, "not found", text);

    let dropped = catalog
        .drop_retention_policy(operator, "db", "hour")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dropped.name, "db/hour");
    assert!(catalog.state().bucket(dropped.id).is_none());
    assert_eq!(policies(&fixture, "db"), ["autogen 0 604800*"]);
    assert_eq!(
        catalog
            .drop_retention_policy(operator, "db", "hour")
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        catalog
            .drop_retention_policy(operator, "nodb", "x")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn dropping_a_database_keeps_buckets_that_others_are_mapped_to() {
    let fixture = Fixture::new(Profile::V1).await;
    let (catalog, operator) = (&fixture.catalog, fixture.operator());
    catalog.create_database(operator, "db", None).await.unwrap();
    let shared = fixture.bucket("shared").await;
    fixture.map(&shared, "db", "shared").await;
    fixture.map(&shared, "other", "autogen").await;
    let dropped = catalog.drop_database(operator, "db").await.unwrap();
    let names: Vec<_> = dropped.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["db/autogen"]);
    assert!(policies(&fixture, "db").is_empty());
    assert_eq!(policies(&fixture, "other").len(), 1);
    assert!(
        catalog
            .drop_database(operator, "db")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn managing_databases_needs_write_permission() {
    let fixture = Fixture::new(Profile::V1).await;
    let catalog = &fixture.catalog;
    catalog
        .create_database(fixture.operator(), "db", None)
        .await
        .unwrap();
    let bucket = fixture.setup.bucket.id;
    let weak = fixture
        .token(&[Permission::bucket(Action::Write, fixture.org(), bucket)])
        .await;
    let weak = &weak.authorization;
    let text = "insufficient permissions";
    expect_refusal(
        catalog.create_database(weak, "x", None).await,
        "forbidden",
        text,
    );
    expect_refusal(catalog.drop_database(weak, "db").await, "forbidden", text);
    expect_refusal(
        catalog.drop_retention_policy(weak, "db", "autogen").await,
        "forbidden",
        text,
    );
    let change = policy("autogen", Some(3_600), None);
    expect_refusal(
        catalog.alter_retention_policy(weak, "db", change).await,
        "forbidden",
        text,
    );
    catalog.create_database(weak, "db", None).await.unwrap();
    assert_eq!(policies(&fixture, "db"), ["autogen 0 604800*"]);
}
