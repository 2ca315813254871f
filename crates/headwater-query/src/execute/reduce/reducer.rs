//! What a window's points are reduced to (`spec/influxql/functions.md` §1 and §2).

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use headwater_env::SharedRandom;
use headwater_model::Value;

use crate::{
    Error,
    execute::{
        heap,
        point::{Aux, Point},
        sort,
    },
    guard::{Guard, WORK_UNITS},
    plan::Aggregate,
};

/// About what a value takes in a set of distinct ones.
const DISTINCT_BYTES: usize = 2 * size_of::<DistinctKey>();

/// Which reducer a stage makes for each window and tag set.
#[derive(Debug, Clone)]
pub(in crate::execute) enum ReducerKind {
    Aggregate(Aggregate),
    Percentile(f64),
    Distinct,
    /// The number of distinct values: what `count_hll` estimates.
    DistinctCount,
    Sample {
        size: usize,
        random: SharedRandom,
    },
    Extremes {
        is_top: bool,
        size: usize,
    },
}

/// A point that a reducer gives; without a time it gets the window's start.
#[derive(Debug)]
pub(in crate::execute) struct Emitted {
    pub(in crate::execute) time: Option<i64>,
    pub(in crate::execute) value: Value,
    pub(in crate::execute) aux: Aux,
    pub(in crate::execute) weight: u64,
}

impl Emitted {
    fn plain(value: Value) -> Self {
        Self {
            time: None,
            value,
            aux: None,
            weight: 0,
        }
    }

    fn of(point: Point) -> Option<Self> {
        Some(Self {
            time: Some(point.time),
            value: point.value?,
            aux: point.aux,
            weight: 0,
        })
    }
}

/// A reduction under way.
#[derive(Debug)]
pub(in crate::execute) enum Reducer {
    Count(i64),
    Sum(Option<Value>),
    Mean(Mean),
    /// `min`, `max`, `first`, `last`: the point that is best so far.
    Select(Aggregate, Option<Point>),
    /// Those that look at all points at the end.
    Collect(ReducerKind, Vec<Point>),
    Distinct(Vec<Point>, HashSet<DistinctKey>),
    DistinctCount(HashSet<DistinctKey>),
    Sample {
        size: usize,
        seen: u64,
        kept: Vec<Point>,
        random: SharedRandom,
    },
    Extremes {
        is_top: bool,
        size: usize,
        kept: Vec<Point>,
    },
}

/// Sum and number of points; integers are summed as integers, wrapping.
#[derive(Debug, Default)]
pub(in crate::execute) struct Mean {
    sum: Option<Value>,
    count: u64,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::execute) enum DistinctKey {
    Bits(u64),
    Text(Arc<str>),
}

impl ReducerKind {
    pub(in crate::execute) fn reducer(&self) -> Reducer {
        match self {
            Self::Aggregate(function) => match function {
                Aggregate::Count => Reducer::Count(0),
                Aggregate::Sum => Reducer::Sum(None),
                Aggregate::Mean => Reducer::Mean(Mean::default()),
                Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => {
                    Reducer::Select(*function, None)
                }
                Aggregate::Median | Aggregate::Mode | Aggregate::Stddev | Aggregate::Spread => {
                    Reducer::Collect(self.clone(), Vec::new())
                }
            },
            Self::Percentile(_) => Reducer::Collect(self.clone(), Vec::new()),
            Self::Distinct => Reducer::Distinct(Vec::new(), HashSet::new()),
            Self::DistinctCount => Reducer::DistinctCount(HashSet::new()),
            Self::Sample { size, random } => Reducer::Sample {
                size: *size,
                seen: 0,
                kept: Vec::new(),
                random: Arc::clone(random),
            },
            Self::Extremes { is_top, size } => Reducer::Extremes {
                is_top: *is_top,
                size: *size,
                kept: Vec::new(),
            },
        }
    }
}

impl Reducer {
    /// Takes a point that is not nil, and gives the bytes that it keeps more than before.
    pub(in crate::execute) fn add(&mut self, point: &Point) -> usize {
        let Some(value) = &point.value else { return 0 };
        match self {
            Self::Count(count) => *count += 1,
            Self::Sum(sum) => *sum = Some(add_values(sum.take(), value)),
            Self::Mean(mean) => mean.add(value, point.weight),
            Self::Select(function, best) => {
                if best
                    .as_ref()
                    .is_none_or(|best| is_better(*function, best, point))
                {
                    *best = Some(point.clone());
                }
            }
            Self::Collect(_, points) => {
                points.push(point.clone());
                return point.bytes();
            }
            Self::Distinct(points, seen) => {
                // NaN equals nothing, itself included.
                if is_nan(value) || seen.insert(distinct_key(value)) {
                    points.push(point.clone());
                    return point.bytes() + DISTINCT_BYTES;
                }
            }
            Self::DistinctCount(seen) => {
                if seen.insert(distinct_key(value)) {
                    return DISTINCT_BYTES;
                }
            }
            Self::Sample {
                size,
                seen,
                kept,
                random,
            } => {
                *seen += 1;
                if kept.len() < *size {
                    kept.push(point.clone());
                    return point.bytes();
                } else {
                    let at = random.u64() % *seen;
                    if let Some(slot) = usize::try_from(at).ok().and_then(|at| kept.get_mut(at)) {
                        *slot = point.clone();
                    }
                }
            }
            Self::Extremes { is_top, size, kept } => {
                let less = |l: &Point, r: &Point| is_lesser(*is_top, l, r);
                if kept.len() < *size {
                    heap::push(kept, point.clone(), less);
                    return point.bytes();
                } else if less(&kept[0], point) {
                    kept[0] = point.clone();
                    heap::sift_down(kept, 0, less);
                }
            }
        }
        0
    }

    pub(in crate::execute) fn emit(
        self,
        out: &mut Vec<Emitted>,
        guard: &Guard,
    ) -> Result<(), Error> {
        match self {
            Self::Count(count) => out.push(Emitted::plain(Value::Integer(count))),
            Self::Sum(sum) => out.extend(sum.map(Emitted::plain)),
            Self::Mean(mean) => out.extend(mean.emit()),
            Self::Select(_, best) => out.extend(best.and_then(Emitted::of)),
            Self::Collect(kind, points) => out.extend(reduce_all(&kind, points, guard)?),
            Self::Distinct(mut points, _) => {
                sort::stable_sort(&mut points, compare_times, guard)?;
                for point in points {
                    out.extend(Emitted::of(Point { aux: None, ..point }));
                }
            }
            Self::DistinctCount(seen) => {
                out.push(Emitted::plain(Value::Unsigned(seen.len() as u64)));
            }
            Self::Sample { mut kept, .. } => {
                sort::stable_sort(&mut kept, compare_times, guard)?;
                out.extend(kept.into_iter().filter_map(Emitted::of));
            }
            Self::Extremes {
                is_top, mut kept, ..
            } => {
                sort::sort(&mut kept, |l, r| is_lesser(is_top, r, l), guard)?;
                out.extend(kept.into_iter().filter_map(Emitted::of));
            }
        }
        Ok(())
    }
}

impl Mean {
    fn add(&mut self, value: &Value, weight: u64) {
        match value {
            Value::Float(v) if weight >= 2 => {
                self.sum = Some(add_values(
                    self.sum.take(),
                    &Value::Float(v * weight as f64),
                ));
                self.count += weight;
            }
            _ => {
                self.sum = Some(add_values(self.sum.take(), value));
                self.count += 1;
            }
        }
    }

    fn emit(self) -> Option<Emitted> {
        let sum = crate::execute::expression::as_float(&self.sum?)?;
        let value = Value::Float(sum / self.count as f64);
        Some(Emitted {
            time: None,
            value,
            aux: None,
            weight: self.count,
        })
    }
}

fn add_values(sum: Option<Value>, value: &Value) -> Value {
    match (sum, value) {
        (Some(Value::Float(l)), Value::Float(r)) => Value::Float(l + r),
        (Some(Value::Integer(l)), Value::Integer(r)) => Value::Integer(l.wrapping_add(*r)),
        (Some(Value::Unsigned(l)), Value::Unsigned(r)) => Value::Unsigned(l.wrapping_add(*r)),
        (Some(other), _) => other,
        // Go starts from +0, which an addition of -0 keeps.
        (None, Value::Float(r)) => Value::Float(0.0 + r),
        (None, value) => value.clone(),
    }
}

/// Whether `point` takes the place of `best`. NaN is neither less nor greater nor equal.
fn is_better(function: Aggregate, best: &Point, point: &Point) -> bool {
    let order = partial_order(point, best);
    let is_less = order == Some(Ordering::Less);
    let is_greater = order == Some(Ordering::Greater);
    let is_equal = order == Some(Ordering::Equal);
    let earlier = point.time < best.time;
    let is_boolean = matches!(point.value, Some(Value::Boolean(_)));
    match function {
        Aggregate::Min => is_less || (is_equal && earlier),
        Aggregate::Max => is_greater || (is_equal && earlier),
        Aggregate::First => {
            let wins = if is_boolean { is_less } else { is_greater };
            earlier || (point.time == best.time && wins)
        }
        _ => point.time > best.time || (point.time == best.time && is_greater),
    }
}

/// Whether `left` is the first to give way in a heap of the largest (smallest) points.
fn is_lesser(is_top: bool, left: &Point, right: &Point) -> bool {
    match partial_order(left, right) {
        Some(Ordering::Equal) => left.time > right.time,
        Some(order) => order.is_lt() == is_top,
        None => false,
    }
}

fn is_less(left: &Point, right: &Point) -> bool {
    partial_order(left, right) == Some(Ordering::Less)
}

fn partial_order(left: &Point, right: &Point) -> Option<Ordering> {
    match (&left.value, &right.value) {
        (Some(Value::Float(l)), Some(Value::Float(r))) => l.partial_cmp(r),
        _ => Some(compare_points(left, right)),
    }
}

fn compare_times(left: &Point, right: &Point) -> Ordering {
    let by_time = left.time.cmp(&right.time);
    by_time.then_with(|| compare_points(left, right))
}

pub(in crate::execute) fn compare_points(left: &Point, right: &Point) -> Ordering {
    match (&left.value, &right.value) {
        (Some(left), Some(right)) => compare_values(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

pub(in crate::execute) fn compare_values(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Float(l), Value::Float(r)) => l.partial_cmp(r).unwrap_or(Ordering::Equal),
        (Value::Integer(l), Value::Integer(r)) => l.cmp(r),
        (Value::Unsigned(l), Value::Unsigned(r)) => l.cmp(r),
        (Value::String(l), Value::String(r)) => l.cmp(r),
        (Value::Boolean(l), Value::Boolean(r)) => l.cmp(r),
        _ => Ordering::Equal,
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(v) if v.is_nan())
}

fn distinct_key(value: &Value) -> DistinctKey {
    match value {
        // -0 equals 0.
        Value::Float(v) => DistinctKey::Bits(if *v == 0.0 { 0 } else { v.to_bits() }),
        Value::Integer(v) => DistinctKey::Bits(*v as u64),
        Value::Unsigned(v) => DistinctKey::Bits(*v),
        Value::Boolean(v) => DistinctKey::Bits(u64::from(*v)),
        Value::String(v) => DistinctKey::Text(Arc::clone(v)),
    }
}

fn reduce_all(
    kind: &ReducerKind,
    mut points: Vec<Point>,
    guard: &Guard,
) -> Result<Option<Emitted>, Error> {
    let is_sorted = match kind {
        ReducerKind::Percentile(percentile) => {
            percentile_index(points.len(), *percentile).is_some()
        }
        ReducerKind::Aggregate(Aggregate::Mode) => points.len() > 1,
        ReducerKind::Aggregate(Aggregate::Median) => true,
        _ => false,
    };
    guard.work(points.len())?;
    if is_sorted {
        sort::sort(&mut points, is_less, guard)?;
    }
    if let ReducerKind::Aggregate(Aggregate::Stddev) = kind {
        let values: Vec<f64> = points
            .iter()
            .filter_map(|p| crate::execute::expression::as_float(p.value.as_ref()?))
            .collect();
        let value = Value::Float(stddev(&values, guard)?);
        return Ok(Some(Emitted::plain(value)));
    }
    Ok(reduce_sorted(kind, points))
}

/// `points` are sorted if the function is about their order.
fn reduce_sorted(kind: &ReducerKind, mut points: Vec<Point>) -> Option<Emitted> {
    match kind {
        ReducerKind::Percentile(percentile) => {
            let at = percentile_index(points.len(), *percentile)?;
            Emitted::of(points.swap_remove(at))
        }
        ReducerKind::Aggregate(Aggregate::Mode) => {
            if points.len() == 1 {
                return Emitted::of(points.pop()?);
            }
            let values: Vec<(Value, i64)> = points
                .into_iter()
                .filter_map(|p| Some((p.value?, p.time)))
                .collect();
            mode(&values).map(Emitted::plain)
        }
        ReducerKind::Aggregate(Aggregate::Spread) => {
            let values = || points.iter().filter_map(|p| p.value.as_ref());
            let least = values().min_by(|l, r| compare_values(l, r))?;
            let greatest = values().max_by(|l, r| compare_values(l, r))?;
            Some(Emitted::plain(match (greatest, least) {
                (Value::Float(h), Value::Float(l)) => Value::Float(h - l),
                (Value::Integer(h), Value::Integer(l)) => Value::Integer(h.wrapping_sub(*l)),
                (Value::Unsigned(h), Value::Unsigned(l)) => Value::Unsigned(h.wrapping_sub(*l)),
                _ => return None,
            }))
        }
        ReducerKind::Aggregate(Aggregate::Median) => {
            median(&points).map(Value::Float).map(Emitted::plain)
        }
        _ => None,
    }
}

/// The position of a percentile among sorted values; none below the first and above the last.
pub(in crate::execute) fn percentile_index(len: usize, percentile: f64) -> Option<usize> {
    let at = (len as f64 * percentile / 100.0 + 0.5).floor() - 1.0;
    (at >= 0.0 && at < len as f64).then_some(at as usize)
}

fn median(sorted: &[Point]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let high = sorted.get(middle)?.value.as_ref()?;
    if sorted.len() % 2 == 1 {
        return crate::execute::expression::as_float(high);
    }
    let low = sorted.get(middle.checked_sub(1)?)?.value.as_ref()?;
    Some(match (low, high) {
        (Value::Integer(l), Value::Integer(h)) => *l as f64 + h.wrapping_sub(*l) as f64 / 2.0,
        (Value::Unsigned(l), Value::Unsigned(h)) => *l as f64 + h.wrapping_sub(*l) as f64 / 2.0,
        (Value::Float(l), Value::Float(h)) => l + (h - l) / 2.0,
        _ => return None,
    })
}

/// The sample standard deviation in two passes; NaN for fewer than two values.
pub(in crate::execute) fn stddev(values: &[f64], guard: &Guard) -> Result<f64, Error> {
    if values.len() < 2 {
        return Ok(f64::NAN);
    }
    let mut mean = 0.0;
    let mut count = 0.0;
    for values in values.chunks(WORK_UNITS) {
        guard.work(values.len())?;
        for value in values.iter().filter(|v| !v.is_nan()) {
            count += 1.0;
            mean += (value - mean) / count;
        }
    }
    let mut variance = 0.0;
    for values in values.chunks(WORK_UNITS) {
        guard.work(values.len())?;
        for value in values.iter().filter(|v| !v.is_nan()) {
            variance += (value - mean) * (value - mean);
        }
    }
    Ok((variance / (count - 1.0)).sqrt())
}

/// The mode of values sorted by value, with the reference's own idea of ties (functions.md §1).
pub(in crate::execute) fn mode(sorted: &[(Value, i64)]) -> Option<Value> {
    let (first, first_time) = sorted.first()?;
    if let Value::Boolean(_) = first {
        let truths = sorted
            .iter()
            .filter(|(v, _)| *v == Value::Boolean(true))
            .count();
        return Some(Value::Boolean(truths >= sorted.len() - truths));
    }
    let (mut best_count, mut best, mut best_time) = (0, first, *first_time);
    let (mut count, mut current, mut current_time) = (0, first, *first_time);
    for (value, time) in sorted {
        if value != current {
            (count, current, current_time) = (1, value, *time);
            continue;
        }
        count += 1;
        if best_count > count || (best_count == count && current_time > best_time) {
            continue;
        }
        (best_count, best, best_time) = (count, value, *time);
    }
    Some(best.clone())
}
