use super::*;

#[test]
fn items_come_out_in_order() {
    let mut items = vec![5, 3, 8, 1, 9, 2];
    heapify(&mut items, |a, b| a < b);
    push(&mut items, 4, |a, b| a < b);
    let mut out = Vec::new();
    while let Some(item) = pop(&mut items, |a, b| a < b) {
        out.push(item);
    }
    assert_eq!(out, [1, 2, 3, 4, 5, 8, 9]);
}

#[test]
fn equal_items_come_out_in_heap_order() {
    // Four inputs with one point each at the same time: the first is popped, the last takes its
    // place and stays there, and so on.
    let mut items = vec!['a', 'b', 'c', 'd'];
    let mut out = String::new();
    while let Some(item) = pop(&mut items, |_, _| false) {
        out.push(item);
    }
    assert_eq!(out, "adcb");
}
