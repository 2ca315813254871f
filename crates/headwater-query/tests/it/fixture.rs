//! A catalog, an engine and a query engine over them, and answers as JSON.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use headwater_catalog::{
    Action, Authorization, Catalog, NewAuthorization, NewBucket, NewMapping, Permission, Profile,
    RetentionRule, Setup, Status,
};
use headwater_env::{SeededRandom, SharedClock, SimulatedClock, SimulatedFileSystem};
use headwater_influxql::{Params, parse_query};
use headwater_model::{Id, Precision, Value, line_protocol};
use headwater_query::{
    QueryEngine, QueryRequest, Settings,
    series::{Column, ResultPiece, Series},
};
use headwater_storage::{Components, Engine, WriteOutcome, WriteTarget};
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

/// 2030-01-01, after all points.
const NOW: i64 = 1_893_456_000_000_000_000;

pub(crate) struct Fixture {
    pub(crate) catalog: Catalog,
    pub(crate) operator: Arc<Authorization>,
    engine: Engine,
    query: QueryEngine,
    clock: SharedClock,
    disk: SimulatedFileSystem,
    settings: Settings,
    _dir: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with_profile(Profile::Cloud).await
    }

    pub(crate) async fn with_profile(profile: Profile) -> Self {
        Self::with(profile, Settings::default()).await
    }

    pub(crate) async fn with_settings(settings: Settings) -> Self {
        Self::with(Profile::Cloud, settings).await
    }

    pub(crate) async fn with(profile: Profile, settings: Settings) -> Self {
        let dir = TempDir::new().unwrap();
        let clock: SharedClock = Arc::new(SimulatedClock::new(NOW));
        let catalog = Catalog::open_with(
            &format!(
                "sqlite://{}?mode=rwc",
                dir.path().join("catalog.sqlite").display()
            ),
            headwater_catalog::Settings {
                profile,
                ..Default::default()
            },
            clock.clone(),
            Arc::new(SeededRandom::new(1)),
        )
        .await
        .unwrap();
        let setup = Setup {
            username: "operator".to_owned(),
            organization: "org".to_owned(),
            bucket: "first".to_owned(),
            ..Setup::default()
        };
        let operator = catalog.setup(setup).await.unwrap().authorization;
        let disk = SimulatedFileSystem::default();
        let engine = open(&catalog, &clock, &disk).await;
        let query = QueryEngine::new(
            catalog.clone(),
            engine.clone(),
            clock.clone(),
            settings.clone(),
        );
        Self {
            catalog,
            operator,
            engine,
            query,
            clock,
            disk,
            settings,
            _dir: dir,
        }
    }

    /// Starts storage and queries anew on what a power loss at this moment leaves.
    pub(crate) async fn restart(&mut self) {
        self.disk = self.disk.crash_image();
        self.engine = open(&self.catalog, &self.clock, &self.disk).await;
        self.query = QueryEngine::new(
            self.catalog.clone(),
            self.engine.clone(),
            self.clock.clone(),
            self.settings.clone(),
        );
    }

    /// A bucket with a mapping to it.
    pub(crate) async fn database(
        &self,
        database: &str,
        policy: &str,
        is_default: bool,
        shard_group_seconds: i64,
    ) -> Id {
        let org_id = self.operator.org_id;
        let new = NewBucket {
            org_id: Some(org_id),
            name: format!("{database}-{policy}"),
            retention_rules: vec![RetentionRule {
                every_seconds: Some(0),
                shard_group_seconds: Some(shard_group_seconds),
            }],
            ..NewBucket::default()
        };
        let bucket_id = self.catalog.create_bucket(new).await.unwrap().id;
        let mapping = NewMapping {
            org_id,
            bucket_id,
            database: database.to_owned(),
            retention_policy: policy.to_owned(),
            is_default,
        };
        self.catalog.create_mapping(mapping).await.unwrap();
        bucket_id
    }

    /// A token with the actions on a bucket.
    pub(crate) async fn token(&self, bucket: Id, actions: &[Action]) -> Arc<Authorization> {
        let org_id = self.operator.org_id;
        let new = NewAuthorization {
            org_id: Some(org_id),
            user_id: None,
            status: Status::Active,
            description: String::new(),
            permissions: actions
                .iter()
                .map(|action| Permission::bucket(*action, org_id, bucket))
                .collect(),
            token: None,
        };
        self.catalog
            .create_authorization(&self.operator, new)
            .await
            .unwrap()
            .authorization
    }

    /// Writes points, all of which are to be accepted.
    pub(crate) async fn write(&self, bucket: Id, precision: Precision, lines: &str) {
        let outcome = self.write_some(bucket, precision, lines).await;
        assert_eq!(outcome, WriteOutcome::Accepted, "{lines}");
    }

    /// Writes points, some of which may be refused.
    pub(crate) async fn write_some(
        &self,
        bucket: Id,
        precision: Precision,
        lines: &str,
    ) -> WriteOutcome {
        let shard_group = {
            let state = self.catalog.state();
            let seconds = state.bucket(bucket).unwrap().shard_group_seconds;
            i64::try_from(seconds).unwrap() * 1_000_000_000
        };
        let batch = line_protocol::parse(lines.as_bytes(), precision, NOW).unwrap();
        let target = WriteTarget {
            bucket,
            shard_group,
            oldest: None,
        };
        let body = Bytes::copy_from_slice(lines.as_bytes());
        self.engine
            .write(target, body, precision, NOW, &batch)
            .await
            .unwrap()
    }

    /// Moves all points to files.
    pub(crate) async fn flush(&self) {
        self.engine.flush().await.unwrap();
    }

    /// Merges files: those that are worth it, or each partition's into one.
    pub(crate) async fn compact(&self, is_full: bool) {
        self.engine.compact_all(is_full).await.unwrap();
    }

    pub(crate) fn query(&self) -> &QueryEngine {
        &self.query
    }

    pub(crate) async fn pieces(&self, request: QueryRequest) -> Vec<ResultPiece> {
        let mut receiver = self.query.execute(request);
        let mut pieces = Vec::new();
        while let Some(piece) = receiver.recv().await {
            pieces.push(piece);
        }
        pieces
    }

    pub(crate) fn request(&self, database: &str, text: &str) -> QueryRequest {
        QueryRequest {
            authorization: Arc::clone(&self.operator),
            database: Some(database.to_owned()).filter(|name| !name.is_empty()),
            retention_policy: None,
            query: parse_query(text, &Params::default()).expect(text),
            chunk_size: 10_000,
            is_chunked: false,
        }
    }

    /// The `results` of a request by the operator; times in seconds.
    pub(crate) async fn results(&self, database: &str, text: &str) -> Json {
        to_json(
            self.pieces(self.request(database, text)).await,
            Some(1_000_000_000),
        )
    }

    /// The rows of the only series of the only result, one text a row.
    pub(crate) async fn rows(&self, database: &str, text: &str) -> Vec<String> {
        let results = self.results(database, text).await;
        let values = &results[0]["series"][0]["values"];
        let rows = values.as_array().cloned().unwrap_or_default();
        rows.iter()
            .map(|row| {
                row.as_array()
                    .unwrap()
                    .iter()
                    .map(cell)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    /// The error of the only result.
    pub(crate) async fn error(&self, database: &str, text: &str) -> String {
        self.results(database, text).await[0]["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

async fn open(catalog: &Catalog, clock: &SharedClock, disk: &SimulatedFileSystem) -> Engine {
    let mut settings = headwater_storage::Settings::new("/data");
    settings.background = false;
    settings.row_group_rows = 40;
    settings.page_rows = 10;
    let components = Components {
        catalog: catalog.clone(),
        clock: clock.clone(),
        file_system: Arc::new(disk.clone()),
    };
    Engine::open(settings, components).await.unwrap()
}

fn cell(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Results with pieces of equal statement and series put together, as an encoder does it.
/// `divisor`: nanoseconds of a unit of time; without it times are RFC 3339.
pub(crate) fn to_json(pieces: Vec<ResultPiece>, divisor: Option<i64>) -> Json {
    let mut results: Vec<Map<String, Json>> = Vec::new();
    for piece in pieces {
        let id = json!(piece.statement_id);
        if results.last().is_none_or(|last| last["statement_id"] != id) {
            results.push(Map::from_iter([("statement_id".to_owned(), id.clone())]));
        }
        let result = results.last_mut().unwrap();
        if let Some(error) = piece.error {
            *result = Map::from_iter([
                ("statement_id".to_owned(), id),
                ("error".to_owned(), json!(error)),
            ]);
            continue;
        }
        for series in piece.series {
            let list = result
                .entry("series")
                .or_insert_with(|| json!([]))
                .as_array_mut()
                .unwrap();
            let row = series_json(&series, divisor);
            match list.last_mut() {
                Some(last) if last["name"] == row["name"] && last["tags"] == row["tags"] => {
                    let rows = row["values"].as_array().cloned().unwrap_or_default();
                    last["values"].as_array_mut().unwrap().extend(rows);
                }
                _ => list.push(row),
            }
        }
    }
    Json::Array(results.into_iter().map(Json::Object).collect())
}

fn series_json(series: &Series, divisor: Option<i64>) -> Json {
    let mut row = Map::new();
    if let Some(name) = &series.name {
        row.insert("name".to_owned(), json!(**name));
    }
    if let Some(tags) = &series.tags {
        let tags = tags
            .iter()
            .map(|(key, value)| (key.to_string(), json!(**value)));
        row.insert("tags".to_owned(), Json::Object(tags.collect()));
    }
    let columns: Vec<&str> = series.columns.iter().map(|column| &**column).collect();
    row.insert("columns".to_owned(), json!(columns));
    let rows: Vec<Json> = (0..series.row_count())
        .map(|at| {
            series
                .values
                .iter()
                .map(|column| cell_json(column, at, series, divisor))
                .collect()
        })
        .collect();
    if !rows.is_empty() {
        row.insert("values".to_owned(), Json::Array(rows));
    }
    Json::Object(row)
}

fn cell_json(column: &Column, at: usize, series: &Series, divisor: Option<i64>) -> Json {
    let is_valid = |valid: &Option<Vec<bool>>| valid.as_ref().is_none_or(|valid| valid[at]);
    match column {
        Column::Time(times) => match divisor {
            Some(divisor) => json!(times[at] / divisor),
            None => json!(rfc3339(times[at], series.timezone)),
        },
        Column::Float { values, valid } if is_valid(valid) => json!(values[at]),
        Column::Integer { values, valid } if is_valid(valid) => json!(values[at]),
        Column::Unsigned { values, valid } if is_valid(valid) => json!(values[at]),
        Column::Boolean { values, valid } if is_valid(valid) => json!(values[at]),
        Column::String(values) => json!(values[at].as_deref()),
        Column::Repeated { texts, numbers } => {
            json!(texts.get(numbers[at] as usize).map(|text| &**text))
        }
        Column::Constant { value, .. } => value_json(value.as_ref()),
        Column::Mixed(values) => value_json(values[at].as_ref()),
        _ => Json::Null,
    }
}

fn value_json(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Float(value)) => json!(value),
        Some(Value::Integer(value)) => json!(value),
        Some(Value::Unsigned(value)) => json!(value),
        Some(Value::Boolean(value)) => json!(value),
        Some(Value::String(value)) => json!(**value),
    }
}

fn rfc3339(time: i64, timezone: Option<chrono_tz::Tz>) -> String {
    let time = DateTime::from_timestamp_nanos(time);
    let text = match timezone {
        Some(zone) => time
            .with_timezone(&zone)
            .to_rfc3339_opts(SecondsFormat::Nanos, true),
        None => time.to_rfc3339_opts(SecondsFormat::Nanos, true),
    };
    // Zeros at the end of the fraction go.
    let (date, rest) = text.split_at(19);
    let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let fraction = rest[..zone].trim_end_matches('0').trim_end_matches('.');
    format!("{date}{fraction}{}", &rest[zone..])
}
