//! Storage's records.

use headwater_catalog::{
    Catalog, FileChange, FileRecord, Profile, SchemaColumn, SchemaRecord, TombstoneRecord,
};
use headwater_model::{FieldType, Id};

use crate::fixture::{Fixture, refusal};

fn id(value: u64) -> Id {
    Id::new(value).unwrap()
}

fn file(file: u64, bucket: u64) -> FileRecord {
    FileRecord {
        id: id(file),
        bucket: id(bucket),
        measurement: "cpü".into(),
        partition_start: -604_800,
        partition_end: 0,
        path: format!("{bucket}/{file}.parquet"),
        rows: 10,
        bytes: 1 << 40,
        min_time: i64::MIN + 2,
        max_time: -1,
        min_sequence: 3,
        max_sequence: 9,
        level: 2,
    }
}

fn column(bucket: u64, name: &str, column: SchemaColumn) -> SchemaRecord {
    SchemaRecord {
        bucket: id(bucket),
        measurement: "cpü".into(),
        partition_start: -604_800,
        name: name.into(),
        column,
    }
}

fn tombstone(sequence: u64, bucket: u64) -> TombstoneRecord {
    TombstoneRecord {
        sequence,
        bucket: id(bucket),
        measurement: None,
        predicate: Some("{}".into()),
        min_time: 0,
        max_time: i64::MAX - 1,
    }
}

#[tokio::test]
async fn a_change_of_files_is_carried_out_as_a_whole() {
    let catalog = Fixture::new(Profile::Cloud).await.catalog;
    let float = SchemaColumn::Field(FieldType::Float);
    let first = FileChange {
        added: vec![file(2, 1), file(1, 1)],
        schema_added: vec![
            column(1, "v", float),
            column(1, "v", SchemaColumn::Tag),
            column(1, "w", float),
        ],
        ..FileChange::default()
    };
    catalog.commit_files(first).await.unwrap();
    add_tombstone(&catalog, tombstone(7, 1)).await;
    add_tombstone(&catalog, tombstone(7, 1)).await;
    let records = catalog.storage_records().await.unwrap();
    assert_eq!(records.files, [file(1, 1), file(2, 1)]);
    assert_eq!(records.schema.len(), 3);
    assert_eq!(records.tombstones, [tombstone(7, 1)]);

    // An id that is taken: nothing of the change happens.
    let clash = FileChange {
        added: vec![file(3, 1), file(2, 1)],
        removed: vec![id(1)],
        tombstones_removed: vec![7],
        ..FileChange::default()
    };
    assert_eq!(
        refusal(catalog.commit_files(clash).await).0,
        "internal error"
    );
    assert_eq!(catalog.storage_records().await.unwrap(), records);

    let integer = SchemaColumn::Field(FieldType::Integer);
    let compaction = FileChange {
        added: vec![file(3, 1)],
        removed: vec![id(1), id(2), id(99)],
        schema_added: vec![column(1, "w", integer)],
        schema_removed: vec![(id(1), "cpü".into(), Some(-604_800))],
        tombstones_removed: vec![7],
        tombstones_added: Vec::new(),
    };
    catalog.commit_files(compaction).await.unwrap();
    let records = catalog.storage_records().await.unwrap();
    assert_eq!(records.files, [file(3, 1)]);
    assert_eq!(records.schema, [column(1, "w", integer)]);
    assert!(records.tombstones.is_empty());
}

#[tokio::test]
async fn a_known_column_takes_the_new_type() {
    let catalog = Fixture::new(Profile::Cloud).await.catalog;
    for field_type in [FieldType::Float, FieldType::String] {
        let column = column(1, "v", SchemaColumn::Field(field_type));
        let change = FileChange {
            schema_added: vec![column.clone()],
            ..FileChange::default()
        };
        catalog.commit_files(change).await.unwrap();
        assert_eq!(catalog.storage_records().await.unwrap().schema, [column]);
    }
}

#[tokio::test]
async fn columns_are_removed_by_partition_or_altogether() {
    let catalog = Fixture::new(Profile::Cloud).await.catalog;
    let at = |start| SchemaRecord {
        partition_start: start,
        ..column(1, "v", SchemaColumn::Tag)
    };
    let change = FileChange {
        schema_added: vec![at(0), at(1), at(2)],
        ..FileChange::default()
    };
    catalog.commit_files(change).await.unwrap();
    let remove = |start| FileChange {
        schema_removed: vec![(id(1), "cpü".into(), start)],
        ..FileChange::default()
    };
    catalog.commit_files(remove(Some(1))).await.unwrap();
    assert_eq!(
        catalog.storage_records().await.unwrap().schema,
        [at(0), at(2)]
    );
    catalog.commit_files(remove(None)).await.unwrap();
    assert!(catalog.storage_records().await.unwrap().schema.is_empty());
}

#[tokio::test]
async fn removing_a_bucket_returns_its_files_and_leaves_others() {
    let catalog = Fixture::new(Profile::Cloud).await.catalog;
    let change = FileChange {
        added: vec![file(1, 1), file(2, 2), file(3, 1)],
        schema_added: vec![
            column(1, "t", SchemaColumn::Tag),
            column(2, "t", SchemaColumn::Tag),
        ],
        ..FileChange::default()
    };
    catalog.commit_files(change).await.unwrap();
    add_tombstone(&catalog, tombstone(1, 1)).await;
    add_tombstone(&catalog, tombstone(2, 2)).await;
    assert_eq!(
        catalog.remove_bucket_storage(id(1)).await.unwrap(),
        [file(1, 1), file(3, 1)]
    );
    let records = catalog.storage_records().await.unwrap();
    assert_eq!(records.files, [file(2, 2)]);
    assert_eq!(records.schema, [column(2, "t", SchemaColumn::Tag)]);
    assert_eq!(records.tombstones, [tombstone(2, 2)]);
    assert!(
        catalog
            .remove_bucket_storage(id(1))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn add_tombstone(catalog: &Catalog, tombstone: TombstoneRecord) {
    let change = FileChange {
        tombstones_added: vec![tombstone],
        ..FileChange::default()
    };
    catalog.commit_files(change).await.unwrap();
}
