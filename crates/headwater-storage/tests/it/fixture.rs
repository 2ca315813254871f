//! An engine over a simulated disk and a catalog in a temporary folder, and its content as a map.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use bytes::Bytes;
use headwater_catalog::{Catalog, NewBucket, NewOrganization, RetentionRule};
use headwater_env::{SeededRandom, SimulatedClock, SimulatedFileSystem};
use headwater_model::{FieldType, Id, Precision, TimeRange, line_protocol};
use headwater_storage::{
    Components, DeleteRequest, Engine, RetentionLimit, ScanRequest, Settings, Snapshot,
    TagPredicate, WriteOutcome, WriteTarget,
};

pub(crate) const HOUR: i64 = 3_600_000_000_000;

/// (series, time, field) → value, as text.
pub(crate) type Content = BTreeMap<(String, i64, String), String>;

pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    pub(crate) disk: SimulatedFileSystem,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) catalog: Catalog,
    pub(crate) bucket: Id,
    pub(crate) settings: Settings,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::new(1_700_000_000_000_000_000));
        let url = format!(
            "sqlite://{}/catalog.sqlite?mode=rwc",
            folder.path().display()
        );
        let random = Arc::new(SeededRandom::new(7));
        let catalog = Catalog::open(&url, clock.clone(), random).await.unwrap();
        let mut settings = Settings::new("/headwater");
        settings.background = false;
        change(&mut settings);
        let disk = SimulatedFileSystem::new();
        let bucket = create_bucket(&catalog, "b").await;
        let engine = open(&settings, &catalog, &clock, &disk).await;
        Self {
            engine,
            disk,
            clock,
            catalog,
            bucket,
            settings,
            _folder: folder,
        }
    }

    pub(crate) async fn try_write(&self, lines: &str) -> headwater_storage::Result<WriteOutcome> {
        self.write_with(lines, None).await
    }

    pub(crate) async fn write_with(
        &self,
        lines: &str,
        oldest: Option<RetentionLimit>,
    ) -> headwater_storage::Result<WriteOutcome> {
        let target = WriteTarget {
            bucket: self.bucket,
            shard_group: HOUR,
            oldest,
        };
        write(&self.engine, target, lines).await
    }

    pub(crate) async fn write(&self, lines: &str) {
        assert_eq!(self.try_write(lines).await.unwrap(), WriteOutcome::Accepted);
    }

    pub(crate) async fn delete(&self, request: DeleteRequest) {
        self.engine.delete(self.bucket, request).await.unwrap();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.engine.snapshot(self.bucket)
    }

    pub(crate) fn content(&self) -> Content {
        content(&self.snapshot())
    }

    /// Closes and opens.
    pub(crate) async fn reopen(&mut self) {
        self.engine.close().await.unwrap();
        self.engine = open(&self.settings, &self.catalog, &self.clock, &self.disk).await;
    }

    /// Opens what a power loss at this moment leaves.
    pub(crate) async fn crash(&mut self) {
        self.disk = self.disk.crash_image();
        self.engine = open(&self.settings, &self.catalog, &self.clock, &self.disk).await;
    }

    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        use headwater_env::FileSystem;
        self.disk.list(std::path::Path::new(dir)).unwrap()
    }
}

pub(crate) async fn open(
    settings: &Settings,
    catalog: &Catalog,
    clock: &Arc<SimulatedClock>,
    disk: &SimulatedFileSystem,
) -> Engine {
    try_open(settings, catalog, clock, disk).await.unwrap()
}

pub(crate) async fn try_open(
    settings: &Settings,
    catalog: &Catalog,
    clock: &Arc<SimulatedClock>,
    disk: &SimulatedFileSystem,
) -> headwater_storage::Result<Engine> {
    let components = Components {
        catalog: catalog.clone(),
        clock: clock.clone(),
        file_system: Arc::new(disk.clone()),
    };
    Engine::open(settings.clone(), components).await
}

pub(crate) async fn create_bucket(catalog: &Catalog, name: &str) -> Id {
    let organization = match catalog.state().organizations().next() {
        Some(organization) => organization.id,
        None => {
            let new = NewOrganization {
                name: "o".to_owned(),
                ..NewOrganization::default()
            };
            catalog.create_organization(new).await.unwrap().id
        }
    };
    let rule = RetentionRule {
        every_seconds: Some(0),
        shard_group_seconds: Some(3600),
    };
    let new = NewBucket {
        org_id: Some(organization),
        name: name.to_owned(),
        retention_rules: vec![rule],
        ..NewBucket::default()
    };
    catalog.create_bucket(new).await.unwrap().id
}

pub(crate) async fn write(
    engine: &Engine,
    target: WriteTarget,
    lines: &str,
) -> headwater_storage::Result<WriteOutcome> {
    let body = Bytes::from(lines.to_owned());
    let batch = line_protocol::parse(&body, Precision::Nanosecond, 0).unwrap();
    engine
        .write(target, body.clone(), Precision::Nanosecond, 0, &batch)
        .await
}

pub(crate) fn everything() -> DeleteRequest {
    DeleteRequest {
        measurements: None,
        predicate: None,
        range: TimeRange::ALL,
    }
}

pub(crate) fn tag(key: &str, value: &str) -> TagPredicate {
    TagPredicate::Equals {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

/// All that a snapshot holds, with the promises of its interface checked on the way.
pub(crate) fn content(snapshot: &Snapshot) -> Content {
    let mut content = Content::new();
    let measurements = snapshot.measurements().unwrap();
    assert!(measurements.is_sorted());
    for measurement in &measurements {
        let before = content.len();
        let partitions = snapshot.partitions(measurement, TimeRange::ALL);
        assert!(partitions.is_sorted_by_key(|partition| partition.range().start));
        for partition in partitions {
            let series = partition.select(None).unwrap();
            assert!(series.is_sorted_by(|a, b| a.key < b.key));
            let columns: Vec<Arc<str>> = partition.fields().keys().cloned().collect();
            let scan = partition
                .scan(ScanRequest {
                    series: &series,
                    columns: &columns,
                    range: TimeRange::ALL,
                    with_times: true,
                    descending_limit: None,
                    ascending_limit: None,
                })
                .unwrap();
            for slices in scan {
                let slices = slices.unwrap();
                let handle = &series[slices.index];
                let mut last = i64::MIN;
                let mut rows = 0;
                for slice in slices.slices {
                    assert_eq!(slice.columns.len(), columns.len());
                    rows += slice.rows() as u64;
                    for (row, &time) in slice.times.iter().enumerate() {
                        assert!(time > last, "times ascend strictly");
                        assert!(handle.min_time <= time && time <= handle.max_time);
                        assert!(partition.range().contains(time));
                        last = time;
                        for (name, column) in columns.iter().zip(&slice.columns) {
                            if let Some(column) = column
                                && column.is_valid(row)
                            {
                                let key = (handle.key.as_str().to_owned(), time, name.to_string());
                                content.insert(key, cell(column, partition.fields()[name], row));
                            }
                        }
                    }
                }
                assert!(rows <= handle.rows_max);
            }
        }
        assert!(
            content.len() > before,
            "{measurement} is listed and has no points"
        );
    }
    content
}

pub(crate) fn cell(column: &ArrayRef, kind: FieldType, row: usize) -> String {
    match kind {
        FieldType::Float => column.as_primitive::<Float64Type>().value(row).to_string(),
        FieldType::Integer => format!("{}i", column.as_primitive::<Int64Type>().value(row)),
        FieldType::Unsigned => format!("{}u", column.as_primitive::<UInt64Type>().value(row)),
        FieldType::String => format!("{:?}", column.as_string::<i32>().value(row)),
        FieldType::Boolean => column.as_boolean().value(row).to_string(),
    }
}
