//! A catalog in memory that is set up, and shorthands for what tests create.

use std::sync::Arc;

use headwater_catalog::{
    Authorization, Bucket, Catalog, DbrpMapping, Error, NewAuthorization, NewBucket, NewMapping,
    NewToken, Permission, Profile, RetentionRule, Settings, Setup, SetupOutcome,
};
use headwater_env::{SeededRandom, SimulatedClock};
use headwater_model::Id;

pub(crate) const TOKEN: &str = "operator-token-of-the-tests==";

/// A catalog and what set-up created in it.
pub(crate) struct Fixture {
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) setup: SetupOutcome,
}

pub(crate) fn settings(profile: Profile) -> Settings {
    Settings {
        profile,
        bcrypt_cost: 4,
        ..Settings::default()
    }
}

pub(crate) fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::new(1_700_000_000_000_000_000))
}

pub(crate) async fn open(url: &str, settings: Settings, clock: &Arc<SimulatedClock>) -> Catalog {
    let random = Arc::new(SeededRandom::new(7));
    Catalog::open_with(url, settings, clock.clone(), random)
        .await
        .unwrap()
}

pub(crate) fn request() -> Setup {
    Setup {
        username: "dev".into(),
        password: Some("12345678".into()),
        organization: "com.some".into(),
        bucket: "m2_dev".into(),
        token: Some(TOKEN.into()),
        ..Setup::default()
    }
}

impl Fixture {
    pub(crate) async fn new(profile: Profile) -> Self {
        Self::with(settings(profile)).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let clock = clock();
        let catalog = open("sqlite::memory:", settings, &clock).await;
        let setup = catalog.setup(request()).await.unwrap();
        Self {
            catalog,
            clock,
            setup,
        }
    }

    pub(crate) fn operator(&self) -> &Authorization {
        &self.setup.authorization
    }

    pub(crate) fn org(&self) -> Id {
        self.setup.organization.id
    }

    pub(crate) async fn bucket(&self, name: &str) -> Arc<Bucket> {
        self.catalog
            .create_bucket(new_bucket(self.org(), name))
            .await
            .unwrap()
    }

    pub(crate) async fn map(
        &self,
        bucket: &Bucket,
        database: &str,
        policy: &str,
    ) -> Arc<DbrpMapping> {
        let new = new_mapping(bucket, database, policy, false);
        self.catalog.create_mapping(new).await.unwrap()
    }

    pub(crate) async fn token(&self, permissions: &[Permission]) -> NewToken {
        let new = NewAuthorization {
            org_id: Some(self.org()),
            permissions: permissions.to_vec(),
            ..NewAuthorization::default()
        };
        self.catalog
            .create_authorization(self.operator(), new)
            .await
            .unwrap()
    }
}

pub(crate) fn new_bucket(org: Id, name: &str) -> NewBucket {
    NewBucket {
        org_id: Some(org),
        name: name.into(),
        ..NewBucket::default()
    }
}

pub(crate) fn with_rule(mut new: NewBucket, every: Option<i64>, shard: Option<i64>) -> NewBucket {
    new.retention_rules.push(RetentionRule {
        every_seconds: every,
        shard_group_seconds: shard,
    });
    new
}

pub(crate) fn new_mapping(
    bucket: &Bucket,
    database: &str,
    policy: &str,
    is_default: bool,
) -> NewMapping {
    NewMapping {
        org_id: bucket.org_id,
        bucket_id: bucket.id,
        database: database.into(),
        retention_policy: policy.into(),
        is_default,
    }
}

/// The code and the text of an error.
pub(crate) fn refusal<T>(result: Result<T, Error>) -> (&'static str, String) {
    match result {
        Ok(_) => panic!("should have been refused"),
        Err(error) => (error.kind().code(), error.to_string()),
    }
}

pub(crate) fn expect_refusal<T>(result: Result<T, Error>, code: &str, text: &str) {
    let (actual_code, actual_text) = refusal(result);
    assert_eq!((actual_code, actual_text.as_str()), (code, text));
}
