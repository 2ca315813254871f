//! Hold periods, warm-ups and values worked out by hand.

use super::*;

fn run(function: Transform, values: &[f64]) -> Vec<(i64, f64)> {
    let mut out = Vec::new();
    let mut stream = stream_function(function).unwrap();
    for (time, value) in values.iter().enumerate() {
        stream.push(time as i64, &Value::Float(*value), &mut out);
    }
    out.iter()
        .map(|(time, value)| (*time, as_float(value)))
        .collect()
}

fn smoothing(period: usize, hold: i64, warmup: Warmup) -> Smoothing {
    Smoothing {
        period,
        hold,
        warmup,
    }
}

#[test]
fn an_average_warms_up_over_its_period_and_then_weighs_exponentially() {
    let values = [2.0, 4.0, 6.0, 8.0];
    let exponential = smoothing(3, 0, Warmup::Exponential);
    let out = run(Transform::ExponentialMovingAverage(exponential), &values);
    let second = 2.0 * (2.0 / 3.0) + 2.0;
    let third = (6.0 - second) * (2.0 / 4.0) + second;
    assert_eq!(
        out,
        [
            (0, 2.0),
            (1, second),
            (2, third),
            (3, (8.0 - third) * 0.5 + third)
        ]
    );
    let simple = smoothing(3, 0, Warmup::Simple);
    let out = run(Transform::ExponentialMovingAverage(simple), &values);
    assert_eq!(out, [(0, 2.0), (1, 3.0), (2, 4.0), (3, 6.0)]);
}

#[test]
fn the_hold_period_keeps_back_the_first_results() {
    let values = [
        1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
    ];
    let first = |function| run(function, &values).first().map(|point| point.0);
    let (exponential, simple) = (
        smoothing(3, -1, Warmup::Exponential),
        smoothing(3, -1, Warmup::Simple),
    );
    let none = smoothing(3, -1, Warmup::None);
    let cases = [
        (Transform::ExponentialMovingAverage(exponential), 2),
        (Transform::DoubleExponentialMovingAverage(exponential), 2),
        (Transform::DoubleExponentialMovingAverage(simple), 4),
        (Transform::TripleExponentialMovingAverage(simple), 6),
        (Transform::TripleExponentialDerivative(exponential), 3),
        (Transform::TripleExponentialDerivative(simple), 7),
        (Transform::RelativeStrengthIndex(exponential), 3),
        (
            Transform::KaufmansEfficiencyRatio {
                period: 3,
                hold: -1,
            },
            3,
        ),
        (
            Transform::KaufmansAdaptiveMovingAverage {
                period: 3,
                hold: -1,
            },
            3,
        ),
        (Transform::ChandeMomentumOscillator(none), 2),
        (Transform::ChandeMomentumOscillator(simple), 3),
        (
            Transform::ExponentialMovingAverage(smoothing(3, 9, Warmup::Simple)),
            9,
        ),
    ];
    for (function, expected) in cases {
        assert_eq!(first(function), Some(expected), "{function:?}");
    }
}

#[test]
fn a_straight_way_is_fully_efficient_and_a_round_trip_is_not_at_all() {
    let function = Transform::KaufmansEfficiencyRatio {
        period: 2,
        hold: -1,
    };
    assert_eq!(
        run(function, &[1.0, 2.0, 3.0, 2.0, 3.0]),
        [(2, 1.0), (3, 0.0), (4, 0.0)]
    );
    let still = Transform::KaufmansEfficiencyRatio { period: 2, hold: 0 };
    assert_eq!(run(still, &[0.0, 0.0, 0.0]), [(0, 0.0), (1, 0.0), (2, 0.0)]);
}

#[test]
fn rises_alone_give_the_highest_momentum_and_strength() {
    let values = [1.0, 2.0, 3.0, 4.0, 5.0];
    let momentum = Transform::ChandeMomentumOscillator(smoothing(3, -1, Warmup::None));
    assert_eq!(run(momentum, &values), [(2, 100.0), (3, 100.0), (4, 100.0)]);
    let strength = Transform::RelativeStrengthIndex(smoothing(3, -1, Warmup::Exponential));
    assert_eq!(run(strength, &values), [(3, 100.0), (4, 100.0)]);
}

#[test]
fn no_movement_gives_no_number_for_strength() {
    let strength = Transform::RelativeStrengthIndex(smoothing(1, 0, Warmup::Exponential));
    assert!(run(strength, &[0.0])[0].1.is_nan());
}

#[test]
fn infinite_rates_are_left_out() {
    let rate = Transform::TripleExponentialDerivative(smoothing(1, 0, Warmup::Exponential));
    assert_eq!(run(rate, &[1.0, 2.0, 3.0]), [(1, 100.0), (2, 50.0)]);
}

#[test]
fn momentum_over_one_value_is_refused_without_warmup() {
    let none = Transform::ChandeMomentumOscillator(smoothing(1, -1, Warmup::None));
    assert!(stream_function(none).is_err());
    let simple = Transform::ChandeMomentumOscillator(smoothing(1, -1, Warmup::Simple));
    assert!(stream_function(simple).is_ok());
}

#[test]
fn a_huge_period_costs_nothing_until_values_come() {
    let function = Transform::KaufmansEfficiencyRatio {
        period: usize::MAX,
        hold: 0,
    };
    assert_eq!(run(function, &[1.0, 3.0]), [(0, 1.0), (1, 1.0)]);
}
