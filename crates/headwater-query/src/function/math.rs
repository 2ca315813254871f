//! Elementary functions of `f64`, equal to the reference's to the last bit
//! (`spec/influxql/functions.md` §8), which the platform's are not.
//!
//! Sine, cosine, tangent and arc tangent follow Cephes, the logarithm FreeBSD's `e_log.c`, the
//! exponential Shibata's SLEEF scheme. Plain IEEE operations in the order written; only `exp`
//! fuses multiply-adds.

#![expect(
    clippy::excessive_precision,
    reason = "coefficients carry the digits of their published form"
)]

#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LOG2_E, LOG10_E, PI, SQRT_2};

/// From here on π/4 in three parts is too short and [`reduce_large`] takes over.
const LARGE_ANGLE: f64 = (1u64 << 29) as f64;

const SIN: [f64; 6] = [
    1.58962301576546568060e-10,
    -2.50507477628578072866e-8,
    2.75573136213857245213e-6,
    -1.98412698295895385996e-4,
    8.33333333332211858878e-3,
    -1.66666666666666307295e-1,
];

const COS: [f64; 6] = [
    -1.13585365213876817300e-11,
    2.08757008419747316778e-9,
    -2.75573141792967388112e-7,
    2.48015872888517045348e-5,
    -1.38888888888730564116e-3,
    4.16666666666665929218e-2,
];

const TAN_P: [f64; 3] = [
    -1.30936939181383777646e4,
    1.15351664838587416140e6,
    -1.79565251976484877988e7,
];

const TAN_Q: [f64; 5] = [
    1.0,
    1.36812963470692954678e4,
    -1.32089234440210967447e6,
    2.50083801823357915839e7,
    -5.38695755929454629881e7,
];

const ATAN_P: [f64; 5] = [
    -8.750608600031904122785e-01,
    -1.615753718733365076637e+01,
    -7.500855792314704667340e+01,
    -1.228866684490136173410e+02,
    -6.485021904942025371773e+01,
];

const ATAN_Q: [f64; 6] = [
    1.0,
    2.485846490142306297962e+01,
    1.650270098316988542046e+02,
    4.328810604912902668951e+02,
    4.853903996359136964868e+02,
    1.945506571482613964425e+02,
];

/// The binary digits of 4/π; the first word is its integer part.
const FOUR_OVER_PI: [u64; 20] = [
    0x0000000000000001,
    0x45f306dc9c882a53,
    0xf84eafa3ea69bb81,
    0xb6c52b3278872083,
    0xfca2c757bd778ac3,
    0x6e48dc74849ba5c0,
    0x0c925dd413a32439,
    0xfc3bd63962534e7d,
    0xd1046bea5d768909,
    0xd338e04d68befc82,
    0x7323ac7306a673e9,
    0x3908bf177bf25076,
    0x3ff12fffbc0b301f,
    0xde5e2316b414da3e,
    0xda6cfd9e4f96136e,
    0x9e8c7ecd3cbfd45a,
    0xea4f758fd7cbe2f6,
    0x7a0e73ef14a525d4,
    0xd7f6bf623f1aba10,
    0xac06608df8f6d757,
];

/// Horner's scheme from the highest degree; a leading 1 multiplies exactly.
#[inline]
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    let (first, rest) = coefficients
        .split_first()
        .expect("polynomials have coefficients");
    rest.iter()
        .fold(*first, |sum, coefficient| sum * x + coefficient)
}

/// Sine of radians.
pub(crate) fn sin(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let value = if matches!(octant & 3, 1 | 2) {
        cos_octant(z)
    } else {
        sin_octant(z)
    };
    if (x < 0.0) != (octant > 3) {
        -value
    } else {
        value
    }
}

/// Cosine of radians.
pub(crate) fn cos(x: f64) -> f64 {
    if x.is_nan() || x.is_infinite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let quarter = octant & 3;
    let value = if matches!(quarter, 1 | 2) {
        sin_octant(z)
    } else {
        cos_octant(z)
    };
    if (octant > 3) != (quarter > 1) {
        -value
    } else {
        value
    }
}

/// Tangent of radians.
pub(crate) fn tan(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let zz = z * z;
    let mut value = z;
    if zz > 1e-14 {
        value = z + z * (zz * polynomial(zz, &TAN_P) / polynomial(zz, &TAN_Q));
    }
    if octant & 2 == 2 {
        value = -1.0 / value;
    }
    if x < 0.0 { -value } else { value }
}

fn sin_octant(z: f64) -> f64 {
    let zz = z * z;
    z + z * zz * polynomial(zz, &SIN)
}

fn cos_octant(z: f64) -> f64 {
    let zz = z * z;
    1.0 - 0.5 * zz + zz * zz * polynomial(zz, &COS)
}

/// The octant, even and below 8, whose origin is nearest, and the rest; `x` is not negative.
fn reduce(x: f64) -> (u64, f64) {
    const PI4_A: f64 = 7.85398125648498535156e-1;
    const PI4_B: f64 = 3.77489470793079817668e-8;
    const PI4_C: f64 = 2.69515142907905952645e-15;
    if x >= LARGE_ANGLE {
        return reduce_large(x);
    }
    let mut octant = (x * 1.27323954473516268615107010698) as u64;
    octant += octant & 1;
    let y = octant as f64;
    (octant & 7, ((x - y * PI4_A) - y * PI4_B) - y * PI4_C)
}

/// Payne and Hanek: multiplies the mantissa by those digits of 4/π that matter.
fn reduce_large(x: f64) -> (u64, f64) {
    const MANTISSA_BITS: u32 = 52;
    let bits = x.to_bits();
    // Of the unit of the mantissa, moved so that the product's first digit is below 2^-61.
    let exponent = (bits >> MANTISSA_BITS) as u32 + 61 - 1023 - MANTISSA_BITS;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | 1 << MANTISSA_BITS;
    let (word, shift) = ((exponent / 64) as usize, exponent % 64);
    let digits = |at: usize| {
        let pair = u128::from(FOUR_OVER_PI[at]) << 64 | u128::from(FOUR_OVER_PI[at + 1]);
        (pair << shift >> 64) as u64
    };
    let product = |at: usize| u128::from(digits(at)) * u128::from(mantissa);
    // The product modulo 2^128, without the part of the lowest word that is rounded away.
    let sum = (product(word) << 64)
        .wrapping_add(product(word + 1))
        .wrapping_add(product(word + 2) >> 64);
    let octant = (sum >> 125) as u64;
    let fraction = sum << 3;
    let zeros = (fraction >> 64).leading_zeros() - 64;
    // Without its leading one, which a float leaves out.
    let digits = ((fraction << (zeros + 1)) >> (128 - MANTISSA_BITS)) as u64;
    let z = f64::from_bits(digits | u64::from(1023 - (zeros + 1)) << MANTISSA_BITS);
    if octant & 1 == 1 {
        return ((octant + 1) & 7, (z - 1.0) * FRAC_PI_4);
    }
    (octant, z * FRAC_PI_4)
}

/// Arc tangent.
pub(crate) fn atan(x: f64) -> f64 {
    if x == 0.0 {
        x
    } else if x > 0.0 {
        atan_positive(x)
    } else {
        -atan_positive(-x)
    }
}

fn atan_positive(x: f64) -> f64 {
    /// π/2 less its double.
    const MORE_BITS: f64 = 6.123233995736765886130e-17;
    /// tan(3π/8).
    const TAN_3_PI_8: f64 = 2.41421356237309504880;
    if x <= 0.66 {
        atan_small(x)
    } else if x > TAN_3_PI_8 {
        FRAC_PI_2 - atan_small(1.0 / x) + MORE_BITS
    } else {
        FRAC_PI_4 + atan_small((x - 1.0) / (x + 1.0)) + 0.5 * MORE_BITS
    }
}

fn atan_small(x: f64) -> f64 {
    let z = x * x;
    let z = z * polynomial(z, &ATAN_P) / polynomial(z, &ATAN_Q);
    x * z + x
}

/// Arc sine; NaN outside of -1 to 1.
pub(crate) fn asin(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    let size = x.abs();
    if size > 1.0 {
        return f64::NAN;
    }
    let root = (1.0 - size * size).sqrt();
    let angle = if size > 0.7 {
        FRAC_PI_2 - atan_positive(root / size)
    } else {
        atan_positive(size / root)
    };
    if x < 0.0 { -angle } else { angle }
}

/// Arc cosine; NaN outside of -1 to 1.
pub(crate) fn acos(x: f64) -> f64 {
    FRAC_PI_2 - asin(x)
}

/// The angle of the point (x, y).
pub(crate) fn atan2(y: f64, x: f64) -> f64 {
    if y.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    if y == 0.0 {
        return if x.is_sign_negative() {
            PI.copysign(y)
        } else {
            0f64.copysign(y)
        };
    }
    if x == 0.0 {
        return FRAC_PI_2.copysign(y);
    }
    match (x.is_infinite(), y.is_infinite()) {
        (true, true) if x > 0.0 => return FRAC_PI_4.copysign(y),
        (true, true) => return 2.356194490192345f64.copysign(y),
        (true, false) if x > 0.0 => return 0f64.copysign(y),
        (true, false) => return PI.copysign(y),
        (false, true) => return FRAC_PI_2.copysign(y),
        (false, false) => {}
    }
    let angle = atan(y / x);
    if x > 0.0 {
        angle
    } else if angle <= 0.0 {
        angle + PI
    } else {
        angle - PI
    }
}

/// Natural logarithm.
pub(crate) fn ln(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.93147180369123816490e-01;
    const LN2_LOW: f64 = 1.90821492927058770002e-10;
    const L1: f64 = 6.666666666666735130e-01;
    const L2: f64 = 3.999999999940941908e-01;
    const L3: f64 = 2.857142874366239149e-01;
    const L4: f64 = 2.222219843214978396e-01;
    const L5: f64 = 1.818357216161805012e-01;
    const L6: f64 = 1.531383769920937332e-01;
    const L7: f64 = 1.479819860511658591e-01;
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    let (mut fraction, mut exponent) = frexp(x);
    if fraction < SQRT_2 / 2.0 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// Logarithm to base 2; exact for powers of two.
pub(crate) fn log2(x: f64) -> f64 {
    let (fraction, exponent) = frexp(x);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    ln(fraction) * LOG2_E + f64::from(exponent)
}

/// Logarithm to base 10.
pub(crate) fn log10(x: f64) -> f64 {
    ln(x) * LOG10_E
}

/// Logarithm to any base.
pub(crate) fn log(x: f64, base: f64) -> f64 {
    ln(x) / ln(base)
}

/// e to the power `x`.
pub(crate) fn exp(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693147180559662956511601805686950683593750;
    const LN2_LOW: f64 = 0.28235290563031577122588448175013436025525412068e-12;
    /// 1/8! down to 1/1!.
    const TAYLOR: [f64; 8] = [
        2.4801587301587301587e-5,
        1.9841269841269841270e-4,
        1.3888888888888888889e-3,
        8.3333333333333333333e-3,
        4.1666666666666666667e-2,
        1.6666666666666666667e-1,
        0.5,
        1.0,
    ];
    const OVERFLOW: f64 = 7.09782712893384e+02;
    const UNDERFLOW: f64 = -7.45133219101941108420e+02;
    if x.is_nan() {
        return x;
    }
    if x > OVERFLOW {
        return f64::INFINITY;
    }
    if x < UNDERFLOW {
        return 0.0;
    }
    let n = (x * LOG2_E).round_ties_even();
    let r = (-n).mul_add(LN2_HIGH, x);
    let r = (-n).mul_add(LN2_LOW, r) * 0.0625;
    let series = TAYLOR[1..]
        .iter()
        .fold(TAYLOR[0], |sum, term| sum.mul_add(r, *term));
    // e^r - 1, doubled in r four times by (1+a)² - 1 = a(a+2).
    let mut a = r * series;
    for _ in 0..3 {
        a *= a + 2.0;
    }
    ldexp(a.mul_add(a + 2.0, 1.0), n as i32)
}

/// `x` to the power `y`.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    if let Some(value) = pow_special(x, y) {
        return value;
    }
    let magnitude = y.abs();
    let mut whole = magnitude.trunc();
    let mut rest = magnitude - whole;
    if rest != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if whole >= (1u64 << 63) as f64 {
        return pow_extreme(x, y > 0.0);
    }
    let (mut value, mut exponent) = (1.0, 0i32);
    if rest != 0.0 {
        if rest > 0.5 {
            rest -= 1.0;
            whole += 1.0;
        }
        value = exp(rest * ln(x));
    }
    let (mut factor, mut factor_exponent) = frexp(x);
    let mut bits = whole as u64;
    while bits != 0 {
        // Lost to overflow or underflow whatever follows.
        if factor_exponent.abs() > 1 << 12 {
            exponent += factor_exponent;
            break;
        }
        if bits & 1 == 1 {
            value *= factor;
            exponent += factor_exponent;
        }
        factor *= factor;
        factor_exponent *= 2;
        if factor < 0.5 {
            factor += factor;
            factor_exponent -= 1;
        }
        bits >>= 1;
    }
    // Inverted before scaling, which a subnormal result would not survive.
    if y < 0.0 {
        value = 1.0 / value;
        exponent = -exponent;
    }
    ldexp(value, exponent)
}

fn pow_special(x: f64, y: f64) -> Option<f64> {
    let is_odd = y.abs() < (1u64 << 53) as f64 && y.trunc() == y && (y as i64) & 1 == 1;
    Some(if y == 0.0 || x == 1.0 {
        1.0
    } else if y == 1.0 {
        x
    } else if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x == 0.0 {
        let size: f64 = if y < 0.0 { f64::INFINITY } else { 0.0 };
        if is_odd { size.copysign(x) } else { size }
    } else if y.is_infinite() {
        pow_extreme(x, y > 0.0)
    } else if x.is_infinite() {
        let size: f64 = if y < 0.0 { 0.0 } else { f64::INFINITY };
        if is_odd { size.copysign(x) } else { size }
    } else if y == 0.5 {
        x.sqrt()
    } else if y == -0.5 {
        1.0 / x.sqrt()
    } else {
        return None;
    })
}

/// The power where the exponent is so large that only its sign and the side of 1 matter.
fn pow_extreme(x: f64, positive: bool) -> f64 {
    if x == -1.0 {
        1.0
    } else if (x.abs() < 1.0) == positive {
        0.0
    } else {
        f64::INFINITY
    }
}

/// A fraction in ±[½, 1) and a power of two; zero, infinity and NaN stay, with power 0.
fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    // Subnormals are first brought among the normal numbers.
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE {
        (x * 2f64.powi(52), 52)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022 - shift;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent)
}

/// `x · 2^exponent`, rounded once.
fn ldexp(x: f64, exponent: i32) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let (fraction, own) = frexp(x);
    // From here on as 1.… · 2^power.
    let power = exponent.saturating_add(own - 1);
    if power < -1075 {
        return 0f64.copysign(x);
    }
    if power > 1023 {
        return f64::INFINITY.copysign(x);
    }
    let (power, scale) = if power < -1022 {
        (power + 53, 2f64.powi(-53))
    } else {
        (power, 1.0)
    };
    let biased = (power + 1023) as u64;
    scale * f64::from_bits(fraction.to_bits() & !(0x7ff << 52) | biased << 52)
}
