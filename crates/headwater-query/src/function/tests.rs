//! The kernels against recorded answers of the reference, to the last bit, where the folder with
//! them is beside the checkout.

use std::{collections::BTreeMap, fs, path::Path};

use headwater_model::{
    FieldType, Precision, Value,
    line_protocol::{FieldValue, parse},
};
use regex::Regex;

use super::{holt_winters::holt_winters, math, transform::*};
use crate::plan::{Smoothing, Transform, Warmup};

const SECOND: i64 = 1_000_000_000;

type Points = Vec<(i64, Value)>;

fn read(name: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    fs::read_to_string(root.join(name)).ok()
}

/// The points of each measurement and field of a data set in seconds.
fn data(name: &str) -> BTreeMap<(String, String), Points> {
    let mut points: BTreeMap<_, Points> = BTreeMap::new();
    let text = read(&format!("datasets/{name}.lp")).unwrap();
    let batch = parse(text.as_bytes(), Precision::Second, 0).unwrap();
    for point in &batch.points {
        for field in batch.fields_of(point) {
            let value = match field.value {
                FieldValue::Float(value) => Value::Float(value),
                FieldValue::Integer(value) => Value::Integer(value),
                _ => continue,
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = (
                text(&point.series[..point.measurement_len]),
                text(field.key),
            );
            points.entry(name).or_default().push((point.time, value));
        }
    }
    points
}

/// The parts of a query that a pattern matched, and the rows of the answer: times and numbers as
/// printed.
type Recorded = (Vec<String>, Vec<(i64, String)>);

/// The recorded queries that match. Cut out of the text, since a JSON reader may round numbers.
fn recorded(database: &str, pattern: &str) -> Vec<Recorded> {
    let pattern = Regex::new(pattern).unwrap();
    let between = |text: &str, start: &str, end: &str| -> Option<String> {
        let (_, rest) = text.split_once(start)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    let mut found = Vec::new();
    for line in read("golden.jsonl").unwrap_or_default().lines() {
        let query = between(line, "\"q\":\"", "\",\"status\"").unwrap_or_default();
        let is_wanted = line.contains(&format!("\"db\":\"{database}\""));
        let Some(captures) = pattern.captures(&query).filter(|_| is_wanted) else {
            continue;
        };
        let Some(rows) = between(line, "\"values\":[[", "]]") else {
            continue;
        };
        let parts = captures
            .iter()
            .map(|part| part.map_or("", |part| part.as_str()).to_owned())
            .collect();
        let row = |row: &str| {
            let (time, value) = row.split_once(',').unwrap();
            (time.parse().unwrap(), value.to_owned())
        };
        found.push((parts, rows.split("],[").map(row).collect()));
    }
    found
}

/// As JSON prints it: no NaN, and no difference between 1 and 1.0.
fn same(value: &Value, printed: &str) -> bool {
    match value {
        Value::Float(value) if value.is_nan() => printed == "null",
        Value::Float(value) => printed.parse() == Ok(*value),
        Value::Integer(value) => printed.parse() == Ok(*value),
        _ => false,
    }
}

fn transform(name: &str, args: &[&str]) -> Option<Transform> {
    let period = args.first().and_then(|arg| arg.parse().ok());
    let hold = args.get(1).map_or(-1, |arg| arg.parse().unwrap());
    let default = if name.starts_with("chande") {
        Warmup::None
    } else {
        Warmup::Exponential
    };
    let warmup = args.get(2).map_or(default, |arg| match *arg {
        "'simple'" => Warmup::Simple,
        "'none'" => Warmup::None,
        _ => Warmup::Exponential,
    });
    let smoothing = || {
        Some(Smoothing {
            period: period?,
            hold,
            warmup,
        })
    };
    Some(match name {
        "difference" => Transform::Difference {
            non_negative: false,
        },
        "non_negative_difference" => Transform::Difference { non_negative: true },
        "derivative" if args.is_empty() => Transform::Derivative {
            unit: SECOND,
            non_negative: false,
        },
        "cumulative_sum" => Transform::CumulativeSum,
        "moving_average" => Transform::MovingAverage { size: period? },
        "exponential_moving_average" => Transform::ExponentialMovingAverage(smoothing()?),
        "double_exponential_moving_average" => {
            Transform::DoubleExponentialMovingAverage(smoothing()?)
        }
        "triple_exponential_moving_average" => {
            Transform::TripleExponentialMovingAverage(smoothing()?)
        }
        "triple_exponential_derivative" => Transform::TripleExponentialDerivative(smoothing()?),
        "relative_strength_index" => Transform::RelativeStrengthIndex(smoothing()?),
        "kaufmans_efficiency_ratio" => Transform::KaufmansEfficiencyRatio {
            period: period?,
            hold,
        },
        "kaufmans_adaptive_moving_average" => Transform::KaufmansAdaptiveMovingAverage {
            period: period?,
            hold,
        },
        "chande_momentum_oscillator" => Transform::ChandeMomentumOscillator(smoothing()?),
        _ => return None,
    })
}

#[test]
fn stream_functions_answer_as_recorded() {
    let pattern = r"^SELECT (\w+)\((x|i)(?:, ?([^()]*))?\) FROM (ta|tr|f)(?: LIMIT (\d+))?$";
    let cases = recorded("d2", pattern);
    if cases.is_empty() {
        return;
    }
    let data = data("d2");
    for (parts, rows) in cases {
        let args: Vec<&str> = parts[3]
            .split(',')
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .collect();
        let Some(function) = transform(&parts[1], &args) else {
            continue;
        };
        let points = &data[&(parts[4].clone(), parts[2].clone())];
        let mut got = Vec::new();
        let mut stream = stream_function(function, points[0].1.field_type(), true).unwrap();
        for (time, value) in points {
            stream.push(*time, value, &mut got);
        }
        got.truncate(parts[5].parse().unwrap_or(usize::MAX));
        let equal = got.len() == rows.len()
            && got
                .iter()
                .zip(&rows)
                .all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1));
        assert!(equal, "{}:\n{got:?}\n{rows:?}", parts[0]);
    }
}

#[test]
fn math_functions_answer_as_recorded() {
    let cases = recorded(
        "mth",
        r"^SELECT (\w+)\(x(?:,([-.\d]+))?\) FROM m LIMIT 300$",
    );
    if cases.is_empty() {
        return;
    }
    let data = data("mth");
    let points = &data[&("m".to_owned(), "x".to_owned())];
    for (parts, rows) in cases {
        let y: f64 = parts[2].parse().unwrap_or(f64::NAN);
        let function: &dyn Fn(f64) -> f64 = match parts[1].as_str() {
            "sin" => &math::sin,
            "cos" => &math::cos,
            "tan" => &math::tan,
            "asin" => &math::asin,
            "acos" => &math::acos,
            "atan" => &math::atan,
            "exp" => &math::exp,
            "ln" => &math::ln,
            "log2" => &math::log2,
            "log10" => &math::log10,
            "log" => &|x| math::log(x, y),
            "pow" => &|x| math::pow(x, y),
            "atan2" => &|x| math::atan2(x, y),
            _ => continue,
        };
        for ((time, value), row) in points.iter().zip(&rows) {
            let Value::Float(x) = value else { panic!() };
            let got = Value::Float(function(*x));
            assert!(
                *time == row.0 && same(&got, &row.1),
                "{} {x:?}: {got:?} {row:?}",
                parts[0]
            );
        }
    }
}

#[test]
fn forecasts_answer_as_recorded() {
    let pattern = concat!(
        r"^SELECT (holt_winters\w*)\(first\((x|i)\), (\d+), (\d+)\) FROM (hw\w*) ",
        r"WHERE time >= 0s AND time < 720s GROUP BY time\(60s\)$"
    );
    let cases = recorded("d2", pattern);
    if cases.is_empty() {
        return;
    }
    let data = data("d2");
    for (parts, rows) in cases {
        let values: BTreeMap<i64, f64> = data[&(parts[5].clone(), parts[2].clone())]
            .iter()
            .map(|(time, value)| (*time, as_float(value)))
            .collect();
        let windows: Vec<_> = (0..12)
            .map(|minute| {
                (
                    minute * 60 * SECOND,
                    values.get(&(minute * 60 * SECOND)).copied(),
                )
            })
            .collect();
        let with_fit = parts[1].ends_with("fit");
        let (ahead, season) = (parts[3].parse().unwrap(), parts[4].parse().unwrap());
        let got = holt_winters(
            &windows,
            ahead,
            season,
            with_fit,
            60 * SECOND,
            &Default::default(),
        )
        .unwrap();
        let equal = got.len() == rows.len()
            && got
                .iter()
                .zip(&rows)
                .all(|(a, b)| a.0 == b.0 && same(&Value::Float(a.1), &b.1));
        assert!(equal, "{}:\n{got:?}\n{rows:?}", parts[0]);
    }
}

#[test]
fn a_type_that_cannot_be_taken_is_named() {
    assert_eq!(
        super::unsupported("derivative", FieldType::String),
        "unsupported derivative iterator type: *query.stringInterruptIterator"
    );
}
