//! How long requests take, in a few classes.

use std::time::Duration;

/// The upper bounds of the classes, in seconds, as they are written; above the last is one more.
pub(super) const BOUNDS: [(f64, &str); 13] = [
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (1.0, "1"),
    (2.5, "2.5"),
    (10.0, "10"),
    (60.0, "60"),
];

/// Counts of durations by class.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// Those up to each bound and above the one before it; the last is above all bounds.
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    pub(super) fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let class = BOUNDS.partition_point(|(bound, _)| *bound < seconds);
        self.counts[class] += 1;
        self.sum += took;
    }

    pub(super) fn sum(&self) -> Duration {
        self.sum
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many took up to each bound.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let mut below = 0;
        BOUNDS
            .iter()
            .zip(&self.counts)
            .map(move |((_, bound), count)| {
                below += count;
                (*bound, below)
            })
    }
}

#[cfg(test)]
mod tests;
