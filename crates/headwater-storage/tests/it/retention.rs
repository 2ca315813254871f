//! Retention: what is past it is not read from that moment on, and leaves the disk by partitions.

use headwater_catalog::{BucketChange, RetentionRule};
use headwater_env::Clock;
use headwater_model::TimeRange;

use crate::fixture::{Fixture, HOUR};

const MINUTE: i64 = HOUR / 60;

async fn keep_for(fixture: &Fixture, seconds: i64) {
    let change = BucketChange {
        retention_rules: vec![RetentionRule {
            every_seconds: Some(seconds),
            shard_group_seconds: Some(3600),
        }],
        ..BucketChange::default()
    };
    fixture
        .catalog
        .update_bucket(fixture.bucket, change)
        .await
        .unwrap();
}

/// The values, in order, through content and through the metadata of snapshots.
fn values(fixture: &Fixture) -> Vec<String> {
    fixture.content().into_values().collect()
}

/// Points every 20 minutes of the last 3 hours, numbered from the oldest, each of its own series.
async fn filled() -> (Fixture, i64) {
    let fixture = Fixture::new().await;
    let now = fixture.clock.now();
    for i in 0..9 {
        let time = now - 3 * HOUR + i * 20 * MINUTE + 1;
        fixture.write(&format!("m,s={i} v={i}i {time}")).await;
    }
    (fixture, now)
}

#[tokio::test]
async fn points_vanish_at_the_moment_they_expire_in_files_and_in_memory() {
    for is_flushed in [false, true] {
        let (fixture, now) = filled().await;
        if is_flushed {
            fixture.engine.flush().await.unwrap();
        }
        keep_for(&fixture, 7200).await;
        assert_eq!(values(&fixture), ["3i", "4i", "5i", "6i", "7i", "8i"]);
        fixture.clock.set(now + 1);
        assert_eq!(values(&fixture).len(), 6, "the bound itself is kept");
        fixture.clock.set(now + 2);
        assert_eq!(values(&fixture).len(), 5);
        let snapshot = fixture.snapshot();
        let partitions = snapshot.partitions("m", TimeRange::ALL);
        let series = partitions.iter().flat_map(|p| p.select(None).unwrap());
        assert_eq!(
            series.count(),
            5,
            "series without points that are kept are gone"
        );
        fixture.clock.set(now + 10 * HOUR);
        assert_eq!(fixture.snapshot().measurements().unwrap().len(), 0);
        // Nothing was removed: a longer retention brings back what is still there.
        keep_for(&fixture, 0).await;
        assert_eq!(values(&fixture).len(), 9);
    }
}

#[tokio::test]
async fn partitions_leave_the_disk_when_all_of_their_time_is_past() {
    let (mut fixture, now) = filled().await;
    fixture.engine.flush().await.unwrap();
    let dir = format!("/headwater/data/{}/m", fixture.bucket);
    let before = fixture.names(&dir).len();
    keep_for(&fixture, 3600).await;
    fixture.engine.expire().await.unwrap();
    let after = fixture.names(&dir).len();
    assert!(after < before && after > 0, "{before} {after}");
    assert_eq!(values(&fixture), ["6i", "7i", "8i"]);
    fixture.crash().await;
    keep_for(&fixture, 0).await;
    let left = values(&fixture);
    assert!(left.len() < 9 && left.ends_with(&["6i".into(), "7i".into(), "8i".into()]));
    fixture.clock.set(now + 100 * HOUR);
    keep_for(&fixture, 3600).await;
    fixture.engine.expire().await.unwrap();
    assert!(fixture.names(&dir).is_empty());
    assert_eq!(fixture.catalog.storage_records().await.unwrap().schema, []);
}
