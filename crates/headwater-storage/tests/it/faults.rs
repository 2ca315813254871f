//! A disk that fails, is full, or gives back other bytes: what is refused, what goes on, and what
//! is right again afterwards.

use std::path::{Path, PathBuf};

use headwater_env::{FileSystem, Operation};
use headwater_storage::{Error, ErrorKind};

use crate::fixture::{Fixture, HOUR, everything, try_open};

/// The data files of the measurement `m`, as the disk lists them.
fn files(fixture: &Fixture) -> Vec<PathBuf> {
    let dir = format!("/headwater/data/{}/m", fixture.bucket);
    let names = fixture.names(&dir).into_iter();
    names.map(|name| Path::new(&dir).join(name)).collect()
}

fn values(fixture: &Fixture) -> Vec<String> {
    fixture.content().into_values().collect()
}

#[tokio::test]
async fn a_failed_sync_stops_writes_until_a_restart_and_reads_go_on() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.disk.fail_next(Operation::Sync);
    for lines in ["m v=2i 2", "m v=3i 3"] {
        let error = fixture.try_write(lines).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.to_string(),
            "engine: writes are refused until a restart, since a failure: write-ahead log \
             /headwater/wal/0000000000000001.log: simulated failure of Sync"
        );
    }
    assert!(fixture.engine.statistics().is_poisoned);
    assert!(values(&fixture).contains(&"1i".to_owned()));
    fixture.crash().await;
    fixture.write("m v=4i 4").await;
    assert_eq!(values(&fixture), ["1i", "4i"]);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_takes_them_again_when_there_is_room() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture
        .disk
        .set_capacity(Some(fixture.disk.used_bytes() + 20));
    for _ in 0..2 {
        let error = fixture.try_write("m v=2i 2").await.unwrap_err();
        assert!(matches!(error, Error::DiskFull { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let refused = fixture.engine.delete(fixture.bucket, everything()).await;
        assert!(matches!(refused, Err(Error::DiskFull { .. })));
    }
    let statistics = fixture.engine.statistics();
    assert!(statistics.is_disk_full && !statistics.is_poisoned);
    assert!(values(&fixture).contains(&"1i".to_owned()));

    fixture.disk.set_capacity(None);
    fixture.write("m v=3i 3").await;
    assert!(!fixture.engine.statistics().is_disk_full);
    // The write that met the full disk was applied, and is in the log now.
    assert_eq!(values(&fixture), ["1i", "2i", "3i"]);
    fixture.crash().await;
    assert_eq!(values(&fixture), ["1i", "2i", "3i"]);
}

#[tokio::test]
async fn a_full_disk_in_the_midst_of_a_segment_loses_nothing_of_it() {
    for room in 0..90 {
        let mut fixture = Fixture::new().await;
        fixture.write("m v=1i 1").await;
        fixture.write("m v=2i 2").await;
        fixture
            .disk
            .set_capacity(Some(fixture.disk.used_bytes() + room));
        let is_written = fixture.try_write("m v=3i 3").await.is_ok();
        let image = fixture.disk.crash_image();
        let opened = try_open(&fixture.settings, &fixture.catalog, &fixture.clock, &image).await;
        let found = crate::fixture::content(&opened.unwrap().snapshot(fixture.bucket));
        assert_eq!(found.len(), if is_written { 3 } else { 2 }, "room {room}");
        fixture.disk.set_capacity(None);
        fixture.write("m v=4i 4").await;
        fixture.crash().await;
        assert_eq!(values(&fixture), ["1i", "2i", "3i", "4i"], "room {room}");
    }
}

#[tokio::test]
async fn a_flush_without_room_leaves_no_file_behind_and_is_repeated() {
    let mut fixture = Fixture::new().await;
    fixture.write(&format!("m v=1i 1\nm v=2i {HOUR}")).await;
    let flushed = {
        let other = Fixture::new().await;
        other.write(&format!("m v=1i 1\nm v=2i {HOUR}")).await;
        other.engine.flush().await.unwrap();
        other.engine.statistics().file_bytes
    };
    // One of two files fits.
    fixture
        .disk
        .set_capacity(Some(fixture.disk.used_bytes() + flushed * 3 / 4));
    let error = fixture.engine.flush().await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert!(files(&fixture).is_empty());
    assert_eq!(values(&fixture), ["1i", "2i"]);
    fixture.disk.set_capacity(None);
    fixture.engine.flush().await.unwrap();
    assert_eq!(files(&fixture).len(), 2);
    fixture.crash().await;
    assert_eq!(values(&fixture), ["1i", "2i"]);
}

#[tokio::test]
async fn a_flush_makes_the_room_that_the_log_lacks() {
    let mut fixture = Fixture::new().await;
    let long = "x".repeat(20_000);
    fixture.write(&format!("m v=\"{long}\" 1")).await;
    fixture
        .disk
        .set_capacity(Some(fixture.disk.used_bytes() + 6_000));
    let refused = fixture.try_write(&format!("m v=\"{long}y\" 2")).await;
    assert!(matches!(refused, Err(Error::DiskFull { .. })));
    // Both writes compress well, and are in files when their records go.
    fixture.engine.flush().await.unwrap();
    fixture.write("m v=\"z\" 3").await;
    let before = values(&fixture);
    assert_eq!(before.len(), 3);
    fixture.crash().await;
    assert_eq!(values(&fixture), before);
}

#[tokio::test]
async fn a_delete_that_the_catalog_refused_is_listed_with_the_next_files() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1\nm v=2i 2").await;
    fixture.engine.flush().await.unwrap();
    // The catalog is a file of its own and never full here: the log is what fails.
    fixture.disk.set_capacity(Some(fixture.disk.used_bytes()));
    let request = headwater_storage::DeleteRequest {
        range: headwater_model::TimeRange::new(1, 1),
        ..everything()
    };
    let refused = fixture.engine.delete(fixture.bucket, request).await;
    assert!(matches!(refused, Err(Error::DiskFull { .. })));
    fixture.disk.set_capacity(None);
    fixture.write("m v=3i 3").await;
    assert_eq!(values(&fixture), ["2i", "3i"]);
    fixture.engine.flush().await.unwrap();
    fixture.crash().await;
    assert_eq!(values(&fixture), ["2i", "3i"]);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_the_rest_stays_readable() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.engine.flush().await.unwrap();
    let damaged = files(&fixture).remove(0);
    fixture.write("m v=2i 2").await;
    fixture.engine.flush().await.unwrap();
    let len = fixture.disk.read(&damaged).unwrap().len();
    assert!(fixture.disk.corrupt(&damaged, len - 30, 1));

    let read = fixture
        .snapshot()
        .partitions("m", headwater_model::TimeRange::ALL)[0]
        .select(None);
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(
        error.to_string().contains(damaged.to_str().unwrap()),
        "{error}"
    );
    let check = |fixture: &Fixture| {
        assert_eq!(values(fixture), ["2i"]);
        assert_eq!(fixture.engine.statistics().damaged_files, 1);
        let mut aside = damaged.clone().into_os_string();
        aside.push(".damaged");
        assert!(files(fixture).contains(&PathBuf::from(aside)));
    };
    check(&fixture);
    fixture.engine.compact_all(true).await.unwrap();
    check(&fixture);
    fixture.reopen().await;
    check(&fixture);
    // Its rows may be repaired, so only what ends the partition takes it along.
    fixture.engine.drop_bucket(fixture.bucket).await.unwrap();
    assert!(files(&fixture).is_empty());
}

#[tokio::test]
async fn a_missing_file_is_left_out() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.engine.flush().await.unwrap();
    fixture.write("m v=2i 2").await;
    let path = files(&fixture).remove(0);
    let content = fixture.disk.read(&path).unwrap();
    fixture.disk.remove(&path).unwrap();
    fixture.disk.sync_dir(path.parent().unwrap()).unwrap();
    fixture.crash().await;
    assert_eq!(values(&fixture), ["2i"]);
    assert_eq!(fixture.engine.statistics().damaged_files, 1);
    // Someone finds it again.
    let mut file = fixture.disk.create(&path).unwrap();
    file.append(&content).unwrap();
    file.sync().unwrap();
    fixture.disk.sync_dir(path.parent().unwrap()).unwrap();
    fixture.crash().await;
    assert_eq!(values(&fixture), ["1i", "2i"]);
}

#[tokio::test]
async fn files_of_a_bucket_that_the_catalog_does_not_know_are_removed_at_start() {
    let mut fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    fixture.engine.flush().await.unwrap();
    fixture.catalog.delete_bucket(fixture.bucket).await.unwrap();
    // The server dies before storage hears of it.
    fixture.crash().await;
    assert!(files(&fixture).is_empty());
    let records = fixture.catalog.storage_records().await.unwrap();
    assert_eq!(records.files, []);
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_refused() {
    let fixture = Fixture::new().await;
    fixture.write("m v=1i 1").await;
    let newer = |path: &str, content: &[u8]| {
        let image = fixture.disk.crash_image();
        let path = Path::new(path);
        let mut file = image.create(path).unwrap();
        file.append(content).unwrap();
        file.sync().unwrap();
        image.sync_dir(path.parent().unwrap()).unwrap();
        image
    };
    for (path, content, expected) in [
        (
            "/headwater/data/format",
            b"2\n".to_vec(),
            "data directory /headwater/data/format: it has format version 2, this program knows \
             versions up to 1: it was written by a newer program",
        ),
        (
            "/headwater/wal/0000000000000001.log",
            [b"HWWAL\x00\x00\x02", &[0; 20][..]].concat(),
            "data directory /headwater/wal/0000000000000001.log: it has format version 2, this \
             program reads version 1: it was written by a newer program",
        ),
    ] {
        let image = newer(path, &content);
        let opened = try_open(&fixture.settings, &fixture.catalog, &fixture.clock, &image).await;
        assert_eq!(opened.unwrap_err().to_string(), expected);
    }
}
