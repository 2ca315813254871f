//! Which rows a scan gives, for every place that rows can be in.

use std::sync::Arc;

use arrow_array::{Array, cast::AsArray, types::Int64Type};
use headwater_model::TimeRange;
use headwater_storage::{CursorRequest, DeleteRequest, Partition, ScanRequest, SeriesHandle};

use crate::fixture::{Fixture, tag};

/// `host=a` and `host=b` at 0, 10, … 990; every other row has `w`.
async fn filled(steps: &[bool]) -> Fixture {
    let fixture = Fixture::new().await;
    for (step, is_flushed) in steps.iter().enumerate() {
        let mut lines = String::new();
        for i in (step as i64..100).step_by(steps.len()) {
            let w = if i % 2 == 0 { ",w=1i" } else { "" };
            lines.push_str(&format!("m,host=a v={i}i{w} {}\n", i * 10));
            lines.push_str(&format!("m,host=b v={i}i{w} {}\n", i * 10));
        }
        fixture.write(&lines).await;
        if *is_flushed {
            fixture.engine.flush().await.unwrap();
        }
    }
    fixture
}

fn partition(fixture: &Fixture) -> (Partition, Vec<SeriesHandle>) {
    let partition = fixture.snapshot().partitions("m", TimeRange::ALL).remove(0);
    let series = partition.select(None).unwrap();
    (partition, series)
}

fn request<'a>(series: &'a [SeriesHandle], columns: &'a [Arc<str>]) -> ScanRequest<'a> {
    ScanRequest {
        series,
        columns,
        range: TimeRange::ALL,
        with_times: true,
        descending_limit: None,
        ascending_limit: None,
    }
}

/// The times of each series of the answer, in its order.
fn times(partition: &Partition, request: ScanRequest<'_>) -> Vec<(usize, Vec<i64>)> {
    let scan = partition.scan(request).unwrap().map(|slices| {
        let slices = slices.unwrap();
        let times = slices
            .slices
            .iter()
            .flat_map(|slice| slice.times.iter().copied());
        (slices.index, times.collect::<Vec<_>>())
    });
    scan.collect()
}

const PLACES: [&[bool]; 5] = [
    &[false],
    &[true],
    &[true, false],
    &[true, true, true],
    &[true, true, false, false],
];

#[tokio::test]
async fn rows_outside_the_range_are_cut() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, series) = partition(&fixture);
        assert_eq!(series.len(), 2);
        let columns = ["v".into()];
        let request = ScanRequest {
            range: TimeRange::new(105, 130),
            ..request(&series, &columns)
        };
        let expected = vec![110, 120, 130];
        assert_eq!(
            times(&partition, request),
            [(0, expected.clone()), (1, expected)],
            "{place:?}"
        );
        let request = ScanRequest {
            range: TimeRange::new(101, 109),
            ..request
        };
        assert!(times(&partition, request).is_empty());
    }
}

#[tokio::test]
async fn a_limit_gives_at_least_that_many_rows_with_values() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, series) = partition(&fixture);
        for (column, step) in [("v", 10), ("w", 20)] {
            let columns = [column.into()];
            let last = (99 * 10 / step) * step;
            for limit in [1, 3, 1000] {
                let descending = ScanRequest {
                    descending_limit: Some(limit),
                    ..request(&series, &columns)
                };
                let ascending = ScanRequest {
                    ascending_limit: Some(limit),
                    ..request(&series, &columns)
                };
                for (_, times) in times(&partition, descending) {
                    for i in 0..limit.min(50) as i64 {
                        assert!(
                            times.contains(&(last - i * step)),
                            "{place:?} {limit} {times:?}"
                        );
                    }
                }
                for (_, times) in times(&partition, ascending) {
                    for i in 0..limit.min(50) as i64 {
                        assert!(times.contains(&(i * step)), "{place:?} {limit} {times:?}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_limit_reads_no_more_than_it_needs_from_one_file() {
    let fixture = filled(&[true]).await;
    let (partition, series) = partition(&fixture);
    let columns = ["v".into()];
    let request = ScanRequest {
        descending_limit: Some(2),
        ..request(&series, &columns)
    };
    assert_eq!(
        times(&partition, request),
        [(0, vec![980, 990]), (1, vec![980, 990])]
    );
    let range = TimeRange::new(0, 500);
    let request = ScanRequest { range, ..request };
    assert_eq!(
        times(&partition, request),
        [(0, vec![490, 500]), (1, vec![490, 500])]
    );
}

#[tokio::test]
async fn times_may_be_left_out_only_when_asked() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, series) = partition(&fixture);
        let columns = ["v".into(), "nosuch".into()];
        let request = ScanRequest {
            with_times: false,
            ..request(&series, &columns)
        };
        for slices in partition.scan(request).unwrap() {
            let slices = slices.unwrap();
            let rows: usize = slices.slices.iter().map(|slice| slice.rows()).sum();
            assert_eq!(rows, 100);
            assert!(slices.slices.iter().all(|slice| slice.columns[1].is_none()));
        }
    }
}

#[tokio::test]
async fn no_columns_give_times() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, series) = partition(&fixture);
        let request = ScanRequest {
            with_times: false,
            ..request(&series, &[])
        };
        assert_eq!(times(&partition, request)[1].1.len(), 100);
    }
}

#[tokio::test]
async fn series_come_in_the_order_of_the_request() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, mut series) = partition(&fixture);
        series.reverse();
        let columns = ["v".into()];
        let indices: Vec<_> = times(&partition, request(&series, &columns))
            .iter()
            .map(|(index, _)| *index)
            .collect();
        assert_eq!(indices, [0, 1]);
    }
}

#[tokio::test]
async fn a_predicate_selects_series() {
    for place in PLACES {
        let fixture = filled(place).await;
        let (partition, _) = partition(&fixture);
        let series = partition.select(Some(&tag("host", "b"))).unwrap();
        let keys: Vec<_> = series.iter().map(|series| series.key.as_str()).collect();
        assert_eq!(keys, ["m,host=b"]);
        assert!(
            partition
                .select(Some(&tag("host", "c")))
                .unwrap()
                .is_empty()
        );
        assert_eq!(partition.select(Some(&tag("nosuch", ""))).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_snapshot_does_not_see_later_writes() {
    let fixture = filled(&[false]).await;
    let snapshot = fixture.snapshot();
    let before = crate::fixture::content(&snapshot);
    fixture
        .write("m,host=a v=7i 5\nm,host=c v=1i 5\nn v=1 1")
        .await;
    fixture.engine.flush().await.unwrap();
    fixture.engine.compact_all(true).await.unwrap();
    assert_eq!(crate::fixture::content(&snapshot), before);
    assert_eq!(fixture.content().len(), before.len() + 3);
}

#[tokio::test]
async fn many_small_writes_between_reads_stay_complete() {
    let fixture = Fixture::new().await;
    for i in 0..60 {
        let lines: Vec<String> = (0..100)
            .map(|j| format!("m,host={} v={j}i {}", j % 7, i * 100 + j))
            .collect();
        fixture.write(&lines.join("\n")).await;
        assert_eq!(fixture.content().len(), (i + 1) * 100);
    }
    assert!(partition_blocks(&fixture) < 10);
}

fn partition_blocks(fixture: &Fixture) -> usize {
    fixture.snapshot().partitions("m", TimeRange::ALL)[0].block_count()
}

/// Times and values.
type Rows = Vec<(i64, Option<i64>)>;

/// All rows of each series, read side by side in the order of the pieces; and how many pieces.
fn read_side_by_side(partition: &Partition, request: CursorRequest<'_>) -> (Vec<Rows>, usize) {
    let mut cursors = partition.cursors(request).unwrap();
    let mut rows: Vec<Rows> = vec![Vec::new(); request.series.len()];
    let mut left: Vec<usize> = (0..request.series.len()).collect();
    let mut pieces = 0;
    while !left.is_empty() {
        let given = cursors.read(&left).unwrap();
        left = given.iter().map(|slices| slices.index).collect();
        pieces += given.len();
        for mut slices in given {
            if !request.ascending {
                slices.slices.reverse();
            }
            for slice in slices.slices {
                let values = slice.columns[0].as_ref();
                let value = |row: usize| {
                    let values = values?.as_primitive::<Int64Type>();
                    values.is_valid(row).then(|| values.value(row))
                };
                let count = slice.rows();
                let row = |at: usize| {
                    if request.ascending {
                        at
                    } else {
                        count - 1 - at
                    }
                };
                let row = |at: usize| (slice.times[row(at)], value(row(at)));
                rows[slices.index].extend((0..count).map(row));
            }
        }
    }
    (rows, pieces)
}

#[tokio::test]
async fn side_by_side_gives_the_rows_of_a_scan_in_either_direction_a_few_at_a_time() {
    for place in PLACES {
        let fixture = filled(place).await;
        // A newer value of `w` for some rows, and a delete in the middle.
        fixture.write("m,host=a w=7i 40\nm,host=a w=8i 960").await;
        fixture
            .delete(DeleteRequest {
                measurements: None,
                predicate: None,
                range: TimeRange::new(300, 420),
            })
            .await;
        fixture.write("m,host=b w=9i 400").await;
        let (partition, series) = partition(&fixture);
        let columns = ["w".into()];
        let range = TimeRange::new(20, 970);
        let expected: Vec<Rows> = ["a", "b"]
            .iter()
            .map(|host| {
                let value = |i: i64| (i % 2 == 0).then_some(1);
                let row = |i: i64| match (*host, i * 10) {
                    ("a", time @ 40) => Some((time, Some(7))),
                    ("a", time @ 960) => Some((time, Some(8))),
                    ("b", time @ 400) => Some((time, Some(9))),
                    (_, 300..=420) => None,
                    (_, time) => Some((time, value(i))),
                };
                (2..=97).filter_map(row).collect()
            })
            .collect();
        for (limit, ascending) in [(1, true), (7, true), (1, false), (7, false)] {
            let request = CursorRequest {
                series: &series,
                columns: &columns,
                range,
                ascending,
                limit: Some(limit),
            };
            let (mut rows, pieces) = read_side_by_side(&partition, request);
            if !ascending {
                rows.iter_mut().for_each(|rows| rows.reverse());
            }
            assert_eq!(rows, expected, "{place:?} {limit} {ascending}");
            let count = rows.iter().map(Vec::len).sum::<usize>();
            let sources = place.len() + 2;
            assert!(pieces * limit * sources >= count, "{pieces} pieces");
        }
    }
}
