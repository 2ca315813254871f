use std::sync::Arc;

use arrow_array::{Array, cast::AsArray, types::Int64Type};
use headwater_model::{FieldType, Precision, TimeRange, line_protocol};

use super::{Block, RowError, Table};
use crate::{limits::SMALL_BLOCKS, registry::SeriesRegistry, schema::Schema};

#[derive(Default)]
struct Fixture {
    table: Table,
    schema: Schema,
    registry: SeriesRegistry,
}

impl Fixture {
    fn push(&mut self, lines: &str) -> Result<(), RowError> {
        let batch = line_protocol::parse(lines.as_bytes(), Precision::Nanosecond, 0).unwrap();
        for point in &batch.points {
            let series = match self.registry.find(point.series) {
                Some((series, _)) => series,
                None => {
                    let key = line_protocol::series_key(point.series);
                    self.registry.insert(point.series, &key, 0)
                }
            };
            self.table
                .push(&mut self.schema, series, point.time, batch.fields_of(point))?;
        }
        Ok(())
    }

    fn blocks(&mut self) -> Vec<Arc<Block>> {
        self.table
            .blocks(&self.schema, self.registry.keys())
            .unwrap()
    }
}

/// The times and the values of field 0 of a series.
fn rows(block: &Block, position: u32, range: TimeRange) -> Vec<(i64, Option<i64>)> {
    let run = block
        .run(block.rows_in(position, range), &[Some(0)])
        .unwrap();
    let column = run.columns[0]
        .as_ref()
        .unwrap()
        .as_primitive::<Int64Type>()
        .clone();
    assert_eq!(column.len(), run.times.len());
    run.times.iter().copied().zip(column.iter()).collect()
}

#[test]
fn rows_come_by_series_and_time() {
    let mut fixture = Fixture::default();
    fixture
        .push("m,t=b v=1i 3\nm,t=a v=2i 2\nm,t=b v=3i 1\nm,t=a w=1i 5\nm,t=a v=4i 1")
        .unwrap();
    let blocks = fixture.blocks();
    assert_eq!(blocks.len(), 1);
    let keys: Vec<_> = blocks[0]
        .series_keys()
        .iter()
        .map(|key| key.as_str())
        .collect();
    assert_eq!(keys, ["m,t=a", "m,t=b"]);
    let all = TimeRange::ALL;
    assert_eq!(
        rows(&blocks[0], 0, all),
        [(1, Some(4)), (2, Some(2)), (5, None)]
    );
    assert_eq!(rows(&blocks[0], 1, all), [(1, Some(3)), (3, Some(1))]);
    assert_eq!(rows(&blocks[0], 0, TimeRange::new(2, 4)), [(2, Some(2))]);
    assert_eq!(blocks[0].series_range(0), TimeRange::new(1, 5));
}

#[test]
fn an_untouched_table_gives_the_same_blocks_again() {
    let mut fixture = Fixture::default();
    fixture.push("m v=1i 1").unwrap();
    let first = fixture.blocks();
    assert!(Arc::ptr_eq(&first[0], &fixture.blocks()[0]));
    fixture.push("m v=2i 2").unwrap();
    let second = fixture.blocks();
    assert_eq!((first[0].rows(), second.len(), second[0].rows()), (1, 1, 2));
}

#[test]
fn many_small_blocks_become_one() {
    let mut fixture = Fixture::default();
    for i in 0..SMALL_BLOCKS as i64 * 3 {
        let lines: Vec<_> = (0..1100)
            .map(|j| format!("m v={j}i {}", i * 1100 + j))
            .collect();
        fixture.push(&lines.join("\n")).unwrap();
        assert!(fixture.blocks().len() <= SMALL_BLOCKS + 2);
    }
    let blocks = fixture.blocks();
    assert_eq!(
        blocks.iter().map(|block| block.rows()).sum::<usize>(),
        SMALL_BLOCKS * 3300
    );
}

#[test]
fn a_refused_row_changes_nothing() {
    let mut fixture = Fixture::default();
    fixture.push("m v=1i,s=\"a\" 1").unwrap();
    let conflict = fixture.push("m new=1,v=1 2").unwrap_err();
    let expected = RowError::TypeConflict {
        field: "v".to_owned(),
        is: FieldType::Float,
        was: FieldType::Integer,
    };
    assert_eq!(conflict, expected);
    assert_eq!(fixture.push("m time=1 2").unwrap_err(), RowError::OnlyTime);
    let conflict = fixture.push("m x=1,x=1i 2").unwrap_err();
    assert!(matches!(
        conflict,
        RowError::TypeConflict {
            was: FieldType::Float,
            ..
        }
    ));
    assert_eq!(fixture.blocks()[0].rows(), 1);
    assert_eq!(fixture.schema.fields().len(), 2);
}

#[test]
fn spellings_of_a_field_are_one_column() {
    let mut fixture = Fixture::default();
    fixture.push("m a\\ b=1i 1\nm a\\ b=2i 2").unwrap();
    assert_eq!(fixture.schema.fields().len(), 1);
    assert_eq!(&*fixture.schema.fields()[0].name, "a b");
}

#[test]
fn all_types_and_late_columns_are_kept() {
    let mut fixture = Fixture::default();
    fixture
        .push("m v=1i 1\nm v=2i,f=1.5,u=7u,b=true,s=\"x\\\"y\" 2\nm v=3i 3")
        .unwrap();
    let blocks = fixture.blocks();
    let slots: Vec<_> = (0..5).map(Some).collect();
    let run = blocks[0]
        .run(blocks[0].rows_in(0, TimeRange::ALL), &slots)
        .unwrap();
    for column in run.columns.iter().skip(1).flatten() {
        assert_eq!((column.len(), column.null_count()), (3, 2));
        assert!(column.is_valid(1));
    }
    assert_eq!(
        run.columns[4].as_ref().unwrap().as_string::<i32>().value(1),
        "x\"y"
    );
}

#[test]
fn deleted_rows_leave_their_block() {
    let mut fixture = Fixture::default();
    fixture
        .push("m,t=a v=1i 1\nm,t=b v=2i 1\nm,t=a v=3i 2")
        .unwrap();
    let before = fixture.blocks();
    let keys = fixture.registry.keys().clone();
    let is_a = |key: &headwater_model::SeriesKey| key.as_str() == "m,t=a";
    fixture
        .table
        .delete(&keys, TimeRange::new(2, 9), &is_a)
        .unwrap();
    let after = fixture.blocks();
    assert_eq!((before[0].rows(), after[0].rows()), (3, 2));
    fixture
        .table
        .delete(&keys, TimeRange::ALL, &|_| true)
        .unwrap();
    assert!(fixture.table.is_empty());
    assert!(fixture.blocks().is_empty());
}

#[test]
fn concatenated_blocks_keep_the_order_of_arrival() {
    let mut fixture = Fixture::default();
    fixture.push("m,t=b v=1i 1").unwrap();
    fixture
        .table
        .seal(&fixture.registry.keys().clone())
        .unwrap();
    fixture.push("m,t=a w=1i 1\nm,t=b v=2i 1").unwrap();
    let blocks = fixture.blocks();
    assert_eq!(blocks.len(), 2);
    let kinds = [FieldType::Integer, FieldType::Integer];
    let joined = Block::concat(&blocks, &kinds).unwrap();
    assert_eq!(joined.rows(), 3);
    assert_eq!(
        rows(&joined, 1, TimeRange::ALL),
        [(1, Some(1)), (1, Some(2))]
    );
}
