use std::{path::Path, sync::Arc};

use bytes::Bytes;
use headwater_env::{FileSystem, SimulatedClock, SimulatedFileSystem};
use headwater_model::{Id, Precision};

use super::{Entry, Record, Start, Wal, open};
use crate::{
    poison::Poison,
    settings::{Fsync, WalSettings},
    tombstone::DeleteRecord,
};

const DIR: &str = "/wal";

fn bucket() -> Id {
    Id::new(7).unwrap()
}

fn write(sequence: u64, lines: impl Into<Bytes>) -> Record {
    let lines = lines.into();
    let (precision, bucket) = (Precision::Millisecond, bucket());
    Record {
        sequence,
        entry: Entry::Write {
            bucket,
            precision,
            default_time: -5,
            shard_group: 3600,
            lines,
        },
    }
}

fn all_kinds() -> Vec<Record> {
    let delete = DeleteRecord {
        measurements: Some(vec!["m".to_owned()]),
        predicate: Some(crate::TagPredicate::Has {
            key: "host".to_owned(),
        }),
        min_time: i64::MIN,
        max_time: i64::MAX,
    };
    vec![
        write(1, "m v=1"),
        Record {
            sequence: 2,
            entry: Entry::Delete {
                bucket: bucket(),
                delete,
            },
        },
        Record {
            sequence: 3,
            entry: Entry::DropBucket { bucket: bucket() },
        },
        Record {
            sequence: 3,
            entry: Entry::Checkpoint,
        },
        write(4, vec![b'x'; 1 << 20]),
    ]
}

fn start(disk: &SimulatedFileSystem, settings: WalSettings) -> Wal {
    let opened = open(disk, Path::new(DIR)).unwrap();
    Wal::start(Start {
        file_system: Arc::new(disk.clone()),
        clock: Arc::new(SimulatedClock::new(0)),
        dir: DIR.into(),
        settings,
        poison: Poison::default(),
        segments: opened.segments,
        generation: 1,
    })
    .unwrap()
}

fn append(wal: &Wal, record: Record) {
    wal.append(record).blocking_recv().unwrap().unwrap();
}

#[test]
fn payloads_read_back_as_they_were_written() {
    for record in all_kinds() {
        let (head, body) = record.encode();
        let payload = Bytes::from([head.as_slice(), &body].concat());
        assert_eq!(Record::decode(&payload).unwrap(), record);
    }
}

#[test]
fn payloads_that_are_cut_or_unknown_are_refused() {
    let (head, _) = write(1, "").encode();
    for len in 0..head.len() {
        assert!(
            Record::decode(&Bytes::copy_from_slice(&head[..len])).is_err(),
            "{len}"
        );
    }
    let mut unknown = head;
    unknown[0] = 99;
    assert_eq!(
        Record::decode(&unknown.into()).unwrap_err(),
        "unknown kind of record 99"
    );
}

#[test]
fn acknowledged_records_survive_a_crash() {
    let disk = SimulatedFileSystem::new();
    let wal = start(&disk, WalSettings::default());
    for record in all_kinds() {
        append(&wal, record);
    }
    let image = disk.crash_image();
    assert_eq!(open(&image, Path::new(DIR)).unwrap().records, all_kinds());
}

#[test]
fn records_that_wait_together_share_a_sync() {
    let disk = SimulatedFileSystem::new();
    let wal = start(&disk, WalSettings::default());
    let before = disk.changes();
    let done: Vec<_> = (1..=500).map(|i| wal.append(write(i, "m v=1"))).collect();
    for done in done {
        done.blocking_recv().unwrap().unwrap();
    }
    // Two changes a record, an append and a sync, if none were shared.
    assert!(
        disk.changes() - before < 900,
        "{} changes",
        disk.changes() - before
    );
}

#[test]
fn an_interval_syncs_later_but_at_the_end() {
    let disk = SimulatedFileSystem::new();
    let fsync = Fsync::Interval(std::time::Duration::from_secs(3600));
    let wal = start(
        &disk,
        WalSettings {
            fsync,
            ..WalSettings::default()
        },
    );
    append(&wal, write(1, "m v=1"));
    assert!(
        open(&disk.crash_image(), Path::new(DIR))
            .unwrap()
            .records
            .is_empty()
    );
    wal.stop();
    assert_eq!(
        open(&disk.crash_image(), Path::new(DIR))
            .unwrap()
            .records
            .len(),
        1
    );
}

#[test]
fn a_released_generation_leaves_only_later_segments() {
    let disk = SimulatedFileSystem::new();
    let wal = start(
        &disk,
        WalSettings {
            segment_bytes: 1,
            ..WalSettings::default()
        },
    );
    for i in 1..=3 {
        append(&wal, write(i, "m v=1"));
    }
    wal.begin(2);
    append(&wal, write(4, "m v=2"));
    wal.release(1, 3).blocking_recv().unwrap().unwrap();
    let left = open(&disk.crash_image(), Path::new(DIR)).unwrap().records;
    let writes = left
        .iter()
        .filter(|record| matches!(record.entry, Entry::Write { .. }));
    assert_eq!(
        writes.map(|record| record.sequence).collect::<Vec<_>>(),
        [4]
    );
    assert!(left.contains(&Record {
        sequence: 3,
        entry: Entry::Checkpoint
    }));
}

#[test]
fn a_generation_is_kept_until_it_is_released_whatever_starts_again() {
    let disk = SimulatedFileSystem::new();
    for i in 1..=3 {
        let wal = start(&disk, WalSettings::default());
        append(&wal, write(i, "m v=1"));
    }
    assert_eq!(open(&disk, Path::new(DIR)).unwrap().records.len(), 3);
    let wal = start(&disk, WalSettings::default());
    wal.begin(2);
    wal.release(1, 3).blocking_recv().unwrap().unwrap();
    let writes = open(&disk, Path::new(DIR)).unwrap().records;
    assert!(
        writes
            .iter()
            .all(|record| record.entry == Entry::Checkpoint)
    );
}

#[test]
fn a_failed_append_refuses_what_comes_after() {
    let disk = SimulatedFileSystem::new();
    let wal = start(&disk, WalSettings::default());
    append(&wal, write(1, "m v=1"));
    disk.fail_next(headwater_env::Operation::Append);
    for i in 2..4 {
        assert!(
            wal.append(write(i, "m v=1"))
                .blocking_recv()
                .unwrap()
                .is_err()
        );
    }
    let records = open(&disk, Path::new(DIR)).unwrap().records;
    assert_eq!(records.len(), 1);
}

#[test]
fn every_cut_of_the_last_segment_keeps_the_whole_records_before_it() {
    let disk = SimulatedFileSystem::new();
    let wal = start(&disk, WalSettings::default());
    let mut ends = vec![16];
    for i in 1..=3 {
        append(&wal, write(i, format!("m v={i}")));
        ends.push(
            disk.read(Path::new("/wal/0000000000000001.log"))
                .unwrap()
                .len(),
        );
    }
    wal.stop();
    let path = Path::new("/wal/0000000000000001.log");
    for len in 0..ends[3] {
        let image = disk.crash_image();
        image.truncate(path, len as u64).unwrap();
        let whole = ends
            .iter()
            .filter(|&&end| end <= len)
            .count()
            .saturating_sub(1);
        assert_eq!(
            open(&image, Path::new(DIR)).unwrap().records.len(),
            whole,
            "cut at {len}"
        );
    }
}

#[test]
fn a_flipped_bit_never_goes_unnoticed() {
    let disk = SimulatedFileSystem::new();
    let wal = start(&disk, WalSettings::default());
    for i in 1..=3 {
        append(&wal, write(i, format!("m v={i}")));
    }
    wal.stop();
    let path = Path::new("/wal/0000000000000001.log");
    let len = disk.read(path).unwrap().len();
    let last = len - (len - 16) / 3;
    for at in 0..len {
        let image = disk.crash_image();
        assert!(image.corrupt(path, at, 0x10));
        match open(&image, Path::new(DIR)) {
            // The last record looks torn, the others are damaged.
            Ok(opened) => assert!(at >= last && opened.records.len() == 2, "flip at {at}"),
            Err(error) => assert!(at < last, "flip at {at}: {error}"),
        }
    }
}
