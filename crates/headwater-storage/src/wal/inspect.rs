//! Reads a damaged log as far as it goes, for `check`, and writes what is left of a segment.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use headwater_env::FileSystem;

use super::{
    reader::{frame, numbers, segment_path},
    record::{Record, SEGMENT_HEAD, SEGMENT_HEAD_LEN},
};
use crate::error::{Error, Result};

/// One segment, whatever its state.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    number: u64,
    bytes: Bytes,
    pub(crate) records: Vec<Record>,
    /// Where the good frames are.
    frames: Vec<Range<usize>>,
    /// Where bytes are that are no record, and why.
    pub(crate) damage: Vec<(usize, String)>,
    /// Where the last segment ends inside a record, which was never acknowledged.
    pub(crate) torn_at: Option<usize>,
}

/// All segments, ascending.
pub(crate) fn inspect(file_system: &dyn FileSystem, dir: &Path) -> Result<Vec<Segment>> {
    let numbers = numbers(file_system, dir)?;
    let last = numbers.last().copied();
    let mut segments = Vec::with_capacity(numbers.len());
    for number in numbers {
        let path = segment_path(dir, number);
        let read = file_system.read(&path);
        let bytes = Bytes::from(read.map_err(|source| Error::Wal {
            path: path.clone(),
            source,
        })?);
        segments.push(Segment::read(path, number, bytes, Some(number) == last));
    }
    Ok(segments)
}

impl Segment {
    fn read(path: PathBuf, number: u64, bytes: Bytes, is_last: bool) -> Self {
        let mut segment = Self {
            path,
            number,
            records: Vec::new(),
            frames: Vec::new(),
            damage: Vec::new(),
            torn_at: None,
            bytes,
        };
        if segment.bytes.len() < SEGMENT_HEAD_LEN && is_last {
            segment.torn_at = Some(0);
            return segment;
        }
        if !segment.bytes.starts_with(&segment.head()) {
            let reason = "this is not the head of this segment".to_owned();
            segment.damage.push((0, reason));
        }
        let mut offset = SEGMENT_HEAD_LEN.min(segment.bytes.len());
        while offset < segment.bytes.len() {
            let rest = segment.bytes.slice(offset..);
            let reason = match frame(&rest) {
                Ok((payload, len)) => match Record::decode(&payload) {
                    Ok(record) => {
                        segment.records.push(record);
                        segment.frames.push(offset..offset + len);
                        offset += len;
                        continue;
                    }
                    Err(reason) => reason,
                },
                Err(reason) => reason.to_owned(),
            };
            let next = (1..rest.len()).find(|&at| frame(&rest.slice(at..)).is_ok());
            match next {
                Some(next) => {
                    segment.damage.push((offset, reason));
                    offset += next;
                }
                None if is_last => {
                    segment.torn_at = Some(offset);
                    break;
                }
                None => {
                    segment.damage.push((offset, reason));
                    break;
                }
            }
        }
        segment
    }

    fn head(&self) -> Vec<u8> {
        [&SEGMENT_HEAD[..], &self.number.to_le_bytes()].concat()
    }

    /// Cuts a torn end; replaces a damaged segment by one with its good records and keeps the old
    /// one as `NUMBER.log.damaged`.
    pub(crate) fn repair(&self, file_system: &dyn FileSystem) -> Result<()> {
        let io = |source| Error::Wal {
            path: self.path.clone(),
            source,
        };
        if self.damage.is_empty() {
            return match self.torn_at {
                Some(at) if at < SEGMENT_HEAD_LEN => file_system.remove(&self.path).map_err(io),
                Some(at) => file_system.truncate(&self.path, at as u64).map_err(io),
                None => Ok(()),
            };
        }
        let with_suffix = |suffix: &str| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let (temporary, aside) = (with_suffix(".tmp"), with_suffix(".damaged"));
        let mut file = file_system.create(&temporary).map_err(io)?;
        file.append(&self.head()).map_err(io)?;
        for frame in &self.frames {
            file.append(&self.bytes[frame.clone()]).map_err(io)?;
        }
        file.sync().map_err(io)?;
        file_system.rename(&self.path, &aside).map_err(io)?;
        file_system.rename(&temporary, &self.path).map_err(io)?;
        match self.path.parent() {
            Some(dir) => file_system.sync_dir(dir).map_err(io),
            None => Ok(()),
        }
    }
}
