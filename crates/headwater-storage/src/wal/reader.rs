//! Reads the log at start-up: cuts a torn tail, refuses damage anywhere else.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_env::FileSystem;

use super::record::{
    FRAME_HEAD_LEN, FRAME_MARK, PAYLOAD_LEN_MIN, Record, SEGMENT_HEAD, SEGMENT_HEAD_LEN,
};
use crate::{
    error::{Error, Result},
    limits::WAL_RECORD_BYTES_MAX,
};

/// The log as it was left.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// Numbers of the segments, ascending.
    pub(crate) segments: Vec<u64>,
    pub(crate) records: Vec<Record>,
}

/// The path of a segment.
pub(crate) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.log"))
}

/// Reads all segments in `dir`. A last segment that ends inside a record is cut there: that write
/// was never acknowledged. Anything else that does not read is an error and nothing is changed.
pub(crate) fn open(file_system: &dyn FileSystem, dir: &Path) -> Result<Opened> {
    let io = |path: &Path, source| Error::Wal {
        path: path.to_owned(),
        source,
    };
    let numbers = numbers(file_system, dir)?;
    let mut opened = Opened::default();
    for (i, &number) in numbers.iter().enumerate() {
        let path = segment_path(dir, number);
        let bytes = Bytes::from(file_system.read(&path).map_err(|e| io(&path, e))?);
        let is_last = i + 1 == numbers.len();
        let good = read_segment(&path, number, &bytes, is_last, &mut opened.records)?;
        if good < bytes.len() {
            tracing::warn!(path = %path.display(), good, len = bytes.len(), "cut a torn tail");
            if good < SEGMENT_HEAD_LEN {
                file_system.remove(&path).map_err(|e| io(&path, e))?;
                continue;
            }
            file_system
                .truncate(&path, good as u64)
                .map_err(|e| io(&path, e))?;
        }
        opened.segments.push(number);
    }
    Ok(opened)
}

/// The numbers of the segments, ascending.
pub(super) fn numbers(file_system: &dyn FileSystem, dir: &Path) -> Result<Vec<u64>> {
    let names = file_system.list(dir).map_err(|source| Error::Wal {
        path: dir.to_owned(),
        source,
    })?;
    let number = |name: &String| u64::from_str_radix(name.strip_suffix(".log")?, 16).ok();
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Adds the records of a segment; returns how many bytes of it are good.
fn read_segment(
    path: &Path,
    number: u64,
    bytes: &Bytes,
    is_last: bool,
    records: &mut Vec<Record>,
) -> Result<usize> {
    let damaged = |offset: usize, reason: String| Error::WalDamaged {
        path: path.to_owned(),
        offset: offset as u64,
        reason,
    };
    let mut head = SEGMENT_HEAD.to_vec();
    head.extend_from_slice(&number.to_le_bytes());
    if bytes.len() < head.len() && is_last {
        return Ok(0);
    }
    if !bytes.starts_with(&head) {
        if bytes.starts_with(&SEGMENT_HEAD[..7]) && !bytes.starts_with(&SEGMENT_HEAD) {
            let (path, found) = (path.to_owned(), bytes[7]);
            let reason = format!(
                "it has format version {found}, this program reads version {}: it was written by \
                 a newer program",
                SEGMENT_HEAD[7]
            );
            return Err(Error::Refused { path, reason });
        }
        return Err(damaged(
            0,
            "this is not the head of this segment".to_owned(),
        ));
    }
    let mut offset = head.len();
    while offset < bytes.len() {
        match frame(&bytes.slice(offset..)) {
            Ok((payload, len)) => {
                let record = Record::decode(&payload).map_err(|reason| damaged(offset, reason))?;
                records.push(record);
                offset += len;
            }
            Err(_) if is_last && !has_frame(&bytes.slice(offset + 1..)) => return Ok(offset),
            Err(reason) => return Err(damaged(offset, reason.to_owned())),
        }
    }
    Ok(offset)
}

/// The payload of the frame at the start of `bytes`, and the length of the frame.
pub(super) fn frame(bytes: &Bytes) -> Result<(Bytes, usize), &'static str> {
    if bytes.len() < FRAME_HEAD_LEN {
        return Err("record ends early");
    }
    if bytes[..4] != FRAME_MARK {
        return Err("no record begins here");
    }
    let word =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let len = word(4) as usize;
    if !(PAYLOAD_LEN_MIN..=WAL_RECORD_BYTES_MAX).contains(&len) {
        return Err("impossible length of a record");
    }
    if bytes.len() - FRAME_HEAD_LEN < len {
        return Err("record ends early");
    }
    let payload = bytes.slice(FRAME_HEAD_LEN..FRAME_HEAD_LEN + len);
    if crc32c::crc32c(&payload) != word(8) {
        return Err("checksum does not match");
    }
    Ok((payload, FRAME_HEAD_LEN + len))
}

/// Whether a whole record begins anywhere in `bytes`.
fn has_frame(bytes: &Bytes) -> bool {
    let marks = bytes
        .windows(FRAME_MARK.len())
        .enumerate()
        .filter(|(_, w)| *w == FRAME_MARK);
    marks
        .into_iter()
        .any(|(at, _)| frame(&bytes.slice(at..)).is_ok())
}
