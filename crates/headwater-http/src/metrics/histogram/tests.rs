use super::*;

#[test]
fn durations_are_counted_up_to_each_bound() {
    let mut histogram = Histogram::default();
    for milliseconds in [1, 1, 30, 100_000] {
        histogram.observe(Duration::from_millis(milliseconds));
    }
    let below: Vec<_> = histogram.cumulative().collect();
    assert_eq!(below[0], ("0.0005", 0));
    assert_eq!(below[1], ("0.001", 2), "a bound belongs to its class");
    assert_eq!(below[6], ("0.05", 3));
    assert_eq!(below[12], ("60", 3));
    assert_eq!(histogram.count(), 4);
    assert_eq!(histogram.sum(), Duration::from_millis(100_032));
}
