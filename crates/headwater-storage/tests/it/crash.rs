//! What a power loss at any moment leaves: all acknowledged batches, none in part.

use std::path::Path;

use headwater_env::{FileSystem, SeededRandom};
use headwater_model::TimeRange;
use headwater_storage::{DeleteRequest, WriteTarget};

use crate::fixture::{self, Fixture, HOUR, everything, try_open};

/// One step of the scenario that is cut at every change of the disk.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Two points of two measurements in two partitions.
    Write(i64),
    DeleteBefore(i64),
    Flush,
    Compact,
}

const SCENARIO: [Step; 14] = [
    Step::Write(1),
    Step::Write(2),
    Step::Flush,
    Step::Write(3),
    Step::DeleteBefore(2),
    Step::Write(4),
    Step::Flush,
    Step::Compact,
    Step::Write(5),
    Step::DeleteBefore(4),
    Step::Flush,
    Step::Compact,
    Step::Write(6),
    Step::Write(7),
];

async fn run(fixture: &Fixture, step: Step) -> headwater_storage::Result<()> {
    match step {
        Step::Write(i) => {
            let target = WriteTarget {
                bucket: fixture.bucket,
                shard_group: HOUR,
                oldest: None,
            };
            let lines = format!("m v={i}i {i}\nn,t=a w=\"{i}\" {}", HOUR + i);
            fixture::write(&fixture.engine, target, &lines)
                .await
                .map(|_| ())
        }
        Step::DeleteBefore(i) => {
            let range = TimeRange::new(i64::MIN, i - 1);
            let measurements = Some(vec!["m".to_owned()]);
            let request = DeleteRequest {
                measurements,
                range,
                ..everything()
            };
            fixture.engine.delete(fixture.bucket, request).await
        }
        Step::Flush => fixture.engine.flush().await,
        Step::Compact => fixture.engine.compact_all(true).await,
    }
}

/// The points after the first `steps` steps: values of `m` and of `n`.
fn expected(steps: &[Step]) -> (Vec<i64>, Vec<i64>) {
    let (mut m, mut n) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Write(i) => {
                m.push(*i);
                n.push(*i);
            }
            Step::DeleteBefore(i) => m.retain(|value| value >= i),
            Step::Flush | Step::Compact => {}
        }
    }
    (m, n)
}

fn actual(fixture: &Fixture) -> (Vec<i64>, Vec<i64>) {
    let (mut m, mut n) = (Vec::new(), Vec::new());
    for ((series, time, _), value) in fixture.content() {
        if series == "m" {
            assert_eq!(value, format!("{time}i"));
            m.push(time);
        } else {
            assert_eq!(value, format!("\"{}\"", time - HOUR));
            n.push(time - HOUR);
        }
    }
    (m, n)
}

/// Cuts the power after each change of the disk in turn, until the scenario runs to its end.
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_loss_at_any_change() {
    let mut cut = 0;
    loop {
        let mut fixture = Fixture::new().await;
        fixture.disk.lose_power_after(cut);
        let mut done = 0;
        for step in SCENARIO {
            if run(&fixture, step).await.is_err() {
                break;
            }
            done += 1;
        }
        let is_complete = done == SCENARIO.len();
        fixture.crash().await;
        let found = actual(&fixture);
        let acknowledged = expected(&SCENARIO[..done]);
        let attempted = expected(&SCENARIO[..(done + 1).min(SCENARIO.len())]);
        assert!(
            found == acknowledged || found == attempted,
            "cut {cut}, {done} steps: {found:?}, expected {acknowledged:?} or {attempted:?}"
        );
        // What was found stays, and the engine goes on.
        fixture.reopen().await;
        assert_eq!(actual(&fixture), found, "cut {cut}: after a restart");
        fixture.write("m v=99i 99").await;
        if is_complete {
            assert!(cut > 30, "the scenario changes the disk often");
            return;
        }
        cut += 1;
    }
}

#[tokio::test]
async fn a_torn_tail_is_cut() {
    for seed in 0..40 {
        let mut fixture = Fixture::new().await;
        fixture.write("m v=1i 1").await;
        fixture.write("m v=2i 2").await;
        fixture.disk.fail_next(headwater_env::Operation::Sync);
        let target = WriteTarget {
            bucket: fixture.bucket,
            shard_group: HOUR,
            oldest: None,
        };
        assert!(
            fixture::write(&fixture.engine, target, "m v=3i 3")
                .await
                .is_err()
        );
        fixture.disk.crash_torn(&SeededRandom::new(seed));
        fixture.crash().await;
        let times: Vec<i64> = fixture.content().keys().map(|(_, time, _)| *time).collect();
        assert!(
            times == [1, 2] || times == [1, 2, 3],
            "seed {seed}: {times:?}"
        );
        fixture.write("m v=4i 4").await;
        fixture.crash().await;
        assert_eq!(fixture.content().len(), times.len() + 1);
    }
}

#[tokio::test]
async fn damage_before_the_end_is_reported_with_its_place() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.write("m v=2i 2").await;
    let path = Path::new("/headwater/wal/0000000000000001.log");
    let len = fixture.disk.read(path).unwrap().len();
    // Inside the first record's text.
    let image = fixture.disk.crash_image();
    assert!(image.corrupt(path, 16 + 12 + 40, 0x01));
    let opened = try_open(&fixture.settings, &fixture.catalog, &fixture.clock, &image).await;
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), headwater_storage::ErrorKind::Corrupt);
    assert_eq!(
        error.to_string(),
        format!(
            "write-ahead log {} is damaged at byte 16: checksum does not match",
            path.display()
        )
    );
    assert_eq!(image.read(path).unwrap().len(), len, "nothing was cut");
    // In the last record it could be a torn write.
    let image = fixture.disk.crash_image();
    assert!(image.corrupt(path, len - 1, 0x01));
    try_open(&fixture.settings, &fixture.catalog, &fixture.clock, &image)
        .await
        .unwrap();
}

#[tokio::test]
async fn files_that_are_not_listed_are_removed_at_start() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.engine.flush().await.unwrap();
    let dir = format!("/headwater/data/{}/m", fixture.bucket);
    for name in [
        "00000000000000ff.parquet",
        "00000000000000fe.parquet.tmp",
        "mine.txt",
    ] {
        let mut file = fixture.disk.create(&Path::new(&dir).join(name)).unwrap();
        file.append(b"x").unwrap();
        file.sync().unwrap();
    }
    fixture.disk.sync_dir(Path::new(&dir)).unwrap();
    fixture.crash().await;
    let names = fixture.names(&dir);
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"mine.txt".to_owned()));
    assert_eq!(fixture.content().len(), 1);
}

#[tokio::test]
async fn flushed_segments_are_removed() {
    let fixture = Fixture::with(|settings| settings.wal.segment_bytes = 100).await;
    for i in 0..20 {
        fixture.write(&format!("m v={i}i {i}")).await;
    }
    assert!(fixture.names("/headwater/wal").len() > 5);
    fixture.engine.flush().await.unwrap();
    assert!(fixture.names("/headwater/wal").len() <= 2);
    assert_eq!(fixture.content().len(), 20);
}

#[tokio::test]
async fn a_failed_flush_keeps_all_rows_and_is_repeated() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.disk.fail_next(headwater_env::Operation::Rename);
    assert!(fixture.engine.flush().await.is_err());
    fixture.write("m v=2i 2").await;
    assert_eq!(fixture.content().len(), 2);
    fixture.engine.flush().await.unwrap();
    assert_eq!(fixture.content().len(), 2);
    assert_eq!(fixture.engine.statistics().memtable_bytes, 0);
    fixture.crash().await;
    assert_eq!(fixture.content().len(), 2);
}
