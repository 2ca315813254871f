//! Which files of a partition to merge. Pure.

use std::ops::Range;

use crate::limits::{COMPACT_BYTES_MAX, COMPACT_FILES_MAX, COMPACT_FILES_MIN, COMPACT_SKEW_MAX};

/// What the decision needs to know of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) bytes: u64,
    pub(crate) level: u32,
    /// A delete hides rows of it and could become physical now.
    pub(crate) is_hit: bool,
}

/// The neighbours among `files` (oldest first) to merge next. Only neighbours: the order of files
/// says which value is newer. `is_full`: merge all that there is, however small the gain.
pub(crate) fn choose(files: &[Candidate], is_full: bool) -> Option<Range<usize>> {
    if is_full {
        let is_done = files.len() <= 1 && files.iter().all(|file| !file.is_hit);
        return (!is_done).then_some(0..files.len());
    }
    tier(files).or_else(|| {
        let hit = files.iter().position(|file| file.is_hit)?;
        Some(hit..hit + 1)
    })
}

/// A run of neighbours of one level, long enough to be worth it; of several the lowest level. A
/// file that outweighs the others stays as it is: a few late points must not rewrite it.
fn tier(files: &[Candidate]) -> Option<Range<usize>> {
    let mut best: Option<(u32, Range<usize>)> = None;
    let mut start = 0;
    while start < files.len() {
        let level = files[start].level;
        let mut end = start;
        let (mut bytes, mut largest) = (0, 0);
        while end < files.len()
            && files[end].level <= level
            && end - start < COMPACT_FILES_MAX
            && bytes + files[end].bytes <= COMPACT_BYTES_MAX
        {
            bytes += files[end].bytes;
            largest = largest.max(files[end].bytes);
            end += 1;
        }
        if end - start >= COMPACT_FILES_MIN
            && largest <= COMPACT_SKEW_MAX * (bytes - largest)
            && best.as_ref().is_none_or(|(lowest, _)| level < *lowest)
        {
            best = Some((level, start..end));
        }
        start += 1;
    }
    best.map(|(_, range)| range)
}

#[cfg(test)]
mod tests;
