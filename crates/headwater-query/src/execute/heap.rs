//! The binary heap whose exact mechanics decide the order of equal points (§3.2): heapified from
//! the middle down, popped by swapping first and last, pushed at the end. The order is part of
//! the answers (`spec/decisions.md` 10), so the standard library's heap will not do.

/// Makes a heap of `items`.
pub(super) fn heapify<T>(items: &mut [T], mut less: impl FnMut(&T, &T) -> bool) {
    for at in (0..items.len() / 2).rev() {
        sift_down(items, at, &mut less);
    }
}

/// Takes the least item.
pub(super) fn pop<T>(items: &mut Vec<T>, mut less: impl FnMut(&T, &T) -> bool) -> Option<T> {
    let last = items.len().checked_sub(1)?;
    items.swap(0, last);
    sift_down(&mut items[..last], 0, &mut less);
    items.pop()
}

/// Adds an item.
pub(super) fn push<T>(items: &mut Vec<T>, item: T, mut less: impl FnMut(&T, &T) -> bool) {
    items.push(item);
    let mut at = items.len() - 1;
    while at > 0 {
        let parent = (at - 1) / 2;
        if !less(&items[at], &items[parent]) {
            break;
        }
        items.swap(at, parent);
        at = parent;
    }
}

/// Restores the order after the item at `at` grew.
pub(super) fn sift_down<T>(items: &mut [T], mut at: usize, mut less: impl FnMut(&T, &T) -> bool) {
    loop {
        let left = 2 * at + 1;
        if left >= items.len() {
            return;
        }
        let right = left + 1;
        let child = if right < items.len() && less(&items[right], &items[left]) {
            right
        } else {
            left
        };
        if !less(&items[child], &items[at]) {
            return;
        }
        items.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests;
