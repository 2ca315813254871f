//! The one SQL schema, its migrations and the statements on it. Nothing outside speaks SQL.
//!
//! SQLite runs in WAL mode with `synchronous = FULL`: a committed change survives power loss. One
//! connection serves everything; reads of the catalog never come here.

pub(crate) mod objects;
pub(crate) mod records;

use std::{path::Path, str::FromStr};

use headwater_model::Id;
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Result};

/// Opens the database at `url`, creating nothing but the schema.
pub(crate) async fn open(url: &str) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::from_str(url)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    // A database in memory lives as long as its connection: never close it.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    match sqlx::migrate!("src/sql/migrations").run(&pool).await {
        Ok(()) => Ok(pool),
        Err(MigrateError::VersionMissing(found)) => Err(Error::Newer { found }),
        Err(error) => Err(error.into()),
    }
}

/// Copies a database as it is at one moment. Nothing of it is changed, not even its schema.
pub(crate) async fn copy(from: &Path, to: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("VACUUM INTO $1")
        .bind(to.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// What SQLite's own check finds.
pub(crate) async fn integrity(pool: &SqlitePool) -> Result<Vec<String>> {
    let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(pool)
        .await?;
    found.retain(|text| text != "ok");
    Ok(found)
}

/// An id column's value.
fn id(table: &'static str, text: &str) -> Result<Id> {
    Id::from_str(text).map_err(|error| Error::Corrupt {
        table,
        row: text.to_owned(),
        reason: error.to_string(),
    })
}

/// A count as SQL holds it. None of ours comes near `i64::MAX`.
fn to_sql(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as SQL held it; a negative one was never written.
fn from_sql(table: &'static str, row: &str, count: i64) -> Result<u64> {
    u64::try_from(count).map_err(|_| Error::Corrupt {
        table,
        row: row.to_owned(),
        reason: format!("negative count {count}"),
    })
}
