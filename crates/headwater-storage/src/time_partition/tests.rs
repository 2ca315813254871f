use super::bounds;

const HOUR: i64 = 3_600_000_000_000;

#[test]
fn groups_of_seven_days_start_on_mondays() {
    // 1970-01-01 was a Thursday; 2023-01-01 a Sunday.
    assert_eq!(bounds(0, 168 * HOUR), (-3 * 24 * HOUR, 4 * 24 * HOUR));
    let (start, end) = bounds(1_672_531_200_000_000_000, 168 * HOUR);
    assert_eq!(start, 1_672_012_800_000_000_000);
    assert_eq!(end - start, 168 * HOUR);
}

#[test]
fn shorter_groups_start_on_whole_days_and_hours() {
    assert_eq!(bounds(1, 24 * HOUR), (0, 24 * HOUR));
    assert_eq!(bounds(-1, HOUR), (-HOUR, 0));
    assert_eq!(bounds(HOUR, HOUR), (HOUR, 2 * HOUR));
}

#[test]
fn bounds_at_the_ends_of_time_are_cut() {
    let (start, _) = bounds(i64::MIN + 2, 168 * HOUR);
    assert_eq!(start, i64::MIN);
    let (start, end) = bounds(i64::MAX - 1, 168 * HOUR);
    assert_eq!(end, i64::MAX);
    assert!(start < end);
}
