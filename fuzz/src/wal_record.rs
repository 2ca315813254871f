//! Any records, and any bytes, as a write-ahead log that is found at start-up.
//!
//! The input is a list of records that are separated by lines of `~`. Of each the first byte is
//! the kind: `w` write, `d` delete, `b` bucket dropped, `c` checkpoint. The second says how much
//! greater its sequence number is than the last; the third of a write is its precision; the rest is
//! the text. With any other kind the rest is the payload as it is. An input that begins with `!` is
//! a segment as it is, without its head.

use std::path::Path;

use headwater_env::SimulatedFileSystem;
use headwater_model::Id;
use headwater_storage::Engine;

use super::{
    content::{Content, content},
    world::{HOUR, World, put},
};

thread_local! {
    static WORLD: World = World::new();
}

/// Sequence numbers that a delete may take, one for each measurement.
const DELETE_WIDTH: u64 = 100;

/// The log is refused or replayed. If it is one that we could have written, a second replay, a
/// flush and a restart after it find the same.
pub fn wal_record(data: &[u8]) {
    let log = Path::new("/headwater/wal/0000000000000001.log");
    WORLD.with(|world| {
        let (segment, is_ours) = segment(data, world.bucket);
        let disk = SimulatedFileSystem::new();
        put(&disk, log, &segment).expect("the disk is whole");
        let replayed = replay(world, &disk);
        if is_ours && let Ok(steps) = replayed {
            let [first, rest @ ..] = &steps;
            for (step, found) in ["second replay", "flush", "restart"].iter().zip(rest) {
                assert_eq!(found, first, "after a {step}");
            }
        }
        world.forget_files();
    });
}

fn replay(world: &World, disk: &SimulatedFileSystem) -> headwater_storage::Result<[Content; 4]> {
    let read = |engine: &Engine| content(&engine.snapshot(world.bucket));
    let first = read(&world.open(disk)?)?;
    let engine = world.open(disk).expect("what was replayed replays");
    let again = read(&engine)?;
    world.wait(engine.flush())?;
    let flushed = read(&engine)?;
    drop(engine);
    let reopened = read(&world.open(disk).expect("what was flushed opens"))?;
    Ok([first, again, flushed, reopened])
}

/// A segment, and whether its records are in order.
fn segment(data: &[u8], bucket: Id) -> (Vec<u8>, bool) {
    let mut segment = b"HWWAL\0\0\x01".to_vec();
    segment.extend_from_slice(&1_u64.to_le_bytes());
    if let Some(rest) = data.strip_prefix(b"!") {
        segment.extend_from_slice(rest);
        return (segment, false);
    }
    let (mut rest, mut sequence, mut is_ours) = (data, 1, true);
    loop {
        let end = rest.windows(3).position(|window| window == b"\n~\n");
        let record = &rest[..end.unwrap_or(rest.len())];
        match payload(record, sequence, bucket) {
            Some(payload) => frame(&payload, &mut segment),
            None => {
                is_ours = false;
                frame(record.get(1..).unwrap_or_default(), &mut segment);
            }
        }
        sequence += DELETE_WIDTH + u64::from(record.get(1).copied().unwrap_or_default());
        match end {
            Some(end) => rest = &rest[end + 3..],
            None => return (segment, is_ours),
        }
    }
}

fn payload(record: &[u8], sequence: u64, bucket: Id) -> Option<Vec<u8>> {
    let kind = 1 + b"wdbc"
        .iter()
        .position(|kind| record.first() == Some(kind))? as u8;
    let mut payload = vec![kind];
    payload.extend_from_slice(&sequence.to_le_bytes());
    payload.extend_from_slice(&bucket.get().to_le_bytes());
    let mut text = record.get(2..).unwrap_or_default();
    if kind == 1 {
        let precision;
        (precision, text) = text.split_first()?;
        payload.push(precision % 7);
        payload.extend_from_slice(&sequence.to_le_bytes());
        payload.extend_from_slice(&HOUR.to_le_bytes());
    }
    payload.extend_from_slice(text);
    Some(payload)
}

fn frame(payload: &[u8], segment: &mut Vec<u8>) {
    segment.extend_from_slice(&[0xF5, b'H', b'W', b'r']);
    segment.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    segment.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    segment.extend_from_slice(payload);
}
