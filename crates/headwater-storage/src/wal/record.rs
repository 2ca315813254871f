//! The grammar of segments and records; every byte is in `docs/format.md`.

use bytes::Bytes;
use headwater_model::{Id, Precision};

use crate::tombstone::DeleteRecord;

/// First bytes of a segment: a name and the version of the format.
pub(crate) const SEGMENT_HEAD: [u8; 8] = *b"HWWAL\x00\x00\x01";
/// The head and the segment's number.
pub(crate) const SEGMENT_HEAD_LEN: usize = 16;

/// Begins each frame. 0xF5 occurs in no UTF-8 text, so not in any payload's line protocol.
pub(crate) const FRAME_MARK: [u8; 4] = [0xF5, b'H', b'W', b'r'];
/// Mark, length and checksum of the payload.
pub(crate) const FRAME_HEAD_LEN: usize = 12;
/// Kind, sequence number and bucket.
pub(crate) const PAYLOAD_LEN_MIN: usize = 17;

const WRITE: u8 = 1;
const DELETE: u8 = 2;
const DROP_BUCKET: u8 = 3;
const CHECKPOINT: u8 = 4;

/// One entry with its place in the order of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) entry: Entry,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// Points as they were accepted: line protocol and how to read it.
    Write {
        bucket: Id,
        precision: Precision,
        default_time: i64,
        shard_group: i64,
        lines: Bytes,
    },
    Delete {
        bucket: Id,
        delete: DeleteRecord,
    },
    DropBucket {
        bucket: Id,
    },
    /// All records up to this sequence number are in data files or undone.
    Checkpoint,
}

impl Record {
    /// The payload in two parts, of which the second may be large and is not copied.
    pub(crate) fn encode(&self) -> (Vec<u8>, Bytes) {
        let mut head = Vec::with_capacity(PAYLOAD_LEN_MIN + 17);
        let (kind, bucket) = match &self.entry {
            Entry::Write { bucket, .. } => (WRITE, bucket.get()),
            Entry::Delete { bucket, .. } => (DELETE, bucket.get()),
            Entry::DropBucket { bucket } => (DROP_BUCKET, bucket.get()),
            Entry::Checkpoint => (CHECKPOINT, 0),
        };
        head.push(kind);
        head.extend_from_slice(&self.sequence.to_le_bytes());
        head.extend_from_slice(&bucket.to_le_bytes());
        match &self.entry {
            Entry::Write {
                precision,
                default_time,
                shard_group,
                lines,
                ..
            } => {
                head.push(precision_code(*precision));
                head.extend_from_slice(&default_time.to_le_bytes());
                head.extend_from_slice(&shard_group.to_le_bytes());
                (head, lines.clone())
            }
            Entry::Delete { delete, .. } => {
                let text = serde_json::to_vec(delete).expect("strings and numbers are JSON");
                (head, text.into())
            }
            Entry::DropBucket { .. } | Entry::Checkpoint => (head, Bytes::new()),
        }
    }

    /// Reads a payload whose checksum held.
    pub(crate) fn decode(payload: &Bytes) -> Result<Self, String> {
        let mut rest = Fields(payload);
        let kind = rest.array::<1>()?[0];
        let sequence = u64::from_le_bytes(rest.array()?);
        let bucket = u64::from_le_bytes(rest.array()?);
        let bucket = || Id::new(bucket).ok_or_else(|| "bucket is zero".to_owned());
        let entry = match kind {
            WRITE => {
                let code = rest.array::<1>()?[0];
                Entry::Write {
                    bucket: bucket()?,
                    precision: precision_of(code).ok_or(format!("unknown precision {code}"))?,
                    default_time: i64::from_le_bytes(rest.array()?),
                    shard_group: i64::from_le_bytes(rest.array()?),
                    lines: payload.slice_ref(rest.0),
                }
            }
            DELETE => Entry::Delete {
                bucket: bucket()?,
                delete: serde_json::from_slice(rest.0).map_err(|e| e.to_string())?,
            },
            DROP_BUCKET => Entry::DropBucket { bucket: bucket()? },
            CHECKPOINT => Entry::Checkpoint,
            _ => return Err(format!("unknown kind of record {kind}")),
        };
        Ok(Self { sequence, entry })
    }
}

/// Takes fixed-size fields off the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (field, rest) = self.0.split_first_chunk().ok_or("record is too short")?;
        self.0 = rest;
        Ok(*field)
    }
}

fn precision_code(precision: Precision) -> u8 {
    match precision {
        Precision::Nanosecond => 0,
        Precision::Microsecond => 1,
        Precision::Millisecond => 2,
        Precision::Second => 3,
        Precision::Minute => 4,
        Precision::Hour => 5,
    }
}

fn precision_of(code: u8) -> Option<Precision> {
    Some(match code {
        0 => Precision::Nanosecond,
        1 => Precision::Microsecond,
        2 => Precision::Millisecond,
        3 => Precision::Second,
        4 => Precision::Minute,
        5 => Precision::Hour,
        _ => return None,
    })
}
