//! Forecasts of the reference, and inputs it has no forecast for.

use super::*;

const MINUTE: i64 = 60;

fn holt_winters(
    points: &[(i64, Option<f64>)],
    forecasts: usize,
    season: usize,
    with_fit: bool,
    interval: i64,
) -> Result<Vec<(i64, f64)>, Error> {
    super::holt_winters(
        points,
        forecasts,
        season,
        with_fit,
        interval,
        &Rc::default(),
    )
}

fn minutes(values: &[f64]) -> Vec<(i64, Option<f64>)> {
    values
        .iter()
        .enumerate()
        .map(|(at, value)| (at as i64 * MINUTE, Some(*value)))
        .collect()
}

fn sample() -> Vec<(i64, Option<f64>)> {
    minutes(&[
        10.0, 20.0, 15.0, 12.0, 22.0, 17.0, 14.0, 24.0, 19.0, 16.0, 26.0, 21.0,
    ])
}

#[test]
fn seasonal_forecasts_meet_the_references_to_the_last_bit() {
    let expected = [
        (720, 23.25657591271411),
        (780, 26.606115440630102),
        (840, 26.530339845860595),
    ];
    assert_eq!(
        holt_winters(&sample(), 3, 3, false, MINUTE).unwrap(),
        expected
    );
}

#[test]
fn a_season_below_two_is_none() {
    let expected = [
        (720, 24.45375211353015),
        (780, 26.75497106697194),
        (840, 29.751739333715648),
    ];
    assert_eq!(
        holt_winters(&sample(), 3, 0, false, MINUTE).unwrap(),
        expected
    );
    assert_eq!(
        holt_winters(&sample(), 3, 1, false, MINUTE).unwrap(),
        expected
    );
}

#[test]
fn the_fit_comes_before_the_same_forecasts() {
    let fit = holt_winters(&sample(), 3, 3, true, MINUTE).unwrap();
    assert_eq!(fit.len(), 15);
    assert_eq!(fit[0], (0, 10.0));
    assert_eq!(
        fit[12..],
        holt_winters(&sample(), 3, 3, false, MINUTE).unwrap()
    );
}

#[test]
fn empty_windows_are_left_out_of_the_fit() {
    let mut points = sample();
    points[4].1 = None;
    points[7].1 = None;
    let out = holt_winters(&points, 2, 0, true, MINUTE).unwrap();
    assert_eq!(out.len(), 14);
    assert!(out.iter().all(|(_, value)| value.is_finite()));
    points[11].1 = None;
    let out = holt_winters(&points, 1, 0, false, MINUTE).unwrap();
    assert_eq!(out[0].0, 11 * MINUTE, "times count from the last value");
}

#[test]
fn too_few_points_or_too_little_time_give_nothing() {
    let nothing: Vec<(i64, f64)> = Vec::new();
    assert_eq!(holt_winters(&[], 3, 0, false, MINUTE).unwrap(), nothing);
    assert_eq!(
        holt_winters(&sample()[..1], 3, 0, false, MINUTE).unwrap(),
        nothing
    );
    assert_eq!(
        holt_winters(&sample()[..3], 3, 4, false, MINUTE).unwrap(),
        nothing
    );
    let close = [(0, Some(1.0)), (10, Some(2.0))];
    assert_eq!(holt_winters(&close, 3, 0, false, MINUTE).unwrap(), nothing);
    let mut backwards = sample();
    backwards.reverse();
    assert_eq!(
        holt_winters(&backwards, 3, 0, false, MINUTE).unwrap(),
        nothing
    );
}

#[test]
fn absurd_spans_are_refused() {
    let far = [(0, Some(1.0)), (i64::MAX, Some(2.0))];
    assert!(holt_winters(&far, 3, 0, false, 1).is_err());
    assert!(holt_winters(&sample(), usize::MAX, 0, false, MINUTE).is_err());
}

#[test]
fn the_search_ends_when_its_statement_does_and_accounts_for_its_vertices() {
    let values: Vec<f64> = (0..200).map(|at| f64::from(at % 7)).collect();
    let guard = Rc::new(Guard::interrupted_at(2).looking_every(1000));
    let search =
        |season, guard| super::holt_winters(&minutes(&values), 3, season, false, 60, guard);
    assert!(matches!(search(7, &guard), Err(Error::Interrupted)));
    assert_eq!(guard.looks(), 2);
    let limits = crate::guard::Limits {
        memory_bytes: 100_000,
        ..Default::default()
    };
    let guard = Rc::new(Guard::new(Default::default(), limits));
    assert!(matches!(
        search(150, &guard),
        Err(Error::MemoryLimit { .. })
    ));
}

#[test]
fn strings_booleans_and_unsigned_values_cannot_be_forecast() {
    assert!(check_input(FieldType::Integer).is_ok());
    assert_eq!(
        check_input(FieldType::Unsigned).unwrap_err(),
        "unsupported elapsed iterator type: *query.unsignedInterruptIterator"
    );
}

#[test]
fn times_go_to_the_nearest_bucket_halves_down() {
    assert_eq!(
        [
            bucket(30, 60),
            bucket(31, 60),
            bucket(89, 60),
            bucket(0, 60)
        ],
        [0, 1, 1, 0]
    );
}
