//! The reference's unstable sort (Go's pattern-defeating quicksort). Where points have equal
//! values, `percentile` and `mode` show which of them came to stand where, so the permutation is
//! part of the answers. Up to 12 items it is an insertion sort, and thus stable.
//!
//! Both sorts here tell the guard of their comparisons, so that a statement can end amid them.

use std::{cell::Cell, cmp::Ordering};

use super::point::Point;
use crate::{Error, guard::Guard};

/// Ranges up to this long are sorted by insertion.
const INSERTION_MAX: usize = 12;
/// From this length on the pivot is a median of medians, and nearly sorted ranges are repaired.
const LONG: usize = 50;
/// How many pairs out of order a nearly sorted range may have.
const REPAIRS_MAX: usize = 5;
/// Comparisons of the choice of a pivot that all went the wrong way: the range descends.
const SWAPS_MAX: usize = 12;

/// Sorts like Go's `sort.Sort`.
pub(super) fn sort<T>(
    items: &mut [T],
    less: impl Fn(&T, &T) -> bool,
    guard: &Guard,
) -> Result<(), Error> {
    let limit = usize::BITS - items.len().leading_zeros();
    let len = items.len();
    let is_stopped = Cell::new(false);
    let less = |left: &T, right: &T| {
        if !is_stopped.get() && guard.work(1).is_err() {
            is_stopped.set(true);
        }
        !is_stopped.get() && less(left, right)
    };
    let is_stopped = &is_stopped;
    Sorter {
        items,
        less,
        is_stopped,
    }
    .quicksort(0, len, limit);
    if is_stopped.get() {
        return guard.check();
    }
    Ok(())
}

/// Items that the standard library sorts at once.
const STABLE_RUN: usize = 4096;

/// Sorts and keeps the order of equal items.
pub(super) fn stable_sort<T>(
    items: &mut Vec<T>,
    compare: impl Fn(&T, &T) -> Ordering,
    guard: &Guard,
) -> Result<(), Error> {
    for run in items.chunks_mut(STABLE_RUN) {
        guard.work(run.len())?;
        run.sort_by(&compare);
    }
    let mut length = STABLE_RUN;
    while length < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        let mut rest = std::mem::take(items).into_iter().peekable();
        while rest.peek().is_some() {
            let left: Vec<T> = rest.by_ref().take(length).collect();
            let mut left = left.into_iter().peekable();
            let mut right = length;
            while let Some(first) = left.peek() {
                guard.work(1)?;
                let is_less = |item: &T| compare(item, first).is_lt();
                match rest.next_if(|item| right > 0 && is_less(item)) {
                    Some(item) => {
                        right -= 1;
                        merged.push(item);
                    }
                    None => merged.extend(left.next()),
                }
            }
            guard.work(right)?;
            merged.extend(rest.by_ref().take(right));
        }
        *items = merged;
        length *= 2;
    }
    Ok(())
}

/// Sorts points by their times in the direction of a statement; equal ones keep their order.
pub(super) fn sort_by_time(
    points: &mut Vec<Point>,
    ascending: bool,
    guard: &Guard,
) -> Result<(), Error> {
    let compare = |left: &Point, right: &Point| {
        let order = left.time.cmp(&right.time);
        if ascending { order } else { order.reverse() }
    };
    stable_sort(points, compare, guard)
}

/// What the choice of a pivot says about a range.
#[derive(Clone, Copy, PartialEq)]
enum Hint {
    Unknown,
    Ascends,
    Descends,
}

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
    /// What is left need not be sorted.
    is_stopped: &'a Cell<bool>,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, left: usize, right: usize) -> bool {
        (self.less)(&self.items[left], &self.items[right])
    }

    /// Sorts `start..end`; after `limit` bad pivots by heap.
    fn quicksort(&mut self, mut start: usize, mut end: usize, mut limit: u32) {
        let (mut was_balanced, mut was_partitioned) = (true, true);
        while end - start > INSERTION_MAX && !self.is_stopped.get() {
            let len = end - start;
            if limit == 0 {
                return self.heapsort(start, end);
            }
            if !was_balanced {
                self.scatter(start, end);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(start, end);
            if hint == Hint::Descends {
                self.items[start..end].reverse();
                pivot = end - 1 - (pivot - start);
                hint = Hint::Ascends;
            }
            let may_be_sorted = was_balanced && was_partitioned && hint == Hint::Ascends;
            if may_be_sorted && self.repair(start, end) {
                return;
            }
            if start > 0 && !self.less(start - 1, pivot) {
                // The pivot equals the least possible item: put all of its equals first.
                start = self.partition_equal(start, end, pivot);
                continue;
            }
            let (middle, is_partitioned) = self.partition(start, end, pivot);
            was_partitioned = is_partitioned;
            let (left, right) = (middle - start, end - middle);
            if left < right {
                was_balanced = left >= len / 8;
                self.quicksort(start, middle, limit);
                start = middle + 1;
            } else {
                was_balanced = right >= len / 8;
                self.quicksort(middle + 1, end, limit);
                end = middle;
            }
        }
        self.insertion_sort(start, end);
    }

    fn insertion_sort(&mut self, start: usize, end: usize) {
        for from in start + 1..end {
            let mut at = from;
            while at > start && self.less(at, at - 1) {
                self.items.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heapsort(&mut self, start: usize, end: usize) {
        let items = &mut self.items[start..end];
        // The heap module keeps the least item on top; here it must be the greatest.
        let less = |left: &T, right: &T| (self.less)(right, left);
        for at in (0..=(items.len().saturating_sub(1)) / 2).rev() {
            super::heap::sift_down(items, at, less);
        }
        for last in (0..items.len()).rev() {
            items.swap(0, last);
            super::heap::sift_down(&mut items[..last], 0, less);
        }
    }

    /// Splits around the pivot; also whether nothing had to move.
    fn partition(&mut self, start: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        let mut moved = false;
        loop {
            while low <= high && self.less(low, start) {
                low += 1;
            }
            while low <= high && !self.less(high, start) {
                high -= 1;
            }
            if low > high {
                self.items.swap(high, start);
                return (high, !moved);
            }
            self.items.swap(low, high);
            low += 1;
            high -= 1;
            moved = true;
        }
    }

    /// Puts the items equal to the pivot before the greater ones.
    fn partition_equal(&mut self, start: usize, end: usize, pivot: usize) -> usize {
        self.items.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        loop {
            while low <= high && !self.less(start, low) {
                low += 1;
            }
            while low <= high && self.less(start, high) {
                high -= 1;
            }
            if low > high {
                return low;
            }
            self.items.swap(low, high);
            low += 1;
            high -= 1;
        }
    }

    /// Repairs a nearly sorted range; whether it is sorted now.
    fn repair(&mut self, start: usize, end: usize) -> bool {
        let mut at = start + 1;
        for _ in 0..REPAIRS_MAX {
            while at < end && !self.less(at, at - 1) {
                at += 1;
            }
            if at == end {
                return true;
            }
            if end - start < LONG {
                return false;
            }
            self.items.swap(at, at - 1);
            if at - start >= 2 {
                for to in (1..at).rev() {
                    if !self.less(to, to - 1) {
                        break;
                    }
                    self.items.swap(to, to - 1);
                }
            }
            if end - at >= 2 {
                for to in at + 1..end {
                    if !self.less(to, to - 1) {
                        break;
                    }
                    self.items.swap(to, to - 1);
                }
            }
        }
        false
    }

    /// Moves three items to pseudo-random places, against adverse patterns.
    fn scatter(&mut self, start: usize, end: usize) {
        let len = end - start;
        let mask = len
            .next_power_of_two()
            .max(1 << (usize::BITS - len.leading_zeros()))
            - 1;
        let mut random = len as u64;
        let at = start + len / 4 * 2 - 1;
        for step in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random as usize) & mask;
            if other >= len {
                other -= len;
            }
            self.items.swap(at - 1 + step, start + other);
        }
    }

    fn choose_pivot(&self, start: usize, end: usize) -> (usize, Hint) {
        let len = end - start;
        let mut swaps = 0;
        let mut at = [start + len / 4, start + len / 4 * 2, start + len / 4 * 3];
        if len >= LONG {
            at = at.map(|at| self.median([at - 1, at, at + 1], &mut swaps));
        }
        let pivot = self.median(at, &mut swaps);
        let hint = match swaps {
            0 => Hint::Ascends,
            SWAPS_MAX => Hint::Descends,
            _ => Hint::Unknown,
        };
        (pivot, hint)
    }

    fn median(&self, [mut a, mut b, mut c]: [usize; 3], swaps: &mut usize) -> usize {
        let mut order = |left: &mut usize, right: &mut usize| {
            if self.less(*right, *left) {
                *swaps += 1;
                std::mem::swap(left, right);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

#[cfg(test)]
mod tests;
