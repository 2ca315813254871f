use std::{rc::Rc, sync::Arc};

use super::*;

fn guard(limits: Limits) -> Rc<Guard> {
    Rc::new(Guard::new(Arc::default(), limits))
}

#[test]
fn work_looks_at_the_signal_once_in_so_many_units() {
    let guard = Guard::default();
    for _ in 0..3 * WORK_UNITS {
        guard.work(1).unwrap();
    }
    assert_eq!(guard.looks(), 3);
    guard.work(10 * WORK_UNITS).unwrap();
    assert_eq!(guard.looks(), 4);
}

#[test]
fn the_first_reason_is_the_one_that_is_told() {
    let signal = Arc::new(Signal::default());
    let guard = Guard::new(Arc::clone(&signal), Limits::default());
    guard.check().unwrap();
    assert!(signal.raise(Interruption::TimedOut));
    assert!(!signal.raise(Interruption::Killed));
    assert_eq!(
        guard.check().unwrap_err().to_string(),
        "query-timeout limit exceeded"
    );
}

#[tokio::test]
async fn a_signal_that_was_raised_before_is_not_waited_for() {
    let signal = Signal::default();
    signal.raise(Interruption::Killed);
    signal.wait().await;
    assert_eq!(signal.error().to_string(), "query interrupted");
}

#[test]
fn limits_name_themselves_and_zero_is_none() {
    let limited = guard(Limits {
        points: 10,
        series: 5,
        memory_bytes: 100,
    });
    limited.read_points(10).unwrap();
    assert_eq!(
        limited.read_points(2).unwrap_err().to_string(),
        "max-select-point limit exceeed: (12/10)"
    );
    limited.check_series(5).unwrap();
    assert_eq!(
        limited.check_series(9).unwrap_err().to_string(),
        "max-select-series limit exceeded: (6/5)"
    );
    assert_eq!(
        Held::of(&limited, 101).unwrap_err().to_string(),
        "query memory limit exceeded: 101 of 100 bytes (setting query_memory_bytes)"
    );
    let free = guard(Limits::default());
    free.read_points(usize::MAX).unwrap();
    free.check_series(usize::MAX).unwrap();
    Held::of(&free, usize::MAX).unwrap();
}

#[test]
fn bytes_are_given_back() {
    let guard = guard(Limits {
        memory_bytes: 100,
        ..Limits::default()
    });
    {
        let mut held = Held::of(&guard, 60).unwrap();
        held.set(90).unwrap();
        held.grow(20).unwrap_err();
        held.set(50).unwrap();
        let other = Held::of(&guard, 50).unwrap();
        Held::of(&guard, 1).unwrap_err();
        drop(other);
        held.grow(50).unwrap();
    }
    Held::of(&guard, 100).unwrap();
    assert_eq!(guard.held_max(), 100);
}

#[test]
fn an_attempt_ends_at_much_work_however_it_is_told() {
    let at_once = Guard::default().attempt();
    at_once.work(ATTEMPT_WORK_UNITS - 1).unwrap();
    assert!(!at_once.has_given_up());
    at_once.work(1).unwrap_err();
    assert!(at_once.has_given_up());

    let with_looks = Guard::default().attempt();
    let half = ATTEMPT_WORK_UNITS / 2;
    with_looks.work(half).unwrap();
    with_looks.check().unwrap();
    with_looks.work(half).unwrap_err();
    assert!(with_looks.has_given_up());

    let expecting = Guard::default().attempt();
    expecting.work(half).unwrap();
    expecting.expect(half - 1).unwrap();
    expecting.expect(half).unwrap_err();
    assert!(expecting.has_given_up());
    Guard::default().expect(usize::MAX).unwrap();

    let series = Guard::default().attempt();
    series.check_series(ATTEMPT_SERIES).unwrap();
    series.check_series(ATTEMPT_SERIES + 1).unwrap_err();
    assert!(series.has_given_up());
    series.check().unwrap_err();
}
