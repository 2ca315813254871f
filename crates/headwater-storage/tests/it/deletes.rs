//! Deletes in memory, in files and across both.

use headwater_model::TimeRange;
use headwater_storage::{DeleteRequest, TagPredicate};

use crate::fixture::{Fixture, HOUR, everything, tag};

/// Where the rows are when the delete comes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Memory,
    Files,
    Both,
}

const PLACES: [Place; 3] = [Place::Memory, Place::Files, Place::Both];

async fn filled(place: Place) -> Fixture {
    let fixture = Fixture::new().await;
    fixture
        .write("cpu,host=a v=1 0\ncpu,host=b v=2 0\nmem,host=a u=1i 0")
        .await;
    if place == Place::Both {
        fixture.engine.flush().await.unwrap();
    }
    fixture
        .write(&format!(
            "cpu,host=a v=3 60\ncpu,host=b v=4 {HOUR}\nmem,host=b u=2i {HOUR}"
        ))
        .await;
    if place == Place::Files {
        fixture.engine.flush().await.unwrap();
    }
    fixture
}

fn points(fixture: &Fixture) -> Vec<String> {
    fixture
        .content()
        .keys()
        .map(|(series, time, _)| format!("{series}@{}", time.min(&61)))
        .collect()
}

/// The points left, at once, after a flush, a crash and a full compaction.
async fn check(request: DeleteRequest, expected: &[&str]) {
    for place in PLACES {
        let mut fixture = filled(place).await;
        fixture.delete(request.clone()).await;
        assert_eq!(points(&fixture), expected, "{place:?}");
        fixture.crash().await;
        assert_eq!(points(&fixture), expected, "{place:?} after a crash");
        fixture.engine.flush().await.unwrap();
        assert_eq!(points(&fixture), expected, "{place:?} after a flush");
        fixture.engine.compact_all(true).await.unwrap();
        assert_eq!(points(&fixture), expected, "{place:?} after compaction");
        assert_eq!(fixture.engine.statistics().tombstones, 0);
        fixture.reopen().await;
        assert_eq!(points(&fixture), expected, "{place:?} after a restart");
    }
}

#[tokio::test]
async fn a_range_of_one_measurement() {
    let request = DeleteRequest {
        measurements: Some(vec!["cpu".to_owned(), "nosuch".to_owned()]),
        predicate: None,
        range: TimeRange::new(i64::MIN, 59),
    };
    let left = [
        "cpu,host=a@60",
        "cpu,host=b@61",
        "mem,host=a@0",
        "mem,host=b@61",
    ];
    check(request, &left).await;
}

#[tokio::test]
async fn everything_after_a_time() {
    let request = DeleteRequest {
        range: TimeRange::new(60, i64::MAX),
        ..everything()
    };
    check(request, &["cpu,host=a@0", "cpu,host=b@0", "mem,host=a@0"]).await;
}

#[tokio::test]
async fn series_by_predicate() {
    let predicate = Some(TagPredicate::Not(Box::new(tag("host", "a"))));
    let request = DeleteRequest {
        predicate,
        ..everything()
    };
    check(request, &["cpu,host=a@0", "cpu,host=a@60", "mem,host=a@0"]).await;
}

#[tokio::test]
async fn everything_at_all() {
    check(everything(), &[]).await;
}

#[tokio::test]
async fn a_point_in_the_middle_of_a_series() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1 1\nm v=2 2\nm v=3 3").await;
    fixture.engine.flush().await.unwrap();
    fixture
        .delete(DeleteRequest {
            range: TimeRange::new(2, 2),
            ..everything()
        })
        .await;
    assert_eq!(points(&fixture), ["m@1", "m@3"]);
    // The ends go by two deletes of which none covers the series.
    fixture
        .delete(DeleteRequest {
            range: TimeRange::new(1, 1),
            ..everything()
        })
        .await;
    fixture
        .delete(DeleteRequest {
            range: TimeRange::new(3, 3),
            ..everything()
        })
        .await;
    assert!(fixture.snapshot().measurements().unwrap().is_empty());
    assert_eq!(fixture.engine.statistics().files, 0);
}

#[tokio::test]
async fn points_written_after_a_delete_stay() {
    for place in PLACES {
        let mut fixture = filled(place).await;
        fixture.delete(everything()).await;
        fixture.write("cpu,host=a v=9 0").await;
        assert_eq!(points(&fixture), ["cpu,host=a@0"]);
        fixture.crash().await;
        assert_eq!(points(&fixture), ["cpu,host=a@0"]);
        fixture.engine.flush().await.unwrap();
        fixture.engine.compact_all(true).await.unwrap();
        assert_eq!(points(&fixture), ["cpu,host=a@0"]);
    }
}

#[tokio::test]
async fn a_field_may_come_back_with_another_type() {
    for place in PLACES {
        let mut fixture = filled(place).await;
        fixture
            .delete(DeleteRequest {
                measurements: Some(vec!["cpu".to_owned()]),
                ..everything()
            })
            .await;
        fixture.write("cpu,host=a v=\"text\" 0").await;
        let check = |fixture: &Fixture| {
            let content = fixture.content();
            assert_eq!(
                content[&("cpu,host=a".to_owned(), 0, "v".to_owned())],
                "\"text\""
            );
        };
        check(&fixture);
        fixture.crash().await;
        check(&fixture);
        fixture.reopen().await;
        check(&fixture);
    }
}

#[tokio::test]
async fn a_measurement_without_series_is_not_listed() {
    for place in PLACES {
        let fixture = filled(place).await;
        let predicate = Some(TagPredicate::Has {
            key: "host".to_owned(),
        });
        let measurements = Some(vec!["mem".to_owned()]);
        fixture
            .delete(DeleteRequest {
                measurements,
                predicate,
                range: TimeRange::ALL,
            })
            .await;
        let names: Vec<_> = fixture.snapshot().measurements().unwrap();
        assert_eq!(
            names.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["cpu"]
        );
    }
}

#[tokio::test]
async fn a_snapshot_keeps_what_a_delete_removes() {
    let fixture = filled(Place::Both).await;
    let snapshot = fixture.snapshot();
    fixture.delete(everything()).await;
    fixture.engine.compact_all(true).await.unwrap();
    assert_eq!(crate::fixture::content(&snapshot).len(), 6);
    assert!(fixture.content().is_empty());
}

#[tokio::test]
async fn a_dropped_bucket_leaves_nothing() {
    let mut fixture = filled(Place::Both).await;
    fixture.engine.drop_bucket(fixture.bucket).await.unwrap();
    assert!(fixture.content().is_empty());
    let dir = format!("/headwater/data/{}/cpu", fixture.bucket);
    assert!(fixture.names(&dir).is_empty());
    fixture.crash().await;
    assert!(fixture.content().is_empty());
}

#[tokio::test]
async fn partitions_past_the_retention_are_dropped() {
    let mut fixture = filled(Place::Both).await;
    let rule = headwater_catalog::RetentionRule {
        every_seconds: Some(3600),
        shard_group_seconds: Some(3600),
    };
    let change = headwater_catalog::BucketChange {
        retention_rules: vec![rule],
        ..Default::default()
    };
    fixture
        .catalog
        .update_bucket(fixture.bucket, change)
        .await
        .unwrap();
    fixture.clock.set(2 * HOUR);
    fixture.engine.expire().await.unwrap();
    assert_eq!(points(&fixture), ["cpu,host=b@61", "mem,host=b@61"]);
    fixture.reopen().await;
    assert_eq!(points(&fixture), ["cpu,host=b@61", "mem,host=b@61"]);
}
