use super::*;

#[track_caller]
fn check(value: f64, json: &str, plain: &str) {
    let mut out = Vec::new();
    write_json_float(&mut out, value);
    assert_eq!(String::from_utf8(out).unwrap(), json);
    let mut out = Vec::new();
    write_plain_float(&mut out, value);
    assert_eq!(String::from_utf8(out).unwrap(), plain);
}

#[test]
fn floats_print_as_the_shortest_digits_in_the_references_layout() {
    check(1.0, "1", "1");
    check(-0.0, "-0", "-0");
    check(0.0, "0", "0");
    check(42.5, "42.5", "42.5");
    check(0.1, "0.1", "0.1");
    check(100_000.0, "100000", "100000");
    check(
        123_456_789.123_456_79,
        "123456789.12345679",
        "123456789.12345679",
    );
    check(1e20, "100000000000000000000", "100000000000000000000");
    check(1.5e17, "150000000000000000", "150000000000000000");
    check(1e21, "1e+21", "1000000000000000000000");
    check(-1.25e22, "-1.25e+22", "-12500000000000000000000");
    check(1e-6, "0.000001", "0.000001");
    check(1.5e-6, "0.0000015", "0.0000015");
    check(1e-7, "1e-7", "0.0000001");
    check(-2.5e-10, "-2.5e-10", "-0.00000000025");
    check(1e100, "1e+100", &format!("1{}", "0".repeat(100)));
    check(5e-324, "5e-324", &format!("0.{}5", "0".repeat(323)));
    check(
        f64::MAX,
        "1.7976931348623157e+308",
        &format!("17976931348623157{}", "0".repeat(292)),
    );
}

#[test]
fn every_printed_float_reads_back_as_itself() {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        bits = bits
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        let value = f64::from_bits(bits);
        if !value.is_finite() {
            continue;
        }
        for write in [write_json_float, write_plain_float] {
            let mut out = Vec::new();
            write(&mut out, value);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.parse::<f64>().unwrap(), value, "{text}");
        }
    }
}

#[test]
fn infinities_have_the_references_names() {
    let mut out = Vec::new();
    write_plain_float(&mut out, f64::INFINITY);
    write_plain_float(&mut out, f64::NEG_INFINITY);
    assert_eq!(out, b"+Inf-Inf");
}
