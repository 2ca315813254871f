use std::cell::Cell;

use super::*;

#[test]
fn the_question_comes_once_in_so_many_steps_and_no_ends_the_work() {
    let asked = Cell::new(0);
    let goes_on = |count| {
        asked.set(asked.get() + count);
        asked.get() < 2 * WATCH_STEPS
    };
    let mut watch = Watch::new(&goes_on);
    for _ in 0..2 * WATCH_STEPS - 1 {
        watch.step().unwrap();
    }
    assert_eq!(asked.get(), WATCH_STEPS);
    assert!(matches!(watch.step(), Err(Error::Interrupted)));
}
