//! A generator that repeats itself for a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Random;

/// Sebastiano Vigna's SplitMix64: the n-th number depends on the seed and n alone. Never for
/// secrets.
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, buf: &mut [u8]) {
        for part in buf.chunks_mut(8) {
            let bytes = self.u64().to_le_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
    }

    fn u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self
            .state
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sequence_and_another_seed_does_not() {
        let draw = |seed| {
            let random = SeededRandom::new(seed);
            let mut bytes = [0; 21];
            random.fill(&mut bytes);
            (bytes, random.u64())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn the_first_number_of_seed_zero_is_the_published_one() {
        assert_eq!(SeededRandom::new(0).u64(), 0xe220_a839_7b1d_cdaf);
    }
}
