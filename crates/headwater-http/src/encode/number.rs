//! Floats as Go prints them. The shortest digits that read back as the same value come from
//! `ryu`; only their layout differs (`spec/query.md` §4 and §5).

/// Appends `value`, which is finite, as JSON of the reference: plain notation unless the exponent
/// is below −6 or at least 21, then `1e-7`, `1e+21`.
pub(crate) fn write_json_float(out: &mut Vec<u8>, value: f64) {
    let absolute = value.abs();
    if absolute != 0.0 && !(1e-6..1e21).contains(&absolute) {
        write_scientific(out, value);
    } else {
        write_plain_float(out, value);
    }
}

/// Appends `value` in plain notation whatever its size, `+Inf`, `-Inf` or `NaN`.
pub(crate) fn write_plain_float(out: &mut Vec<u8>, value: f64) {
    let absolute = value.abs();
    // Whole numbers of up to 15 digits print as integers do, except that −0 keeps its sign.
    if absolute < 1e15 && value.trunc() == value {
        if value == 0.0 && value.is_sign_negative() {
            out.push(b'-');
        }
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
        return;
    }
    if !value.is_finite() {
        out.extend_from_slice(non_finite_name(value).as_bytes());
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    if (1e-4..1e15).contains(&absolute) {
        out.extend_from_slice(text.as_bytes());
    } else {
        lay_out_plain(out, text);
    }
}

/// The reference's word for a value that JSON has no number for.
pub(crate) fn non_finite_name(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// Sign, significant digits, and the power of ten of the first digit.
struct Digits {
    negative: bool,
    digits: [u8; 20],
    len: usize,
    exponent: i32,
}

fn split(text: &str) -> Digits {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut parts = Digits {
        negative,
        digits: [0; 20],
        len: 0,
        exponent: 0,
    };
    let mut leading_zeros = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if digit == b'0' && parts.len == 0 {
            leading_zeros += 1;
        } else if parts.len < parts.digits.len() {
            parts.digits[parts.len] = digit;
            parts.len += 1;
        }
    }
    while parts.len > 1 && parts.digits[parts.len - 1] == b'0' {
        parts.len -= 1;
    }
    parts.exponent = exponent + whole.len() as i32 - 1 - leading_zeros;
    parts
}

fn write_scientific(out: &mut Vec<u8>, value: f64) {
    let mut buffer = ryu::Buffer::new();
    let parts = split(buffer.format_finite(value));
    if parts.negative {
        out.push(b'-');
    }
    out.push(parts.digits[0]);
    if parts.len > 1 {
        out.push(b'.');
        out.extend_from_slice(&parts.digits[1..parts.len]);
    }
    out.extend_from_slice(if parts.exponent < 0 { b"e-" } else { b"e+" });
    out.extend_from_slice(
        itoa::Buffer::new()
            .format(parts.exponent.unsigned_abs())
            .as_bytes(),
    );
}

fn lay_out_plain(out: &mut Vec<u8>, text: &str) {
    let parts = split(text);
    if parts.negative {
        out.push(b'-');
    }
    let digits = &parts.digits[..parts.len];
    if parts.exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-parts.exponent - 1) as usize, b'0');
        out.extend_from_slice(digits);
        return;
    }
    let whole_len = parts.exponent as usize + 1;
    if whole_len >= digits.len() {
        out.extend_from_slice(digits);
        out.resize(out.len() + whole_len - digits.len(), b'0');
    } else {
        out.extend_from_slice(&digits[..whole_len]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole_len..]);
    }
}

#[cfg(test)]
mod tests;
