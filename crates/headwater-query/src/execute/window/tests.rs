use super::*;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

fn windows(every: i64, offset: i64, timezone: Option<Tz>) -> Windows {
    Windows::new(Window { every, offset }, timezone, TimeRange::ALL)
}

#[test]
fn windows_align_to_the_epoch_and_to_the_offset() {
    assert_eq!(windows(60, 0, None).of(75), (60, 120));
    assert_eq!(windows(60, 0, None).of(-1), (-60, 0));
    assert_eq!(windows(60, 10, None).of(5), (-50, 10));
    assert_eq!(windows(30, -15, None).of(0), (-15, 15));
}

#[test]
fn without_an_interval_the_range_is_the_window() {
    let whole = Windows::new(Window::default(), None, TimeRange::new(5, 9));
    assert_eq!(whole.of(7), (5, 10));
}

#[test]
fn a_local_day_is_23_or_25_hours_long_when_clocks_change() {
    let day = windows(24 * HOUR, 0, Some(chrono_tz::America::Los_Angeles));
    let spring = DateTime::parse_from_rfc3339("2000-04-02T12:00:00-07:00").unwrap();
    let (start, end) = day.of(spring.timestamp() * SECOND);
    assert_eq!(end - start, 23 * HOUR);
    let autumn = DateTime::parse_from_rfc3339("2000-10-29T12:00:00-08:00").unwrap();
    let (start, end) = day.of(autumn.timestamp() * SECOND);
    assert_eq!(end - start, 25 * HOUR);
}
