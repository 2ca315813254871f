//! What is stored, what is refused, and with which words.

use headwater_model::TimeRange;
use headwater_storage::{PartialWrite, RetentionLimit, WriteOutcome};

use crate::fixture::{Fixture, HOUR};

#[tokio::test]
async fn points_are_readable_when_the_write_returns() {
    let fixture = Fixture::new().await;
    fixture
        .write("cpu,host=a v=1,s=\"x\",b=true,i=2i,u=3u 10\ncpu,host=b v=2 20\n")
        .await;
    let content = fixture.content();
    let text: Vec<String> = content
        .iter()
        .map(|((s, t, f), v)| format!("{s} {f}={v} {t}"))
        .collect();
    assert_eq!(
        text,
        [
            "cpu,host=a b=true 10",
            "cpu,host=a i=2i 10",
            "cpu,host=a s=\"x\" 10",
            "cpu,host=a u=3u 10",
            "cpu,host=a v=1 10",
            "cpu,host=b v=2 20"
        ]
    );
}

#[tokio::test]
async fn the_last_of_a_repeated_field_wins() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1,w=1,v=2 1\nm v=1,v=3 2").await;
    let content = fixture.content();
    assert_eq!(content[&("m".to_owned(), 1, "v".to_owned())], "2");
    assert_eq!(content[&("m".to_owned(), 2, "v".to_owned())], "3");
}

#[tokio::test]
async fn a_newer_point_replaces_only_the_fields_it_has() {
    let mut fixture = Fixture::new().await;
    for step in 0..3 {
        fixture.write("m v=1,w=1 1").await;
        fixture.write("m v=2 1").await;
        if step == 1 {
            fixture.engine.flush().await.unwrap();
        }
        if step == 2 {
            fixture.reopen().await;
        }
        let content = fixture.content();
        assert_eq!(content[&("m".to_owned(), 1, "v".to_owned())], "2");
        assert_eq!(content[&("m".to_owned(), 1, "w".to_owned())], "1");
    }
}

async fn partial(
    fixture: &Fixture,
    lines: &str,
    reason: &str,
    dropped: usize,
    rejected: &[usize],
    names_bucket: bool,
) {
    let expected = PartialWrite {
        reason: reason.to_owned(),
        dropped,
        names_bucket,
        rejected: rejected.to_vec(),
    };
    assert_eq!(
        fixture.try_write(lines).await.unwrap(),
        WriteOutcome::Partial(expected)
    );
}

#[tokio::test]
async fn a_type_conflict_drops_the_point_and_keeps_the_others() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1 1").await;
    let reason = "field type conflict: input field \"v\" on measurement \"m\" is type string, \
                  already exists as type float";
    partial(
        &fixture,
        "m v=\"a\" 2\nm v=\"b\",x=1 3\nm v=4 4\nm v=5i 5",
        reason,
        3,
        &[0, 1, 3],
        false,
    )
    .await;
    let times: Vec<i64> = fixture.content().keys().map(|(_, time, _)| *time).collect();
    assert_eq!(times, [1, 4]);
}

#[tokio::test]
async fn types_are_per_partition() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1 1").await;
    fixture.write(&format!("m v=1i {HOUR}")).await;
    let reason = "field type conflict: input field \"v\" on measurement \"m\" is type float, \
                  already exists as type integer";
    let lines = format!("m v=2 {}\nm v=2i 2\nm v=3 3", HOUR + 1);
    partial(&fixture, &lines, reason, 1, &[0, 1], false).await;
    fixture.reopen().await;
    partial(
        &fixture,
        &format!("m v=2 {}", HOUR + 1),
        reason,
        1,
        &[0],
        false,
    )
    .await;
}

#[tokio::test]
async fn the_first_type_within_a_batch_wins() {
    let fixture = Fixture::new().await;
    let reason = "field type conflict: input field \"v\" on measurement \"m\" is type float, \
                  already exists as type integer";
    partial(
        &fixture,
        "m,t=a v=1i 1\nm,t=b v=2 1",
        reason,
        1,
        &[1],
        false,
    )
    .await;
}

#[tokio::test]
async fn a_field_called_time_is_left_out() {
    let fixture = Fixture::new().await;
    let only = "invalid field name: input field \"time\" on measurement \"m\" is invalid";
    partial(&fixture, "m time=1 1", only, 1, &[0], false).await;
    let stripped = format!("{only}. Field \"time\" has been stripped from point.");
    partial(&fixture, "m time=1,v=2 1", &stripped, 0, &[], true).await;
    assert_eq!(fixture.content().len(), 1);
}

#[tokio::test]
async fn too_long_strings_are_refused() {
    let fixture = Fixture::new().await;
    let longest = "x".repeat(1_048_576);
    fixture.write(&format!("m s=\"{longest}\" 1")).await;
    let reason = "input field \"s\" on measurement \"m\" is too long, 1048577 > 1048576";
    partial(
        &fixture,
        &format!("m s=\"{longest}x\" 2\nm s=\"y\" 3"),
        reason,
        1,
        &[0],
        false,
    )
    .await;
    assert_eq!(fixture.content().len(), 2);
}

#[tokio::test]
async fn points_older_than_the_retention_are_dropped() {
    let fixture = Fixture::new().await;
    let limit = RetentionLimit {
        lower_bound: 1_672_531_200_500_000_000,
        duration: 7200 * 1_000_000_000,
    };
    let lines =
        "m,t=a v=1 1672531200400000000\nm v=2 1672531200000000000\nm v=3 1672531201000000000";
    let outcome = fixture.write_with(lines, Some(limit)).await.unwrap();
    let reason = "dropped 2 points outside retention policy of duration 2h0m0s - oldest point m at \
                  2023-01-01T00:00:00Z dropped because it violates a Retention Policy Lower Bound \
                  at 2023-01-01T00:00:00.5Z, newest point m,t=a at 2023-01-01T00:00:00.4Z dropped \
                  because it violates a Retention Policy Lower Bound at 2023-01-01T00:00:00.5Z";
    let expected = PartialWrite {
        reason: reason.to_owned(),
        dropped: 2,
        names_bucket: true,
        rejected: vec![0, 1],
    };
    assert_eq!(outcome, WriteOutcome::Partial(expected));
    assert_eq!(fixture.content().len(), 1);
}

#[tokio::test]
async fn partitions_are_as_wide_as_the_shard_group() {
    let fixture = Fixture::new().await;
    fixture
        .write(&format!(
            "m,a=1 v=1 1\nm,b=1 w=1 {HOUR}\nm v=1 {}",
            2 * HOUR
        ))
        .await;
    let snapshot = fixture.snapshot();
    let partitions = snapshot.partitions("m", TimeRange::new(0, HOUR));
    assert_eq!(partitions.len(), 2);
    assert_eq!(partitions[0].range(), TimeRange::new(0, HOUR - 1));
    let fields: Vec<_> = partitions[1]
        .fields()
        .keys()
        .map(|name| name.to_string())
        .collect();
    assert_eq!(fields, ["w"]);
    let tags: Vec<_> = partitions[1]
        .tag_keys()
        .iter()
        .map(|name| name.to_string())
        .collect();
    assert_eq!(tags, ["b"]);
    assert!(snapshot.partitions("x", TimeRange::ALL).is_empty());
}

#[tokio::test]
async fn beyond_the_budget_writes_are_refused_until_a_flush() {
    type Limit = fn(&mut headwater_storage::Settings);
    let limits: [Limit; 2] = [
        |settings| settings.memtable_bytes_max = 1,
        |settings| settings.wal.bytes_max = 1,
    ];
    for limit in limits {
        let fixture = Fixture::with(|settings| {
            limit(settings);
            settings.write_wait_max = std::time::Duration::ZERO;
        })
        .await;
        fixture.write("m v=1 1").await;
        let error = fixture.try_write("m v=1 2").await.unwrap_err();
        assert_eq!(error.to_string(), "engine: cache-max-memory-size exceeded");
        assert_eq!(error.kind(), headwater_storage::ErrorKind::Unavailable);
        assert_eq!(fixture.content().len(), 1, "reads go on");
        fixture.engine.flush().await.unwrap();
        fixture.write("m v=1 2").await;
        assert_eq!(fixture.content().len(), 2);
    }
}

#[tokio::test]
async fn a_write_beyond_the_budget_waits_for_a_flush_that_makes_room() {
    let fixture = Fixture::with(|settings| {
        settings.memtable_bytes_max = 1;
        settings.write_wait_max = std::time::Duration::from_secs(3600);
    })
    .await;
    fixture.write("m v=1 1").await;
    // The write is polled first, finds no room, and waits for the flush beside it.
    let flush = async { fixture.engine.flush().await.unwrap() };
    tokio::join!(biased; fixture.write("m v=1 2"), flush);
    assert_eq!(fixture.content().len(), 2);
}

#[tokio::test]
async fn records_that_a_restart_replays_count_against_the_budget() {
    let mut fixture = Fixture::with(|settings| {
        settings.wal.bytes_max = 1;
        settings.write_wait_max = std::time::Duration::ZERO;
    })
    .await;
    fixture.write("m v=1 1").await;
    fixture.crash().await;
    assert_eq!(fixture.engine.statistics().log_bytes, "m v=1 1".len());
    assert!(fixture.try_write("m v=1 2").await.is_err());
}

#[tokio::test]
async fn a_closed_engine_refuses_writes_and_has_flushed() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1 1").await;
    fixture.engine.close().await.unwrap();
    assert_eq!(
        fixture.try_write("m v=1 2").await.unwrap_err().to_string(),
        "engine: closed"
    );
    assert_eq!(fixture.engine.statistics().files, 1);
    assert_eq!(fixture.engine.statistics().memtable_bytes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_are_all_stored() {
    let mut fixture = Fixture::new().await;
    let before = fixture.disk.changes();
    let writes = (0..200).map(|i| {
        let engine = fixture.engine.clone();
        let bucket = fixture.bucket;
        tokio::spawn(async move {
            let target = headwater_storage::WriteTarget {
                bucket,
                shard_group: HOUR,
                oldest: None,
            };
            crate::fixture::write(&engine, target, &format!("m v={i} {i}"))
                .await
                .unwrap();
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    assert_eq!(fixture.content().len(), 200);
    assert!(fixture.disk.changes() > before);
    fixture.crash().await;
    assert_eq!(fixture.content().len(), 200);
}
