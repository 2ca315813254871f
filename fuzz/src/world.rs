//! A server without sockets and disks: catalog, storage and query engine in memory.

use std::{future::Future, io, path::Path, sync::Arc};

use bytes::Bytes;
use headwater_catalog::{
    Authorization, Catalog, NewBucket, NewMapping, Profile, RetentionRule, Setup,
};
use headwater_env::{FileSystem, SeededRandom, SharedClock, SimulatedClock, SimulatedFileSystem};
use headwater_model::{Id, Precision, line_protocol};
use headwater_query::QueryEngine;
use headwater_storage::{Components, Engine, WriteTarget};
use tokio::runtime::{Builder, Runtime};

/// 1970-01-01T06:00:00Z, after all ordinary points.
pub(crate) const NOW: i64 = 6 * HOUR;
/// Time partitions are this long.
pub(crate) const HOUR: i64 = 3_600_000_000_000;

/// The secret of the operator's token.
pub(crate) const TOKEN: &str = "operator-token";

/// Windows that one statement may have; the rest of what bounds a query is its own.
const BUCKETS_MAX: u64 = 5_000;

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) catalog: Catalog,
    pub(crate) engine: Engine,
    pub(crate) query: QueryEngine,
    pub(crate) clock: SharedClock,
    pub(crate) disk: SimulatedFileSystem,
    pub(crate) operator: Arc<Authorization>,
    /// What the database `db` reads and writes.
    pub(crate) bucket: Id,
}

impl World {
    /// An empty bucket behind the database `db`.
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        let clock: SharedClock = Arc::new(SimulatedClock::new(NOW));
        let (catalog, operator, bucket) = runtime.block_on(catalog(clock.clone()));
        let disk = SimulatedFileSystem::new();
        let engine = runtime
            .block_on(open(&catalog, &clock, &disk))
            .expect("an empty engine opens");
        let settings = headwater_query::Settings {
            max_select_buckets: BUCKETS_MAX,
            ..headwater_query::Settings::default()
        };
        let query = QueryEngine::new(catalog.clone(), engine.clone(), clock.clone(), settings);
        Self {
            runtime,
            catalog,
            engine,
            query,
            clock,
            disk,
            operator,
            bucket,
        }
    }

    /// Writes points that are all accepted.
    pub(crate) fn write(&self, lines: &str) {
        self.write_to(&self.engine, lines).expect("writes succeed");
    }

    pub(crate) fn write_to(&self, engine: &Engine, lines: &str) -> headwater_storage::Result<()> {
        let precision = Precision::Nanosecond;
        let batch = line_protocol::parse(lines.as_bytes(), precision, NOW)
            .expect("the data set is line protocol");
        let target = WriteTarget {
            bucket: self.bucket,
            shard_group: HOUR,
            oldest: None,
        };
        let body = Bytes::copy_from_slice(lines.as_bytes());
        self.wait(engine.write(target, body, precision, NOW, &batch))
            .map(drop)
    }

    /// Another engine, on what `disk` and the catalog hold.
    pub(crate) fn open(&self, disk: &SimulatedFileSystem) -> headwater_storage::Result<Engine> {
        self.wait(open(&self.catalog, &self.clock, disk))
    }

    /// Makes the catalog forget what it knows about stored data.
    pub(crate) fn forget_files(&self) {
        self.wait(self.catalog.remove_bucket_storage(self.bucket))
            .expect("the catalog works");
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

/// Makes a file that survives everything.
pub(crate) fn put(disk: &SimulatedFileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    disk.create_dir_all(dir)?;
    let mut file = disk.create(path)?;
    file.append(bytes)?;
    file.sync()?;
    disk.sync_dir(dir)
}

/// Row groups and pages are small, so that there are several.
async fn open(
    catalog: &Catalog,
    clock: &SharedClock,
    disk: &SimulatedFileSystem,
) -> headwater_storage::Result<Engine> {
    let mut settings = headwater_storage::Settings::new("/headwater");
    settings.background = false;
    settings.row_group_rows = 50;
    settings.page_rows = 10;
    let components = Components {
        catalog: catalog.clone(),
        clock: clock.clone(),
        file_system: Arc::new(disk.clone()),
    };
    Engine::open(settings, components).await
}

async fn catalog(clock: SharedClock) -> (Catalog, Arc<Authorization>, Id) {
    let settings = headwater_catalog::Settings {
        profile: Profile::V1,
        bcrypt_cost: 4,
        ..Default::default()
    };
    let random = Arc::new(SeededRandom::new(1));
    let catalog = Catalog::open_with("sqlite::memory:", settings, clock, random)
        .await
        .expect("a catalog in memory opens");
    let setup = Setup {
        username: "operator".to_owned(),
        organization: "org".to_owned(),
        bucket: "first".to_owned(),
        token: Some(TOKEN.to_owned()),
        ..Setup::default()
    };
    let operator = catalog
        .setup(setup)
        .await
        .expect("a new catalog can be set up")
        .authorization;
    let new = NewBucket {
        org_id: Some(operator.org_id),
        name: "bucket".to_owned(),
        retention_rules: vec![RetentionRule {
            every_seconds: Some(0),
            shard_group_seconds: Some(HOUR / 1_000_000_000),
        }],
        ..NewBucket::default()
    };
    let bucket = catalog
        .create_bucket(new)
        .await
        .expect("the name is free")
        .id;
    let mapping = NewMapping {
        org_id: operator.org_id,
        bucket_id: bucket,
        database: "db".to_owned(),
        retention_policy: "rp".to_owned(),
        is_default: true,
    };
    catalog
        .create_mapping(mapping)
        .await
        .expect("the bucket exists");
    (catalog, operator, bucket)
}
