//! How answers are taken and refused lines are named.

use super::*;

#[test]
fn neighbouring_lines_are_named_as_a_range() {
    for (numbers, expected) in [
        (&[7][..], "7"),
        (&[1, 2], "1-2"),
        (&[1, 3, 4, 5, 9], "1,3-5,9"),
    ] {
        assert_eq!(ranges(numbers), expected);
    }
}
