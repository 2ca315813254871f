//! The engine against a map: random writes, overwrites, deletes, flushes, compactions, restarts
//! and power losses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow_array::Array;

use headwater_model::TimeRange;
use headwater_storage::{DeleteRequest, Partition, ScanRequest, TagPredicate};
use proptest::prelude::*;

use crate::fixture::{Content, Fixture, HOUR, cell, tag};

#[derive(Debug, Clone)]
enum Action {
    Write(Vec<Point>),
    Delete {
        measurement: Option<u8>,
        host: Option<u8>,
        start: i64,
        end: i64,
    },
    Flush,
    Compact(bool),
    Reopen,
    Crash,
    Read,
}

#[derive(Debug, Clone)]
struct Point {
    measurement: u8,
    host: u8,
    /// In a range that spans three partitions.
    time: i64,
    fields: Vec<(u8, i64)>,
}

impl Point {
    fn series(&self) -> String {
        format!("m{},host={}", self.measurement, self.host)
    }

    fn fields(&self) -> impl Iterator<Item = (String, String)> {
        self.fields.iter().map(|(field, value)| match field {
            0 => ("f".to_owned(), format!("{}.5", value)),
            1 => ("i".to_owned(), format!("{value}i")),
            2 => ("s".to_owned(), format!("\"{value}\"")),
            _ => ("b".to_owned(), (value % 2 == 0).to_string()),
        })
    }

    fn line(&self) -> String {
        let fields: Vec<_> = self.fields().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{} {} {}", self.series(), fields.join(","), self.time)
    }
}

fn time() -> impl Strategy<Value = i64> {
    (0i64..3, 0i64..12).prop_map(|(partition, step)| partition * HOUR + step)
}

fn point() -> impl Strategy<Value = Point> {
    let fields = prop::collection::vec((0u8..4, 0i64..100), 1..4);
    (0u8..2, 0u8..3, time(), fields).prop_map(|(measurement, host, time, fields)| Point {
        measurement,
        host,
        time,
        fields,
    })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => prop::collection::vec(point(), 1..12).prop_map(Action::Write),
        2 => (prop::option::of(0u8..2), prop::option::of(0u8..3), time(), 0i64..2 * HOUR).prop_map(
            |(measurement, host, start, len)| Action::Delete { measurement, host, start, end: start + len }
        ),
        1 => (prop::option::of(0u8..2), prop::option::of(0u8..3)).prop_map(|(measurement, host)| {
            Action::Delete { measurement, host, start: i64::MIN, end: i64::MAX }
        }),
        3 => Just(Action::Flush),
        1 => any::<bool>().prop_map(Action::Compact),
        1 => Just(Action::Reopen),
        1 => Just(Action::Crash),
        2 => Just(Action::Read),
    ]
}

async fn carry_out(fixture: &mut Fixture, model: &mut Content, action: Action) {
    match action {
        Action::Write(points) => {
            let lines: Vec<String> = points.iter().map(Point::line).collect();
            fixture.write(&lines.join("\n")).await;
            for point in points {
                for (field, value) in point.fields() {
                    model.insert((point.series(), point.time, field), value);
                }
            }
        }
        Action::Delete {
            measurement,
            host,
            start,
            end,
        } => {
            let predicate: Option<TagPredicate> = host.map(|host| tag("host", &host.to_string()));
            let measurements = measurement.map(|m| vec![format!("m{m}")]);
            let range = TimeRange::new(start, end);
            fixture
                .delete(DeleteRequest {
                    measurements,
                    predicate,
                    range,
                })
                .await;
            model.retain(|(series, time, _), _| {
                let is_hit = measurement.is_none_or(|m| series.starts_with(&format!("m{m},")))
                    && host.is_none_or(|host| series.ends_with(&format!("host={host}")));
                !(is_hit && range.contains(*time))
            });
        }
        Action::Flush => fixture.engine.flush().await.unwrap(),
        Action::Compact(is_full) => fixture.engine.compact_all(is_full).await.unwrap(),
        Action::Reopen => fixture.reopen().await,
        Action::Crash => fixture.crash().await,
        Action::Read => check(fixture, model),
    }
}

fn check(fixture: &Fixture, model: &Content) {
    let content = fixture.content();
    assert_eq!(&content, model);
    let measurements: BTreeSet<&str> = model
        .keys()
        .filter_map(|(series, ..)| series.split(',').next())
        .collect();
    let listed = fixture.snapshot().measurements().unwrap();
    assert_eq!(
        listed.iter().map(|name| &**name).collect::<BTreeSet<_>>(),
        measurements
    );
    for measurement in &listed {
        for partition in fixture.snapshot().partitions(measurement, TimeRange::ALL) {
            let own = |(series, time, _): &&(String, i64, String)| {
                series.split(',').next() == Some(&**measurement)
                    && partition.range().contains(*time)
            };
            let series: BTreeSet<&str> =
                model.keys().filter(own).map(|(s, ..)| s.as_str()).collect();
            let selected = partition.select(None).unwrap();
            assert_eq!(
                selected
                    .iter()
                    .map(|s| s.key.as_str())
                    .collect::<BTreeSet<_>>(),
                series
            );
            for (.., field) in model.keys().filter(own) {
                assert!(partition.fields().contains_key(field.as_str()));
            }
            assert_eq!(partition.tag_keys().len(), usize::from(!series.is_empty()));
            check_limits(&partition);
        }
    }
}

/// The ends of each series are the same with a limit as without.
fn check_limits(partition: &Partition) {
    let series = partition.select(None).unwrap();
    let all: Vec<Arc<str>> = partition.fields().keys().cloned().collect();
    let hull = partition.range();
    for columns in all.chunks(1).chain([all.as_slice()]) {
        for range in [
            TimeRange::ALL,
            TimeRange::new(hull.start + 3, hull.start + 8),
        ] {
            let request = ScanRequest {
                series: &series,
                columns,
                range,
                with_times: true,
                descending_limit: None,
                ascending_limit: None,
            };
            let whole = valued_rows(partition, request);
            for limit in 1..4 {
                let request = ScanRequest {
                    descending_limit: Some(limit),
                    ..request
                };
                let found = valued_rows(partition, request);
                for (index, rows) in &whole {
                    let wanted = &rows[rows.len().saturating_sub(limit)..];
                    assert!(
                        found[index].ends_with(wanted),
                        "last {limit} of {columns:?} {range:?}"
                    );
                }
                let request = ScanRequest {
                    descending_limit: None,
                    ascending_limit: Some(limit),
                    ..request
                };
                let found = valued_rows(partition, request);
                for (index, rows) in &whole {
                    let wanted = &rows[..rows.len().min(limit)];
                    assert!(
                        found[index].starts_with(wanted),
                        "first {limit} of {columns:?}"
                    );
                }
            }
        }
    }
}

/// Of each series the rows in which a column has a value, as text.
fn valued_rows(
    partition: &Partition,
    request: ScanRequest<'_>,
) -> BTreeMap<usize, Vec<(i64, Vec<String>)>> {
    let mut all = BTreeMap::new();
    for slices in partition.scan(request).unwrap() {
        let slices = slices.unwrap();
        let mut rows = Vec::new();
        for slice in &slices.slices {
            for (row, &time) in slice.times.iter().enumerate() {
                let cells: Vec<String> = slice
                    .columns
                    .iter()
                    .zip(request.columns)
                    .filter_map(|(column, name)| {
                        let column = column.as_ref().filter(|column| column.is_valid(row))?;
                        Some(cell(column, partition.fields()[name], row))
                    })
                    .collect();
                if !cells.is_empty() {
                    rows.push((time, cells));
                }
            }
        }
        if !rows.is_empty() {
            all.insert(slices.index, rows);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_holds_what_a_map_holds(actions in prop::collection::vec(action(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fixture = Fixture::new().await;
            let mut model = Content::new();
            for action in actions {
                carry_out(&mut fixture, &mut model, action).await;
            }
            check(&fixture, &model);
            fixture.reopen().await;
            check(&fixture, &model);
            fixture.engine.compact_all(true).await.unwrap();
            check(&fixture, &model);
        });
    }
}
