//! Storage's tables: `files`, `schema_columns`, `tombstones`.

use headwater_model::{FieldType, Id};
use sqlx::{SqliteConnection, SqlitePool};

use super::{from_sql, id, to_sql};
use crate::{
    Error, FileChange, FileRecord, Result, SchemaColumn, SchemaRecord, StorageRecords,
    TombstoneRecord,
};

type FileRow = (
    String,
    String,
    String,
    i64,
    i64,
    String,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
);
type SchemaRow = (String, String, i64, String, String, String);
type TombstoneRow = (i64, String, Option<String>, Option<String>, i64, i64);

pub(crate) async fn load(pool: &SqlitePool) -> Result<StorageRecords> {
    // One transaction, so that the three lists are of one moment.
    let mut transaction = pool.begin().await?;
    let files: Vec<FileRow> = sqlx::query_as(
        "SELECT id, bucket_id, measurement, partition_start, partition_end, path, row_count, \
         byte_count, min_time, max_time, min_sequence, max_sequence, level FROM files ORDER BY id",
    )
    .fetch_all(&mut *transaction)
    .await?;
    let schema: Vec<SchemaRow> = sqlx::query_as(
        "SELECT bucket_id, measurement, partition_start, name, role, field_type \
         FROM schema_columns ORDER BY bucket_id, measurement, partition_start, name, role",
    )
    .fetch_all(&mut *transaction)
    .await?;
    let tombstones: Vec<TombstoneRow> = sqlx::query_as(
        "SELECT sequence, bucket_id, measurement, predicate, min_time, max_time \
         FROM tombstones ORDER BY sequence",
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(StorageRecords {
        files: files.into_iter().map(file_record).collect::<Result<_>>()?,
        schema: schema
            .into_iter()
            .map(schema_record)
            .collect::<Result<_>>()?,
        tombstones: tombstones
            .into_iter()
            .map(tombstone_record)
            .collect::<Result<_>>()?,
    })
}

pub(crate) async fn commit(pool: &SqlitePool, change: &FileChange) -> Result<()> {
    let mut transaction = pool.begin().await?;
    for file in &change.removed {
        sqlx::query("DELETE FROM files WHERE id = $1")
            .bind(file.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    for (bucket, measurement, partition) in &change.schema_removed {
        remove_schema(&mut transaction, *bucket, measurement, *partition).await?;
    }
    for sequence in &change.tombstones_removed {
        sqlx::query("DELETE FROM tombstones WHERE sequence = $1")
            .bind(to_sql(*sequence))
            .execute(&mut *transaction)
            .await?;
    }
    for file in &change.added {
        insert_file(&mut transaction, file).await?;
    }
    for column in &change.schema_added {
        put_schema(&mut transaction, column).await?;
    }
    for tombstone in &change.tombstones_added {
        put_tombstone(&mut transaction, tombstone).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn put_tombstone(
    connection: &mut SqliteConnection,
    tombstone: &TombstoneRecord,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO tombstones (sequence, bucket_id, measurement, predicate, min_time, max_time) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sequence) DO NOTHING",
    )
    .bind(to_sql(tombstone.sequence))
    .bind(tombstone.bucket.to_string())
    .bind(tombstone.measurement.as_deref())
    .bind(tombstone.predicate.as_deref())
    .bind(tombstone.min_time)
    .bind(tombstone.max_time)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn remove_bucket(pool: &SqlitePool, bucket: Id) -> Result<Vec<FileRecord>> {
    let bucket = bucket.to_string();
    let mut transaction = pool.begin().await?;
    let files: Vec<FileRow> = sqlx::query_as(
        "SELECT id, bucket_id, measurement, partition_start, partition_end, path, row_count, \
         byte_count, min_time, max_time, min_sequence, max_sequence, level FROM files \
         WHERE bucket_id = $1 ORDER BY id",
    )
    .bind(&bucket)
    .fetch_all(&mut *transaction)
    .await?;
    for statement in [
        "DELETE FROM files WHERE bucket_id = $1",
        "DELETE FROM schema_columns WHERE bucket_id = $1",
        "DELETE FROM tombstones WHERE bucket_id = $1",
    ] {
        sqlx::query(statement)
            .bind(&bucket)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    files.into_iter().map(file_record).collect()
}

/// The greatest file id, so that new ids stay above it.
pub(crate) async fn newest_file(pool: &SqlitePool) -> Result<Option<Id>> {
    let newest: Option<String> = sqlx::query_scalar("SELECT MAX(id) FROM files")
        .fetch_one(pool)
        .await?;
    newest.map(|text| id("files", &text)).transpose()
}

async fn insert_file(connection: &mut SqliteConnection, file: &FileRecord) -> Result<()> {
    sqlx::query(
        "INSERT INTO files (id, bucket_id, measurement, partition_start, partition_end, path, \
         row_count, byte_count, min_time, max_time, min_sequence, max_sequence, level) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(file.id.to_string())
    .bind(file.bucket.to_string())
    .bind(&file.measurement)
    .bind(file.partition_start)
    .bind(file.partition_end)
    .bind(&file.path)
    .bind(to_sql(file.rows))
    .bind(to_sql(file.bytes))
    .bind(file.min_time)
    .bind(file.max_time)
    .bind(to_sql(file.min_sequence))
    .bind(to_sql(file.max_sequence))
    .bind(i64::from(file.level))
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_schema(connection: &mut SqliteConnection, column: &SchemaRecord) -> Result<()> {
    let (role, field_type) = match column.column {
        SchemaColumn::Tag => ("tag", ""),
        SchemaColumn::Field(field_type) => ("field", field_type.name()),
    };
    sqlx::query(
        "INSERT INTO schema_columns (bucket_id, measurement, partition_start, name, role, \
         field_type) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (bucket_id, measurement, partition_start, name, role) \
         DO UPDATE SET field_type = excluded.field_type",
    )
    .bind(column.bucket.to_string())
    .bind(&column.measurement)
    .bind(column.partition_start)
    .bind(&column.name)
    .bind(role)
    .bind(field_type)
    .execute(connection)
    .await?;
    Ok(())
}

async fn remove_schema(
    connection: &mut SqliteConnection,
    bucket: Id,
    measurement: &str,
    partition: Option<i64>,
) -> Result<()> {
    let query = match partition {
        None => sqlx::query("DELETE FROM schema_columns WHERE bucket_id = $1 AND measurement = $2")
            .bind(bucket.to_string())
            .bind(measurement),
        Some(start) => sqlx::query(
            "DELETE FROM schema_columns WHERE bucket_id = $1 AND measurement = $2 \
             AND partition_start = $3",
        )
        .bind(bucket.to_string())
        .bind(measurement)
        .bind(start),
    };
    query.execute(connection).await?;
    Ok(())
}

fn file_record(row: FileRow) -> Result<FileRecord> {
    let (file, bucket, measurement, partition_start, partition_end, path, ..) = row;
    let count = |value| from_sql("files", &file, value);
    Ok(FileRecord {
        id: id("files", &file)?,
        bucket: id("files", &bucket)?,
        measurement,
        partition_start,
        partition_end,
        path,
        rows: count(row.6)?,
        bytes: count(row.7)?,
        min_time: row.8,
        max_time: row.9,
        min_sequence: count(row.10)?,
        max_sequence: count(row.11)?,
        level: u32::try_from(row.12).map_err(|_| Error::Corrupt {
            table: "files",
            row: file.clone(),
            reason: format!("level {}", row.12),
        })?,
    })
}

fn schema_record(row: SchemaRow) -> Result<SchemaRecord> {
    let (bucket, measurement, partition_start, name, role, field_type) = row;
    let column = match (role.as_str(), FieldType::from_name(&field_type)) {
        ("tag", _) => SchemaColumn::Tag,
        ("field", Some(field_type)) => SchemaColumn::Field(field_type),
        _ => {
            return Err(Error::Corrupt {
                table: "schema_columns",
                row: format!("{bucket} {measurement} {name}"),
                reason: format!("{role} of type {field_type:?}"),
            });
        }
    };
    Ok(SchemaRecord {
        bucket: id("schema_columns", &bucket)?,
        measurement,
        partition_start,
        name,
        column,
    })
}

fn tombstone_record(row: TombstoneRow) -> Result<TombstoneRecord> {
    let (sequence, bucket, measurement, predicate, min_time, max_time) = row;
    Ok(TombstoneRecord {
        sequence: from_sql("tombstones", &bucket, sequence)?,
        bucket: id("tombstones", &bucket)?,
        measurement,
        predicate,
        min_time,
        max_time,
    })
}
