//! Tests of ids.

use super::*;

#[test]
fn ids_grow_even_when_the_clock_stands_or_goes_back() {
    let ids = Ids::above(None);
    let mut last = ids.next(1_700_000_000_000_000_000, u64::MAX);
    for now in [
        1_700_000_000_000_000_000,
        1_600_000_000_000_000_000,
        0,
        -5,
        i64::MIN,
    ] {
        let next = ids.next(now, 0);
        assert!(next > last, "{next} after {last}");
        last = next;
    }
}

#[test]
fn ids_are_above_those_of_an_earlier_run() {
    let newest = Id::new(0xffff_0000_0000_0000);
    assert!(Some(Ids::above(newest).next(0, 0)) > newest);
    assert_eq!(Ids::above(None).next(0, 0).get(), 1);
}

#[test]
fn ids_carry_the_time_and_chance() {
    let id = Ids::above(None).next(5_000_000, u64::MAX).get();
    assert_eq!(id >> Ids::CHANCE_BITS, 5);
    assert_eq!(id & 0x3f_ffff, 0x3f_ffff);
}
