use super::*;

/// A simple generator, so that failures repeat.
fn numbers(len: usize, below: u64) -> Vec<(u64, usize)> {
    let mut state = 88_172_645_463_325_252_u64;
    (0..len)
        .map(|at| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below, at)
        })
        .collect()
}

fn check(mut items: Vec<(u64, usize)>) {
    let mut expected = items.clone();
    expected.sort();
    sort(&mut items, |l, r| l.0 < r.0, &Guard::default()).unwrap();
    assert!(items.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    items.sort();
    assert_eq!(items, expected, "no item is lost");
}

#[test]
fn all_lengths_and_patterns_are_sorted() {
    for len in 0..300 {
        for below in [2, 7, 1000] {
            check(numbers(len, below));
        }
        check((0..len).map(|at| (at as u64, at)).collect());
        check((0..len).map(|at| ((len - at) as u64, at)).collect());
        check((0..len).map(|at| ((at % 5) as u64, at)).collect());
        check(
            (0..len)
                .map(|at| (at.abs_diff(len / 2) as u64, at))
                .collect(),
        );
    }
    check(numbers(5000, 100));
}

#[test]
fn few_equal_items_keep_their_order() {
    let mut items = vec![(1, 'a'), (0, 'b'), (1, 'c'), (0, 'd')];
    sort(&mut items, |l, r| l.0 < r.0, &Guard::default()).unwrap();
    assert_eq!(items, [(0, 'b'), (0, 'd'), (1, 'a'), (1, 'c')]);
}

#[test]
fn the_stable_sort_keeps_the_order_of_equal_items() {
    for len in [0, 1, 4095, 4096, 4097, 10_000, 50_001] {
        let mut items = numbers(len, 100);
        stable_sort(&mut items, |l, r| l.0.cmp(&r.0), &Guard::default()).unwrap();
        let mut expected = numbers(len, 100);
        expected.sort_by_key(|item| item.0);
        assert_eq!(items, expected);
    }
}

#[test]
fn an_interrupted_sort_ends_at_the_next_look() {
    let looks = |sort: &dyn Fn(&Guard)| {
        let guard = Guard::default();
        sort(&guard);
        guard.looks()
    };
    let quick = |guard: &Guard| sort(&mut numbers(500_000, 1 << 40), |l, r| l.0 < r.0, guard);
    let stable =
        |guard: &Guard| stable_sort(&mut numbers(500_000, 1 << 40), |l, r| l.0.cmp(&r.0), guard);
    assert!(looks(&|guard| quick(guard).unwrap()) > 50);
    assert!(looks(&|guard| stable(guard).unwrap()) > 50);
    for sort in [&quick as &dyn Fn(&Guard) -> Result<(), Error>, &stable] {
        let guard = Guard::interrupted_at(3);
        sort(&guard).unwrap_err();
        // The failure is asked for once more.
        assert!(guard.looks() <= 4, "{}", guard.looks());
    }
}
