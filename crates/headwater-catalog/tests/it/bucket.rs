//! Buckets.

use headwater_catalog::{BucketChange, Profile, RetentionRule};
use headwater_model::Id;

use crate::fixture::{Fixture, expect_refusal, new_bucket, with_rule};

fn rule(every: Option<i64>, shard: Option<i64>) -> BucketChange {
    BucketChange {
        retention_rules: vec![RetentionRule {
            every_seconds: every,
            shard_group_seconds: shard,
        }],
        ..BucketChange::default()
    }
}

fn rename(name: &str) -> BucketChange {
    BucketChange {
        name: Some(name.into()),
        ..BucketChange::default()
    }
}

#[tokio::test]
async fn the_shard_group_duration_follows_the_retention_unless_given() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let cases = [
        (None, None, 0, 604_800),
        (Some(0), None, 0, 604_800),
        (Some(3_600), None, 3_600, 3_600),
        (Some(86_400), Some(0), 86_400, 3_600),
        (Some(172_800), None, 172_800, 86_400),
        (Some(15_551_999), None, 15_551_999, 86_400),
        (Some(15_552_000), None, 15_552_000, 604_800),
        (Some(3_600), Some(1), 3_600, 3_600),
        (Some(0), Some(86_400), 0, 86_400),
    ];
    for (index, (every, shard, retention, shard_group)) in cases.into_iter().enumerate() {
        let new = with_rule(
            new_bucket(fixture.org(), &format!("b{index}")),
            every,
            shard,
        );
        let bucket = fixture.catalog.create_bucket(new).await.unwrap();
        let actual = (bucket.retention_seconds, bucket.shard_group_seconds);
        assert_eq!(actual, (retention, shard_group), "{every:?} {shard:?}");
    }
}

#[tokio::test]
async fn impossible_retentions_are_refused() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let create = |every, shard| {
        catalog.create_bucket(with_rule(
            new_bucket(fixture.org(), "b"),
            Some(every),
            shard,
        ))
    };
    let negative = "expiration seconds cannot be negative";
    expect_refusal(create(-1, None).await, "unprocessable entity", negative);
    let shard = "shard-group duration seconds cannot be negative";
    expect_refusal(create(3_600, Some(-1)).await, "unprocessable entity", shard);
    let short = "retention policy duration must be at least 1h0m0s";
    expect_refusal(create(3_599, None).await, "invalid", short);
    let long = "retention policy duration must be greater than the shard duration";
    expect_refusal(create(3_600, Some(7_200)).await, "invalid", long);
    let two = with_rule(
        with_rule(new_bucket(fixture.org(), "b"), None, None),
        None,
        None,
    );
    let count = "buckets cannot have more than one retention rule at this time";
    expect_refusal(
        catalog.create_bucket(two).await,
        "unprocessable entity",
        count,
    );

    let bucket = fixture.bucket("b").await;
    expect_refusal(
        catalog.update_bucket(bucket.id, rule(Some(-1), None)).await,
        "unprocessable entity",
        negative,
    );
    // The shard group duration of a week stays.
    expect_refusal(
        catalog
            .update_bucket(bucket.id, rule(Some(7_200), None))
            .await,
        "invalid",
        long,
    );
    let updated = catalog
        .update_bucket(bucket.id, rule(Some(7_200), Some(1)))
        .await
        .unwrap();
    assert_eq!(
        (updated.retention_seconds, updated.shard_group_seconds),
        (7_200, 3_600)
    );
    let updated = catalog
        .update_bucket(bucket.id, rule(Some(864_000), None))
        .await
        .unwrap();
    assert_eq!(
        (updated.retention_seconds, updated.shard_group_seconds),
        (864_000, 3_600)
    );
}

#[tokio::test]
async fn bucket_names_are_checked_and_unique_in_an_organization() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let create = |name: &str| catalog.create_bucket(new_bucket(fixture.org(), name));
    let cases = [
        ("", "invalid", "bucket name is empty"),
        (
            "_x",
            "invalid",
            "bucket name _x is invalid. Buckets may not start with underscore",
        ),
        (
            "a\"b",
            "invalid",
            "bucket name a\"b is invalid. Bucket names may not include quotation marks",
        ),
        (
            "m2_dev",
            "conflict",
            "bucket with name m2_dev already exists",
        ),
    ];
    for (name, code, text) in cases {
        expect_refusal(create(name).await, code, text);
    }
    create("  ").await.unwrap();
    let mut orphan = new_bucket(Id::new(1).unwrap(), "x");
    expect_refusal(
        catalog.create_bucket(orphan.clone()).await,
        "not found",
        "organization not found",
    );
    orphan.org_id = None;
    let text = "organization id must be provided";
    expect_refusal(catalog.create_bucket(orphan).await, "invalid", text);

    let bucket = create("second").await.unwrap();
    let update = |name: &str| catalog.update_bucket(bucket.id, rename(name));
    expect_refusal(
        update("m2_dev").await,
        "conflict",
        "bucket name is not unique",
    );
    expect_refusal(update("_x").await, "invalid", cases[1].2);
    update("second").await.unwrap();
    update("third").await.unwrap();
    let state = catalog.state();
    assert!(state.bucket_by_name(fixture.org(), "second").is_none());
    assert_eq!(
        state
            .require_bucket_by_name(fixture.org(), "third")
            .unwrap()
            .id,
        bucket.id
    );
    expect_refusal(
        state.require_bucket_by_name(fixture.org(), "second"),
        "not found",
        "bucket \"second\" not found",
    );
}

#[tokio::test]
async fn system_buckets_are_neither_renamed_nor_deleted() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let system = catalog
        .state()
        .bucket_by_name(fixture.org(), "_tasks")
        .unwrap()
        .id;
    expect_refusal(
        catalog.update_bucket(system, rename("x")).await,
        "invalid",
        "system buckets cannot be renamed",
    );
    expect_refusal(
        catalog.delete_bucket(system).await,
        "invalid",
        "system buckets cannot be deleted",
    );
    let updated = catalog
        .update_bucket(system, rule(Some(86_400), None))
        .await
        .unwrap();
    assert_eq!(updated.retention_seconds, 86_400);
}

#[tokio::test]
async fn deleting_a_bucket_deletes_its_mappings_and_passes_the_default_on() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (gone, kept) = (fixture.bucket("gone").await, fixture.bucket("kept").await);
    fixture.map(&gone, "db", "a").await;
    fixture.map(&gone, "db", "b").await;
    let heir = fixture.map(&kept, "db", "c").await;
    fixture.map(&gone, "alone", "a").await;
    let deleted = fixture.catalog.delete_bucket(gone.id).await.unwrap();
    assert_eq!(deleted.id, gone.id);
    let state = fixture.catalog.state();
    assert!(state.database_mappings(fixture.org(), "alone").is_empty());
    let left = state.database_mappings(fixture.org(), "db");
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].id, left[0].is_default), (heir.id, true));
    expect_refusal(
        fixture.catalog.delete_bucket(gone.id).await,
        "not found",
        "bucket not found",
    );
}
