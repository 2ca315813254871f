use super::*;

#[test]
fn durations_are_cut_to_their_largest_unit() {
    let text = |nanoseconds| duration(Duration::from_nanos(nanoseconds));
    assert_eq!(text(0), "0s");
    assert_eq!(text(999), "999ns");
    assert_eq!(text(82_913), "82µs");
    assert_eq!(text(711_482_913), "711ms");
    assert_eq!(text(65_711_482_913), "1m5s");
}
