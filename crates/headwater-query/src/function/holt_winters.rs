//! Forecasts by the damped Holt–Winters method, its parameters found by Nelder–Mead
//! (`spec/influxql/functions.md` §7).
//!
//! The reference's forecast changes the parameter vector it is given, and the search goes on from
//! the changed vector. That shows in the results, so it is kept: evaluating a vertex moves it.

#[cfg(test)]
mod tests;

use std::{f64::consts::SQRT_2, rc::Rc};

use headwater_model::FieldType;

use super::{math::pow, unsupported};
use crate::{
    Error,
    guard::{Guard, Held},
};

/// The most buckets from the first point to the last forecast. The search goes through them some
/// ten thousand times.
const BUCKETS_MAX: u64 = 1_000_000;

/// Where the parameters stand in the vector; seasonal factors follow.
const ALPHA: usize = 0;
const BETA: usize = 1;
const GAMMA: usize = 2;
const PHI: usize = 3;
const LEVEL: usize = 4;
const TREND: usize = 5;
const SEASON: usize = 6;

/// Whether values of type `input` can be forecast.
///
/// # Errors
/// The statement's text; the reference names another function in it.
pub(crate) fn check_input(input: FieldType) -> Result<(), String> {
    match input {
        FieldType::Float | FieldType::Integer => Ok(()),
        _ => Err(unsupported("elapsed", input)),
    }
}

/// Forecasts `forecasts` values that follow `points`, which are the windows of one group in time
/// order, `interval` nanoseconds apart; `None` is an empty window. `season` is the number of
/// windows after which a pattern comes again, 0 and 1 for none. With `with_fit` the fitted values
/// of the points come first. The search, which is long, tells `guard` of its work.
///
/// # Errors
/// The statement's text when there are too many windows to compute with; what the guard says.
pub(crate) fn holt_winters(
    points: &[(i64, Option<f64>)],
    forecasts: usize,
    season: usize,
    with_fit: bool,
    interval: i64,
    guard: &Rc<Guard>,
) -> Result<Vec<(i64, f64)>, Error> {
    let points: Vec<(i64, f64)> = points
        .iter()
        .filter_map(|(time, value)| Some((*time, (*value)?)))
        .collect();
    let season = if season < 2 { 0 } else { season };
    let ([(first_time, _), .., (last_time, _)], true) = (&points[..], interval > 0) else {
        return Ok(Vec::new());
    };
    let (first, last) = (bucket(*first_time, interval), bucket(*last_time, interval));
    if points.len() < season || first >= last {
        return Ok(Vec::new());
    }
    let buckets = (last.abs_diff(first)).saturating_add(forecasts as u64);
    if buckets >= BUCKETS_MAX {
        return Err(Error::Statement(format!(
            "holt_winters spans {buckets} intervals, more than {BUCKETS_MAX}"
        )));
    }
    let model = Model {
        observed: observed(&points, interval),
        season,
        guard,
    };
    let mut parameters = model.fit()?;
    let values = model.forecast(&mut parameters, forecasts)?;
    let (base, skipped) = if with_fit {
        (*first_time, 0)
    } else {
        (*last_time, model.observed.len())
    };
    let shift = i64::from(!with_fit);
    let timed = values[skipped..].iter().enumerate().map(|(index, value)| {
        let steps = i64::try_from(index).unwrap_or(i64::MAX).wrapping_add(shift);
        (base.wrapping_add(interval.wrapping_mul(steps)), *value)
    });
    Ok(timed.filter(|(_, value)| !value.is_nan()).collect())
}

/// The number of the nearest multiple of the interval.
fn bucket(time: i64, interval: i64) -> i64 {
    let (quotient, remainder) = (time / interval, time % interval);
    if remainder > interval / 2 {
        quotient + 1
    } else {
        quotient
    }
}

/// A value a bucket from the first to the last; NaN where there is none. A second point in a
/// bucket is dropped.
fn observed(points: &[(i64, f64)], interval: i64) -> Vec<f64> {
    let mut values = vec![points[0].1];
    let mut present = bucket(points[0].0, interval);
    for (time, value) in &points[1..] {
        let bucket = bucket(*time, interval);
        if bucket <= present {
            continue;
        }
        values.resize(values.len() + (bucket - present - 1) as usize, f64::NAN);
        values.push(*value);
        present = bucket;
    }
    values
}

struct Model<'a> {
    /// At least two; the first is a number.
    observed: Vec<f64>,
    /// 0 for none.
    season: usize,
    guard: &'a Rc<Guard>,
}

impl Model<'_> {
    /// The best parameters from sixteen starts.
    fn fit(&self) -> Result<Vec<f64>, Error> {
        const GRID: [f64; 2] = [0.3, 0.7];
        let guess = self.guess();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for alpha in GRID {
            for beta in GRID {
                for gamma in GRID {
                    for phi in GRID {
                        let start = [&[alpha, beta, gamma, phi], &guess[..]].concat();
                        let objective = |p: &mut [f64]| self.squared_error(p);
                        let (error, parameters) = minimise(&start, objective, self.guard)?;
                        if best.as_ref().is_none_or(|(least, _)| error < *least) {
                            best = Some((error, parameters));
                        }
                    }
                }
            }
        }
        Ok(best.map(|(_, parameters)| parameters).unwrap_or_default())
    }

    /// The parameters after φ: level, trend and the seasonal factors.
    fn guess(&self) -> Vec<f64> {
        let y = &self.observed;
        let (mut level, mut trend) = (0.0, 0.0);
        if self.season == 0 {
            level += 0.5 * y[0];
            if !y[1].is_nan() {
                trend = 0.5 * (y[1] - y[0]);
            }
            return vec![level, trend];
        }
        let season = self.season as f64;
        for value in y.iter().take(self.season).filter(|value| !value.is_nan()) {
            level += 1.0 / season * value;
        }
        for (value, later) in y
            .iter()
            .zip(&y[self.season.min(y.len())..])
            .take(self.season)
        {
            if !value.is_nan() && !later.is_nan() {
                trend += 1.0 / (season * season) * (later - value);
            }
        }
        let factors = (0..self.season).map(|at| match y.get(at) {
            Some(value) if !value.is_nan() => value / level,
            _ => 0.0,
        });
        [level, trend].into_iter().chain(factors).collect()
    }

    /// The fitted values and `ahead` more. Changes `parameters`.
    fn forecast(&self, parameters: &mut [f64], ahead: usize) -> Result<Vec<f64>, Error> {
        for parameter in &mut parameters[ALPHA..=PHI] {
            *parameter = parameter.clamp(0.0, 1.0);
        }
        let (head, seasonal) = parameters.split_at_mut(SEASON);
        let (alpha, beta, gamma, phi) = (head[ALPHA], head[BETA], head[GAMMA], head[PHI]);
        let (mut level, mut trend) = (head[LEVEL], head[TREND]);
        let mut damping = phi;
        let mut value = self.observed[0];
        let len = self.observed.len() + ahead;
        let mut values = Vec::with_capacity(len);
        values.push(value);
        let season = seasonal.len();
        for t in 1..len {
            self.guard.work(1)?;
            let (mut factor, mut factor_ahead) = (1.0, 1.0);
            // The ring moves on with each step: its offset is season - 1 + (t - 1).
            let offset = (season + t).wrapping_sub(2);
            if season > 0 {
                factor = seasonal[(t + offset - season) % season];
                factor_ahead = seasonal[(t + offset - season + t % season) % season];
            }
            let level_before = level;
            level = alpha * (value / factor) + (1.0 - alpha) * (level_before + phi * trend);
            let trend_before = trend;
            trend = beta * (level - level_before) + (1.0 - beta) * phi * trend_before;
            let next_factor =
                gamma * (value / (level_before + phi * trend_before)) + (1.0 - gamma) * factor;
            value = (level + damping * trend) * factor_ahead;
            damping += pow(phi, t as f64);
            if season > 0 {
                seasonal[(t + offset) % season] = next_factor;
            }
            values.push(value);
        }
        Ok(values)
    }

    /// Changes `parameters`.
    fn squared_error(&self, parameters: &mut [f64]) -> Result<f64, Error> {
        let mut sum = 0.0;
        for (value, observed) in self.forecast(parameters, 0)?.iter().zip(&self.observed) {
            if observed.is_nan() {
                continue;
            }
            if value.is_nan() {
                return Ok(f64::INFINITY);
            }
            let difference = value - observed;
            sum += difference * difference;
        }
        Ok(sum)
    }
}

/// Nelder and Mead's search from `start`: the least value found, and where. `objective` may move
/// the vertex it looks at.
fn minimise(
    start: &[f64],
    objective: impl Fn(&mut [f64]) -> Result<f64, Error>,
    guard: &Rc<Guard>,
) -> Result<(f64, Vec<f64>), Error> {
    const ITERATIONS_MAX: usize = 1000;
    const PRECISION: f64 = 1e-4;
    // A long season makes for many long vertices.
    let bytes = size_of::<f64>() * (start.len() + 1).saturating_mul(start.len());
    let _held = Held::of(guard, bytes)?;
    let mut simplex = Simplex::new(start, guard)?;
    simplex.values = simplex
        .vertices
        .iter_mut()
        .map(|vertex| objective(vertex))
        .collect::<Result<_, _>>()?;
    for _ in 0..ITERATIONS_MAX {
        simplex.step(&objective)?;
        if simplex.spread() < PRECISION {
            break;
        }
    }
    let least = simplex.least();
    let parameters = simplex.vertices[least].clone();
    Ok((objective(&mut simplex.vertices[least])?, parameters))
}

struct Simplex<'a> {
    vertices: Vec<Vec<f64>>,
    values: Vec<f64>,
    guard: &'a Guard,
}

impl<'a> Simplex<'a> {
    fn new(start: &[f64], guard: &'a Guard) -> Result<Self, Error> {
        let dimensions = start.len() as f64;
        let root = (dimensions + 1.0).sqrt();
        let along = (root - 1.0 + dimensions) / (dimensions * SQRT_2);
        let aside = (root - 1.0) / (dimensions * SQRT_2);
        let mut vertices = vec![start.to_vec()];
        for axis in 0..start.len() {
            guard.work(start.len())?;
            let shift = |at| if at == axis { along } else { aside };
            let values = start.iter().enumerate();
            vertices.push(values.map(|(at, value)| shift(at) + value).collect());
        }
        Ok(Self {
            vertices,
            values: Vec::new(),
            guard,
        })
    }

    fn least(&self) -> usize {
        (0..self.values.len()).fold(0, |least, at| {
            if self.values[at] < self.values[least] {
                at
            } else {
                least
            }
        })
    }

    fn greatest(&self) -> usize {
        (0..self.values.len()).fold(0, |most, at| {
            if self.values[at] > self.values[most] {
                at
            } else {
                most
            }
        })
    }

    /// The standard deviation of the values.
    fn spread(&self) -> f64 {
        let dimensions = self.values.len() as f64 - 1.0;
        let mean = self.values.iter().sum::<f64>() / self.values.len() as f64;
        let squares = self
            .values
            .iter()
            .map(|value| pow(value - mean, 2.0) / dimensions);
        squares.sum::<f64>().sqrt()
    }

    /// The mean of all vertices but one, along each axis.
    fn centroid_without(&self, excluded: usize) -> Result<Vec<f64>, Error> {
        let dimensions = self.vertices.len() - 1;
        let others = || {
            self.vertices
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != excluded)
                .map(|(_, v)| v)
        };
        let mut centroid = Vec::with_capacity(dimensions);
        for axis in 0..dimensions {
            self.guard.work(dimensions)?;
            let sum = others().fold(0.0, |sum, vertex| sum + vertex[axis]);
            centroid.push(sum / dimensions as f64);
        }
        Ok(centroid)
    }

    /// Moves the worst vertex, or draws all towards the best. The conditions are asked one after
    /// the other and not as alternatives, since a replaced value can make a later one true.
    fn step(&mut self, objective: &impl Fn(&mut [f64]) -> Result<f64, Error>) -> Result<(), Error> {
        let (worst, best) = (self.greatest(), self.least());
        let mut second = best;
        for at in 0..self.values.len() {
            if self.values[at] > self.values[second] && self.values[at] < self.values[worst] {
                second = at;
            }
        }
        let centroid = self.centroid_without(worst)?;
        let mix = |other: &[f64], formula: fn(f64, f64) -> f64| -> Vec<f64> {
            centroid
                .iter()
                .zip(other)
                .map(|(c, o)| formula(*c, *o))
                .collect()
        };
        let mut reflected = mix(&self.vertices[worst], |c, v| c + (c - v));
        let reflected_value = objective(&mut reflected)?;
        if reflected_value < self.values[second] && reflected_value >= self.values[best] {
            self.replace(worst, reflected.clone(), reflected_value);
        }
        if reflected_value < self.values[best] {
            let mut expanded = mix(&reflected, |c, r| c + 2.0 * (r - c));
            let expanded_value = objective(&mut expanded)?;
            if expanded_value < reflected_value {
                self.replace(worst, expanded, expanded_value);
            } else {
                self.replace(worst, reflected.clone(), reflected_value);
            }
        }
        if reflected_value >= self.values[second] {
            let mut contracted = if reflected_value < self.values[worst] {
                mix(&reflected, |c, r| c + 0.5 * (r - c))
            } else {
                mix(&self.vertices[worst], |c, v| c - 0.5 * (c - v))
            };
            let contracted_value = objective(&mut contracted)?;
            if contracted_value < self.values[worst] {
                self.replace(worst, contracted, contracted_value);
            } else {
                self.shrink_towards(best)?;
                // Only these two, as in the reference; the others keep outdated values.
                self.values[worst] = objective(&mut self.vertices[worst])?;
                self.values[second] = objective(&mut self.vertices[second])?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, at: usize, vertex: Vec<f64>, value: f64) {
        self.vertices[at] = vertex;
        self.values[at] = value;
    }

    fn shrink_towards(&mut self, best: usize) -> Result<(), Error> {
        let target = self.vertices[best].clone();
        for (at, vertex) in self.vertices.iter_mut().enumerate() {
            self.guard.work(target.len())?;
            if at != best {
                for (value, target) in vertex.iter_mut().zip(&target) {
                    *value = target + (*value - target) / 2.0;
                }
            }
        }
        Ok(())
    }
}
