use super::{go_duration, rfc3339};

#[test]
fn times_have_no_trailing_zeros() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(1_500_000_000), "1970-01-01T00:00:01.5Z");
    assert_eq!(rfc3339(10_000_000_001), "1970-01-01T00:00:10.000000001Z");
    assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
}

#[test]
fn durations_are_written_as_go_does() {
    assert_eq!(go_duration(168 * 3600 * 1_000_000_000), "168h0m0s");
    assert_eq!(go_duration(61 * 1_000_000_000), "1m1s");
    assert_eq!(go_duration(5 * 1_000_000_000), "5s");
}
