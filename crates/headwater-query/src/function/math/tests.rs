//! Results of the reference, to the last bit.

use super::*;

#[track_caller]
fn equal(got: f64, expected: f64) {
    let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
    assert!(same, "{got:?} instead of {expected:?}");
}

#[test]
fn recorded_results_are_met_to_the_last_bit() {
    equal(sin(2.0), 0.9092974268256816);
    equal(cos(0.1), 0.9950041652780257);
    equal(tan(1.0), 1.557407724654902);
    equal(ln(3.0), 1.0986122886681096);
    equal(log10(0.1), -0.9999999999999999);
    equal(log10(1000.0), 3.0);
    equal(log2(3.0), 1.5849625007211563);
    equal(log(3.0, 2.0), 1.584962500721156);
    equal(log(10.0, 2.0), 3.3219280948873626);
    equal(log(1000.0, 10.0), 2.9999999999999996);
    equal(log(1000000.0, 10.0), 5.999999999999999);
    equal(atan(10.0), 1.4711276743037345);
    equal(pow(10.0, 0.3), 1.9952623149688797);
    equal(pow(100.0, 2.5), 100000.00000000001);
    equal(exp(0.1), 1.1051709180756477);
    equal(exp(100.0), 2.6881171418161356e+43);
}

#[test]
fn results_are_close_to_the_platforms_over_the_whole_range() {
    let close = |name: &str, x: f64, got: f64, expected: f64| {
        let error = (got - expected).abs();
        assert!(
            error <= 4e-16 * expected.abs().max(1e-300) * 4.0,
            "{name}({x:?}): {got:?} {expected:?}"
        );
    };
    let mut x = 1e-9;
    while x < 1e300 {
        for x in [x, -x] {
            // Near a zero of the function the error is absolute.
            assert!((sin(x) - x.sin()).abs() < 2e-15, "sin({x:?})");
            assert!((cos(x) - x.cos()).abs() < 2e-15, "cos({x:?})");
            close("atan", x, atan(x), x.atan());
        }
        close("ln", x, ln(x), x.ln());
        close("log2", x, log2(x), x.log2());
        close("log10", x, log10(x), x.log10());
        x *= 1.37;
    }
    for step in -700..700 {
        let x = f64::from(step) * 1.01;
        close("exp", x, exp(x), x.exp());
        let x = f64::from(step) / 700.0;
        assert!((asin(x) - x.asin()).abs() < 1e-15, "asin({x:?})");
        assert!((acos(x) - x.acos()).abs() < 1e-15, "acos({x:?})");
        assert!((tan(x) - x.tan()).abs() < 1e-15, "tan({x:?})");
        let (base, y) = (1.5 + x, f64::from(step) / 3.0);
        let error = (pow(base, y) / base.powf(y) - 1.0).abs();
        assert!(error < 1e-13, "pow({base:?}, {y:?})");
    }
}

#[test]
fn angles_are_reduced_exactly_on_both_sides_of_the_threshold() {
    for x in [5e8f64, 5.4e8, 1e10, 1e15, 1.2345e22, 1e100, f64::MAX] {
        assert!((sin(x) - x.sin()).abs() < 1e-15, "sin({x:?})");
        assert!((cos(x) - x.cos()).abs() < 1e-15, "cos({x:?})");
    }
}

#[test]
fn outside_of_the_domain_there_is_no_number() {
    for value in [
        sin(f64::INFINITY),
        cos(f64::NEG_INFINITY),
        tan(f64::INFINITY),
        asin(2.0),
        acos(-1.1),
        ln(-1.0),
        log2(-1.0),
        log10(-0.5),
        log(-1.0, 2.0),
        pow(-2.0, 0.5 + 0.25),
        atan2(f64::NAN, 1.0),
        exp(f64::NAN),
    ] {
        equal(value, f64::NAN);
    }
    equal(ln(0.0), f64::NEG_INFINITY);
    equal(log(2.0, 1.0), f64::INFINITY);
    equal(log2(0.0), f64::NEG_INFINITY);
    equal(ln(f64::INFINITY), f64::INFINITY);
}

#[test]
fn zeros_and_infinities_keep_their_signs() {
    equal(sin(-0.0), -0.0);
    equal(tan(-0.0), -0.0);
    equal(asin(-0.0), -0.0);
    equal(atan(-0.0), -0.0);
    equal(atan2(0.0, 1.0), 0.0);
    equal(atan2(-0.0, 1.0), -0.0);
    equal(atan2(0.0, -1.0), PI);
    equal(atan2(-1.0, 0.0), -FRAC_PI_2);
    equal(atan2(1.0, -1.0), 2.356194490192345);
    equal(atan2(f64::INFINITY, f64::NEG_INFINITY), 2.356194490192345);
    equal(atan2(1.0, f64::INFINITY), 0.0);
    equal(pow(-0.0, 3.0), -0.0);
    equal(pow(-0.0, -3.0), f64::NEG_INFINITY);
    equal(pow(-0.0, 2.0), 0.0);
    equal(pow(0.0, -1.5), f64::INFINITY);
    equal(pow(f64::NEG_INFINITY, 3.0), f64::NEG_INFINITY);
    equal(pow(-1.0, f64::INFINITY), 1.0);
    equal(pow(0.5, f64::INFINITY), 0.0);
    equal(pow(2.0, -1e300), 0.0);
}

#[test]
fn whole_powers_are_exact_where_they_can_be() {
    equal(pow(2.0, 10.0), 1024.0);
    equal(pow(-3.0, 3.0), -27.0);
    equal(pow(10.0, -2.0), 0.01);
    equal(pow(2.0, -1074.0), 5e-324);
    equal(pow(2.0, 1024.0), f64::INFINITY);
    equal(pow(0.0, 0.0), 1.0);
    equal(pow(4.0, 0.5), 2.0);
    equal(pow(4.0, -0.5), 0.5);
    equal(log2(5e-324), -1074.0);
    equal(log2(8.0), 3.0);
}

#[test]
fn exponentials_overflow_and_underflow_at_the_ends_of_the_type() {
    assert!(exp(709.78).is_finite());
    equal(exp(709.79), f64::INFINITY);
    equal(exp(-745.2), 0.0);
    assert!(exp(-745.0) > 0.0);
    equal(exp(f64::NEG_INFINITY), 0.0);
    equal(exp(0.0), 1.0);
}
