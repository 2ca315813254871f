//! Many series: figures about them, and the limit of a bucket.

use headwater_model::TimeRange;
use headwater_storage::{PartialWrite, WriteOutcome};

use crate::fixture::{Fixture, HOUR, everything, tag};

/// Spellings and places of ten series, some of them twice, in memory, in files and deleted.
async fn filled(is_flushed: bool) -> Fixture {
    let fixture = Fixture::new().await;
    for i in 0..8 {
        fixture
            .write(&format!("m,b=x{},a={} v={i} {i}", i % 4, i % 8))
            .await;
        if is_flushed && i % 3 == 0 {
            fixture.engine.flush().await.unwrap();
        }
    }
    fixture
        .write(&format!(
            "m,a=0,b=x0 v=1 {HOUR}\nm v=1 1\nm,a=\\ z v=2 5\nn v=1 1"
        ))
        .await;
    fixture
}

/// What the figures must be, from the series themselves.
fn check(fixture: &Fixture) {
    let snapshot = fixture.snapshot();
    let mut keys = Vec::new();
    for partition in snapshot.partitions("m", TimeRange::ALL) {
        keys.extend(
            partition
                .select(None)
                .unwrap()
                .into_iter()
                .map(|series| series.key),
        );
    }
    keys.sort();
    keys.dedup();
    assert_eq!(snapshot.count_series("m").unwrap(), keys.len());
    for tag in ["a", "b", "c"] {
        let mut values: Vec<_> = keys
            .iter()
            .filter_map(|key| key.tag(tag).cloned())
            .collect();
        values.sort();
        values.dedup();
        assert_eq!(snapshot.tag_values("m", tag).unwrap(), values);
    }
}

#[tokio::test]
async fn figures_of_series_are_exact_wherever_they_are() {
    for is_flushed in [false, true] {
        let mut fixture = filled(is_flushed).await;
        assert_eq!(fixture.snapshot().count_series("m").unwrap(), 10);
        check(&fixture);
        let request = headwater_storage::DeleteRequest {
            predicate: Some(tag("b", "x1")),
            ..everything()
        };
        fixture.delete(request).await;
        assert_eq!(fixture.snapshot().count_series("m").unwrap(), 8);
        check(&fixture);
        fixture.engine.flush().await.unwrap();
        check(&fixture);
        fixture.engine.compact_all(true).await.unwrap();
        check(&fixture);
        fixture.reopen().await;
        assert_eq!(fixture.snapshot().count_series("m").unwrap(), 8);
        assert_eq!(fixture.snapshot().count_series("unknown").unwrap(), 0);
    }
}

#[tokio::test]
async fn beyond_the_limit_only_points_of_new_series_are_rejected() {
    let mut fixture = Fixture::with(|settings| settings.series_per_bucket_max = 2).await;
    fixture.write("m,t=a v=1 1").await;
    let rejected = |rejected: &[usize]| {
        WriteOutcome::Partial(PartialWrite {
            reason: "max-series-per-bucket limit exceeded: (2)".to_owned(),
            dropped: rejected.len(),
            names_bucket: false,
            rejected: rejected.to_vec(),
        })
    };
    let lines = "m,t=b v=1 1\nm,t=c v=1 1\nn v=1 1\nm,t=a v=2 2";
    assert_eq!(fixture.try_write(lines).await.unwrap(), rejected(&[1, 2]));
    fixture.engine.flush().await.unwrap();
    // Neither a flush nor a restart forgets which series there are.
    fixture.reopen().await;
    fixture.write("m,t=a v=3 3\nm,t=b v=3 3").await;
    assert_eq!(
        fixture.try_write("m,t=d v=1 1").await.unwrap(),
        rejected(&[0])
    );
    assert_eq!(fixture.snapshot().count_series("m").unwrap(), 2);
    // What a delete removes makes room.
    let request = headwater_storage::DeleteRequest {
        predicate: Some(tag("t", "a")),
        ..everything()
    };
    fixture.delete(request).await;
    fixture.write("m,t=d v=1 1").await;
    assert_eq!(
        fixture.try_write("m,t=a v=1 1").await.unwrap(),
        rejected(&[0])
    );
    // Another bucket has a limit of its own.
    let other = crate::fixture::create_bucket(&fixture.catalog, "other").await;
    let target = headwater_storage::WriteTarget {
        bucket: other,
        shard_group: HOUR,
        oldest: None,
    };
    let written = crate::fixture::write(&fixture.engine, target, "m,t=a v=1 1").await;
    assert_eq!(written.unwrap(), WriteOutcome::Accepted);
}
