//! Areas with and without windows, and the faults that integers keep.

use super::*;

const TR: [(i64, i64); 6] = [(0, 10), (10, 20), (25, 5), (60, 50), (70, 50), (200, 1)];

fn minutes(time: i64) -> (i64, i64) {
    let start = time.div_euclid(60) * 60;
    (start, start + 60)
}

type Window = fn(i64) -> (i64, i64);

fn run(
    input: FieldType,
    points: &[(i64, i64)],
    ascending: bool,
    window: Option<Window>,
) -> Vec<(i64, f64)> {
    let mut out = Vec::new();
    let mut integral = Integral::new(input, 1, ascending, window).unwrap();
    for (time, value) in points {
        let value = match input {
            FieldType::Integer => Value::Integer(*value),
            FieldType::Unsigned => Value::Unsigned(*value as u64),
            _ => Value::Float(*value as f64),
        };
        integral.push(*time, &value, &mut out);
    }
    integral.finish(&mut out);
    out
}

#[test]
fn the_area_of_all_points_stands_at_zero() {
    assert_eq!(run(FieldType::Float, &TR, true, None), [(0, 5115.0)]);
    assert_eq!(run(FieldType::Float, &[(30, 7)], true, None), [(0, 0.0)]);
    assert_eq!(run(FieldType::Float, &[(0, 7)], true, None), []);
    assert_eq!(run(FieldType::Float, &[], true, None), []);
}

#[test]
fn each_window_has_its_area_with_values_interpolated_at_its_end() {
    let expected = [
        (0, 1300.0),
        (60, 2528.8461538461543),
        (180, 1286.1538461538462),
    ];
    assert_eq!(run(FieldType::Float, &TR, true, Some(minutes)), expected);
}

#[test]
fn integers_keep_the_point_before_at_the_end_of_a_window() {
    let expected = [
        (0, 1300.0),
        (60, 2528.8461538461543),
        (180, 3246.1538461538466),
    ];
    assert_eq!(run(FieldType::Integer, &TR, true, Some(minutes)), expected);
    assert_eq!(run(FieldType::Unsigned, &TR, true, Some(minutes)), expected);
}

#[test]
fn integers_without_windows_stand_at_the_lower_bound() {
    let range: Window = |_| (5, i64::MAX);
    assert_eq!(
        run(FieldType::Integer, &TR[1..], true, Some(range)),
        [(5, 4965.0)]
    );
    let range: Window = |_| (10, i64::MAX);
    assert_eq!(run(FieldType::Integer, &TR[1..2], true, Some(range)), []);
}

#[test]
fn descending_time_gives_negative_areas() {
    let points: Vec<_> = TR[1..].iter().rev().copied().collect();
    assert_eq!(run(FieldType::Float, &points, false, None), [(0, -4965.0)]);
}

#[test]
fn a_second_point_at_one_time_replaces_the_value_and_adds_no_area() {
    assert_eq!(
        run(FieldType::Float, &[(1, 1), (1, 3), (3, 3)], true, None),
        [(0, 6.0)]
    );
}

#[test]
fn types_without_arithmetic_are_refused() {
    let error = Integral::new(FieldType::Boolean, 1, true, None::<Window>)
        .err()
        .unwrap();
    assert_eq!(
        error,
        "unsupported integral iterator type: *query.booleanInterruptIterator"
    );
}
