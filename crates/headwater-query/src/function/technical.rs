//! Technical analysis: smoothed averages and what builds on them
//! (`spec/influxql/functions.md` §6). All take numbers and give floats.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use headwater_model::Value;

use super::transform::{StreamFunction, as_float};
use crate::plan::{Smoothing, Transform, Warmup};

/// A new stream function of numbers.
///
/// # Errors
/// A period that the function has no window for (the reference panics).
pub(super) fn stream_function(function: Transform) -> Result<Box<dyn StreamFunction>, String> {
    if let Transform::ChandeMomentumOscillator(Smoothing {
        period: 1,
        warmup: Warmup::None,
        ..
    }) = function
    {
        return Err(
            "chande_momentum_oscillator period must be greater than 1 without a warmup type".into(),
        );
    }
    let (hold, indicator): (u64, Box<dyn Indicator>) = match function {
        Transform::ExponentialMovingAverage(s) => (hold(s, 1, 0), Box::new(Average::new(s))),
        Transform::DoubleExponentialMovingAverage(s) => (hold(s, 2, 0), Box::new(Double::new(s))),
        Transform::TripleExponentialMovingAverage(s) => (hold(s, 3, 0), Box::new(Triple::new(s))),
        Transform::TripleExponentialDerivative(s) => (hold(s, 3, 1), Box::new(TripleRate::new(s))),
        Transform::RelativeStrengthIndex(s) => (
            given_or(s.hold, s.period),
            Box::new(RelativeStrength(UpDown::new(s))),
        ),
        Transform::KaufmansEfficiencyRatio { period, hold } => {
            (given_or(hold, period), Box::new(Efficiency::new(period)))
        }
        Transform::KaufmansAdaptiveMovingAverage { period, hold } => {
            (given_or(hold, period), Box::new(Adaptive::new(period)))
        }
        Transform::ChandeMomentumOscillator(s) if s.warmup == Warmup::None => (
            given_or(s.hold, s.period - 1),
            Box::new(Momentum::new(s.period - 1)),
        ),
        Transform::ChandeMomentumOscillator(s) => (
            given_or(s.hold, s.period),
            Box::new(SmoothedMomentum(UpDown::new(s))),
        ),
        Transform::Derivative { .. }
        | Transform::Difference { .. }
        | Transform::Elapsed { .. }
        | Transform::CumulativeSum
        | Transform::MovingAverage { .. } => unreachable!("these are `transform`'s own"),
    };
    Ok(Box::new(Held { hold, indicator }))
}

/// The hold period of a chain of `levels` averages.
fn hold(smoothing: Smoothing, levels: usize, more: usize) -> u64 {
    let levels = if smoothing.warmup == Warmup::Simple {
        levels
    } else {
        1
    };
    given_or(
        smoothing.hold,
        (smoothing.period - 1)
            .saturating_mul(levels)
            .saturating_add(more),
    )
}

fn given_or(hold: i64, default: usize) -> u64 {
    u64::try_from(hold).unwrap_or(default as u64)
}

/// One number out for each number in.
trait Indicator: Send {
    fn add(&mut self, value: f64) -> f64;

    /// Whether an infinite result is shown.
    fn shows_infinity(&self) -> bool {
        true
    }
}

/// Keeps back the first results.
struct Held {
    hold: u64,
    indicator: Box<dyn Indicator>,
}

impl StreamFunction for Held {
    fn push(&mut self, time: i64, value: &Value, out: &mut Vec<(i64, Value)>) {
        let result = self.indicator.add(as_float(value));
        if self.hold > 0 {
            self.hold -= 1;
        } else if !result.is_infinite() || self.indicator.shows_infinity() {
            out.push((time, Value::Float(result)));
        }
    }
}

/// The exponential average that the others are made of.
struct Average {
    period: usize,
    warmup: Warmup,
    /// The weight of a new value once warmed.
    weight: f64,
    /// Values seen, up to `period`.
    count: usize,
    last: f64,
}

impl Average {
    fn new(smoothing: Smoothing) -> Self {
        let weight = 2.0 / (smoothing.period as f64 + 1.0);
        Self::with_weight(smoothing.period, smoothing.warmup, weight)
    }

    fn with_weight(period: usize, warmup: Warmup, weight: f64) -> Self {
        Self {
            period,
            warmup,
            weight,
            count: 0,
            last: 0.0,
        }
    }

    fn is_warmed(&self) -> bool {
        self.count == self.period
    }

    /// Whether a further average is taken of this one's results.
    fn feeds(&self) -> bool {
        self.is_warmed() || self.warmup == Warmup::Exponential
    }
}

impl Indicator for Average {
    fn add(&mut self, value: f64) -> f64 {
        let count = self.count as f64;
        self.last = if self.count == 0 {
            value
        } else if self.is_warmed() {
            (value - self.last) * self.weight + self.last
        } else if self.warmup == Warmup::Simple {
            (self.last * count + value) / (count + 1.0)
        } else {
            (value - self.last) * (2.0 / (count + 2.0)) + self.last
        };
        self.count = self.period.min(self.count + 1);
        self.last
    }
}

struct Double {
    first: Average,
    second: Average,
}

impl Double {
    fn new(smoothing: Smoothing) -> Self {
        Self {
            first: Average::new(smoothing),
            second: Average::new(smoothing),
        }
    }
}

impl Indicator for Double {
    fn add(&mut self, value: f64) -> f64 {
        let first = self.first.add(value);
        let second = if self.first.feeds() {
            self.second.add(first)
        } else {
            first
        };
        2.0 * first - second
    }
}

struct Triple {
    first: Average,
    second: Average,
    third: Average,
}

impl Triple {
    fn new(smoothing: Smoothing) -> Self {
        let [first, second, third] = [(); 3].map(|()| Average::new(smoothing));
        Self {
            first,
            second,
            third,
        }
    }
}

impl Indicator for Triple {
    fn add(&mut self, value: f64) -> f64 {
        let first = self.first.add(value);
        let second = if self.first.feeds() {
            self.second.add(first)
        } else {
            first
        };
        let third = if self.second.feeds() {
            self.third.add(second)
        } else {
            second
        };
        3.0 * first - 3.0 * second + third
    }
}

/// The rate of change of the triply smoothed value, in per cent.
struct TripleRate {
    levels: Triple,
    last: f64,
}

impl TripleRate {
    fn new(smoothing: Smoothing) -> Self {
        Self {
            levels: Triple::new(smoothing),
            last: 0.0,
        }
    }
}

impl Indicator for TripleRate {
    fn add(&mut self, value: f64) -> f64 {
        let Triple {
            first,
            second,
            third,
        } = &mut self.levels;
        let mut smoothed = first.add(value);
        if first.feeds() {
            smoothed = second.add(smoothed);
            if second.feeds() {
                smoothed = third.add(smoothed);
            }
        }
        let rate = ((smoothed / self.last) - 1.0) * 100.0;
        self.last = smoothed;
        rate
    }

    fn shows_infinity(&self) -> bool {
        false
    }
}

/// Smoothed rises and falls.
struct UpDown {
    up: Average,
    down: Average,
    last: f64,
}

impl UpDown {
    fn new(smoothing: Smoothing) -> Self {
        let weight = 1.0 / smoothing.period as f64;
        let average =
            || Average::with_weight(smoothing.period.saturating_add(1), smoothing.warmup, weight);
        Self {
            up: average(),
            down: average(),
            last: 0.0,
        }
    }

    fn add(&mut self, value: f64) -> (f64, f64) {
        let up = self.up.add((value - self.last).max(0.0));
        let down = self.down.add((self.last - value).max(0.0));
        self.last = value;
        (up, down)
    }
}

struct RelativeStrength(UpDown);

impl Indicator for RelativeStrength {
    fn add(&mut self, value: f64) -> f64 {
        let (up, down) = self.0.add(value);
        100.0 - 100.0 / (1.0 + up / down)
    }
}

struct SmoothedMomentum(UpDown);

impl Indicator for SmoothedMomentum {
    fn add(&mut self, value: f64) -> f64 {
        let (up, down) = self.0.add(value);
        100.0 * ((up - down) / (up + down))
    }
}

/// The last values, each with its change; slots not yet filled count as zero.
struct Ring {
    size: usize,
    slots: VecDeque<Slot>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    value: f64,
    change: f64,
}

impl Ring {
    fn new(size: usize) -> Self {
        Self {
            size,
            slots: VecDeque::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.slots.len() == self.size
    }

    fn newest(&self) -> Slot {
        self.slots.back().copied().unwrap_or_default()
    }

    /// The slot that the next value takes.
    fn oldest(&self) -> Slot {
        self.slots
            .front()
            .filter(|_| self.is_full())
            .copied()
            .unwrap_or_default()
    }

    fn push(&mut self, value: f64, change: f64) {
        if self.is_full() {
            self.slots.pop_front();
        }
        self.slots.push_back(Slot { value, change });
    }
}

/// How straight the way of the last values was: 0 to 1.
struct Efficiency {
    ring: Ring,
    noise: f64,
}

impl Efficiency {
    fn new(period: usize) -> Self {
        Self {
            ring: Ring::new(period),
            noise: 0.0,
        }
    }
}

impl Indicator for Efficiency {
    fn add(&mut self, value: f64) -> f64 {
        let oldest = self.ring.oldest();
        let signal = (value - oldest.value).abs();
        let change = (value - self.ring.newest().value).abs();
        self.noise -= oldest.change;
        self.noise += change;
        self.ring.push(value, change);
        if signal == 0.0 || self.noise == 0.0 {
            0.0
        } else {
            signal / self.noise
        }
    }

    fn shows_infinity(&self) -> bool {
        false
    }
}

/// An average that follows the faster, the straighter the way is.
struct Adaptive {
    efficiency: Efficiency,
    period: usize,
    /// Values seen, up to one more than the period.
    count: usize,
    average: f64,
}

impl Adaptive {
    fn new(period: usize) -> Self {
        Self {
            efficiency: Efficiency::new(period),
            period,
            count: 0,
            average: 0.0,
        }
    }
}

impl Indicator for Adaptive {
    fn add(&mut self, value: f64) -> f64 {
        if self.count <= self.period {
            self.average = self.efficiency.ring.newest().value;
            self.count += 1;
        }
        let ratio = self.efficiency.add(value);
        // The constants of averages over 2 and over 30 values: 2/3 - 2/31 and 2/31.
        let root = ratio * (56.0 / 93.0) + 2.0 / 31.0;
        self.average += root * root * (value - self.average);
        self.average
    }

    fn shows_infinity(&self) -> bool {
        false
    }
}

/// Rises less falls, in per cent of both, over a window.
struct Momentum {
    ring: Ring,
    is_first: bool,
    up: f64,
    down: f64,
}

impl Momentum {
    /// `size` is at least 1.
    fn new(size: usize) -> Self {
        Self {
            ring: Ring::new(size),
            is_first: true,
            up: 0.0,
            down: 0.0,
        }
    }
}

impl Indicator for Momentum {
    fn add(&mut self, value: f64) -> f64 {
        let change = if self.is_first {
            0.0
        } else {
            value - self.ring.newest().value
        };
        self.is_first = false;
        if change > 0.0 {
            self.up += change;
        } else {
            self.down -= change;
        }
        let both = self.up + self.down;
        let momentum = if both == 0.0 {
            0.0
        } else {
            100.0 * ((self.up - self.down) / both)
        };
        let expired = self.ring.oldest().change;
        if expired > 0.0 {
            self.up -= expired;
        } else {
            self.down += expired;
        }
        self.ring.push(value, change);
        momentum
    }
}
