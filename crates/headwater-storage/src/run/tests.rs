use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, cast::AsArray, types::Int64Type};
use headwater_model::{FieldType, TimeRange};

use super::{Run, merge};

fn run(times: &[i64], values: &[Option<i64>]) -> Run {
    let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
    Run::new(times.to_vec().into(), vec![Some(column)], true)
}

fn rows(runs: &[Run]) -> Vec<(i64, Option<i64>)> {
    runs.iter()
        .flat_map(|run| {
            let column = run.columns[0]
                .as_ref()
                .unwrap()
                .as_primitive::<Int64Type>()
                .clone();
            let values: Vec<_> = column.iter().collect();
            run.times.iter().copied().zip(values).collect::<Vec<_>>()
        })
        .collect()
}

fn check(runs: Vec<Run>, expected: &[(i64, Option<i64>)]) -> usize {
    let merged = merge(runs, &[FieldType::Integer]).unwrap();
    assert_eq!(rows(&merged), expected);
    merged.len()
}

#[test]
fn runs_that_do_not_overlap_pass_untouched() {
    let count = check(
        vec![
            run(&[5, 6], &[Some(5), Some(6)]),
            run(&[1, 2], &[Some(1), None]),
        ],
        &[(1, Some(1)), (2, None), (5, Some(5)), (6, Some(6))],
    );
    assert_eq!(count, 2);
}

#[test]
fn the_newest_value_wins() {
    check(
        vec![
            run(&[1, 2, 3], &[Some(1), Some(2), Some(3)]),
            run(&[2, 4], &[Some(20), Some(40)]),
        ],
        &[(1, Some(1)), (2, Some(20)), (3, Some(3)), (4, Some(40))],
    );
}

#[test]
fn a_newer_row_without_a_value_keeps_the_older_value() {
    check(
        vec![run(&[1, 2], &[Some(1), Some(2)]), run(&[2], &[None])],
        &[(1, Some(1)), (2, Some(2))],
    );
}

#[test]
fn times_repeated_inside_a_run_become_one_row() {
    check(
        vec![run(&[1, 1, 2], &[Some(1), Some(10), Some(2)])],
        &[(1, Some(10)), (2, Some(2))],
    );
}

#[test]
fn only_times_in_several_runs_are_merged() {
    let runs = vec![
        run(&[1, 2], &[Some(1), Some(2)]),
        run(&[10, 11], &[Some(10), Some(11)]),
        run(&[11, 12], &[Some(110), Some(12)]),
        run(&[20], &[Some(20)]),
    ];
    let expected = [
        (1, Some(1)),
        (2, Some(2)),
        (10, Some(10)),
        (11, Some(110)),
        (12, Some(12)),
        (20, Some(20)),
    ];
    assert_eq!(check(runs, &expected), 5);
}

#[test]
fn cuts_leave_the_pieces_between_them() {
    let pieces = run(
        &[1, 2, 3, 4, 5],
        &[Some(1), Some(2), Some(3), Some(4), Some(5)],
    )
    .without(&[TimeRange::new(2, 2), TimeRange::new(4, 9)]);
    assert_eq!(rows(&pieces), [(1, Some(1)), (3, Some(3))]);
}

#[test]
fn rows_count_when_any_column_has_a_value() {
    let mut both = run(&[1, 2, 3], &[Some(1), None, None]);
    both.columns.push(Some(
        Arc::new(Int64Array::from(vec![None, Some(2), None])) as ArrayRef
    ));
    assert_eq!(both.rows_with_value(), 2);
    assert!(both.columns[0].as_ref().unwrap().is_valid(0));
}
