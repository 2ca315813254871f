//! Streams of points through each function.

use super::*;

/// Seconds, as times and as the unit.
const TR: [(i64, i64); 6] = [(0, 10), (10, 20), (25, 5), (60, 50), (70, 50), (200, 1)];

fn run(function: Transform, points: &[(i64, Value)], ascending: bool) -> Vec<(i64, Value)> {
    let mut out = Vec::new();
    let input = points[0].1.field_type();
    let mut stream = stream_function(function, input, ascending).unwrap();
    for (time, value) in points {
        stream.push(*time, value, &mut out);
    }
    stream.finish(&mut out);
    for (_, value) in &out {
        assert_eq!(value.field_type(), transform_output_type(function, input));
    }
    out
}

fn floats() -> Vec<(i64, Value)> {
    TR.map(|(time, value)| (time, Value::Float(value as f64)))
        .to_vec()
}

fn integers() -> Vec<(i64, Value)> {
    TR.map(|(time, value)| (time, Value::Integer(value)))
        .to_vec()
}

fn float_values(out: &[(i64, Value)]) -> Vec<(i64, f64)> {
    out.iter()
        .map(|(time, value)| (*time, as_float(value)))
        .collect()
}

#[test]
fn a_derivative_is_the_slope_between_neighbours() {
    let function = Transform::Derivative {
        unit: 1,
        non_negative: false,
    };
    let expected = [
        (10, 1.0),
        (25, -1.0),
        (60, 1.2857142857142858),
        (70, 0.0),
        (200, -0.3769230769230769),
    ];
    assert_eq!(float_values(&run(function, &floats(), true)), expected);
    assert_eq!(float_values(&run(function, &integers(), true)), expected);
    let points: Vec<_> = floats().into_iter().rev().collect();
    let out = float_values(&run(function, &points, false));
    assert_eq!(out[0], (70, 0.3769230769230769));
    assert_eq!(out[4], (0, -1.0));
}

#[test]
fn non_negative_functions_drop_falls_but_remember_them() {
    let function = Transform::Derivative {
        unit: 1,
        non_negative: true,
    };
    let times: Vec<i64> = run(function, &floats(), true)
        .iter()
        .map(|point| point.0)
        .collect();
    assert_eq!(times, [10, 60, 70]);
    let out = run(
        Transform::Difference { non_negative: true },
        &integers(),
        true,
    );
    let expected = [(10, 10), (60, 45), (70, 0)].map(|(time, v)| (time, Value::Integer(v)));
    assert_eq!(out, expected);
}

#[test]
fn differences_keep_the_type_and_wrap() {
    let difference = Transform::Difference {
        non_negative: false,
    };
    let expected = [(10, 10), (25, -15), (60, 45), (70, 0), (200, -49)];
    assert_eq!(
        run(difference, &integers(), true),
        expected.map(|(t, v)| (t, Value::Integer(v)))
    );
    let points = [(0, Value::Unsigned(3)), (1, Value::Unsigned(2))];
    assert_eq!(
        run(difference, &points, true),
        [(1, Value::Unsigned(u64::MAX))]
    );
    let dropped = Transform::Difference { non_negative: true };
    assert_eq!(run(dropped, &points, true), []);
    let derivative = Transform::Derivative {
        unit: 1,
        non_negative: false,
    };
    assert_eq!(run(derivative, &points, true), [(1, Value::Float(-1.0))]);
}

#[test]
fn of_points_at_one_time_differences_use_the_first() {
    let points = [(0, 1), (0, 9), (5, 2), (5, 7), (6, 4)].map(|(t, v)| (t, Value::Integer(v)));
    let out = run(
        Transform::Difference {
            non_negative: false,
        },
        &points,
        true,
    );
    assert_eq!(out, [(5, Value::Integer(1)), (6, Value::Integer(2))]);
}

#[test]
fn elapsed_counts_whole_units_between_points_of_any_type() {
    let points = TR.map(|(time, _)| (time, Value::String("x".into())));
    let out = run(Transform::Elapsed { unit: 7 }, &points, true);
    let expected = [(10, 1), (25, 2), (60, 5), (70, 1), (200, 18)];
    assert_eq!(out, expected.map(|(time, v)| (time, Value::Integer(v))));
    let points = [
        (5, Value::Boolean(true)),
        (5, Value::Boolean(true)),
        (2, Value::Boolean(false)),
    ];
    let out = run(Transform::Elapsed { unit: 1 }, &points, false);
    assert_eq!(out, [(5, Value::Integer(0)), (2, Value::Integer(-3))]);
}

#[test]
fn cumulative_sums_run_over_every_point() {
    let out = float_values(&run(Transform::CumulativeSum, &floats(), true));
    let sums: Vec<f64> = out.iter().map(|point| point.1).collect();
    assert_eq!(sums, [10.0, 30.0, 35.0, 85.0, 135.0, 136.0]);
    let points = [(0, Value::Integer(i64::MAX)), (0, Value::Integer(1))];
    assert_eq!(
        run(Transform::CumulativeSum, &points, true)[1].1,
        Value::Integer(i64::MIN)
    );
}

#[test]
fn moving_averages_begin_once_the_window_is_full() {
    let expected = [(10, 15.0), (25, 12.5), (60, 27.5), (70, 50.0), (200, 25.5)];
    let function = Transform::MovingAverage { size: 2 };
    assert_eq!(float_values(&run(function, &floats(), true)), expected);
    assert_eq!(float_values(&run(function, &integers(), true)), expected);
    assert_eq!(
        run(Transform::MovingAverage { size: 1 << 60 }, &floats(), true),
        []
    );
}

#[test]
fn types_without_arithmetic_are_refused_with_the_functions_name() {
    let smoothing = crate::plan::Smoothing {
        period: 2,
        hold: -1,
        warmup: crate::plan::Warmup::Exponential,
    };
    let refused = [
        (
            Transform::Derivative {
                unit: 1,
                non_negative: true,
            },
            "derivative",
        ),
        (
            Transform::Difference {
                non_negative: false,
            },
            "difference",
        ),
        (Transform::CumulativeSum, "cumulative sum"),
        (Transform::MovingAverage { size: 2 }, "moving average"),
        (
            Transform::RelativeStrengthIndex(smoothing),
            "relative strength index",
        ),
    ];
    for (function, name) in refused {
        let error = stream_function(function, FieldType::Boolean, true)
            .err()
            .unwrap();
        let expected = format!("unsupported {name} iterator type: *query.booleanInterruptIterator");
        assert_eq!(error, expected);
        assert!(stream_function(function, FieldType::Unsigned, true).is_ok());
    }
    assert!(stream_function(Transform::Elapsed { unit: 1 }, FieldType::String, true).is_ok());
}
