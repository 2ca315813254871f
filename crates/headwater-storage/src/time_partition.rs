//! Time partitions: the shard groups of InfluxDB, per measurement.

/// Nanoseconds from 0001-01-01T00:00:00Z, where the reference starts to count, to 1970.
const EPOCH_OFFSET: i128 = 62_135_596_800 * 1_000_000_000;

/// `[start, end)` of the partition of `time` for groups of `duration` nanoseconds: multiples of
/// the duration since year 1, so that groups of 7 days start on Mondays. Cut to 64 bits.
pub(crate) fn bounds(time: i64, duration: i64) -> (i64, i64) {
    let duration = i128::from(duration.max(1));
    let start = i128::from(time) - (i128::from(time) + EPOCH_OFFSET).rem_euclid(duration);
    let clamp = |t: i128| t.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    (clamp(start), clamp(start + duration))
}

#[cfg(test)]
mod tests;
