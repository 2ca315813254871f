//! Mappings: creation, change, deletion and the default, against a small model.

use std::{slice, sync::Arc};

use headwater_catalog::{
    Access, Action, Bucket, DbrpMapping, MappingChange, MappingFilter, Permission, Profile,
};
use headwater_model::Id;
use proptest::prelude::*;

use crate::fixture::{Fixture, expect_refusal, new_mapping};

async fn list(fixture: &Fixture, filter: MappingFilter) -> Vec<Arc<DbrpMapping>> {
    fixture
        .catalog
        .state()
        .list_mappings(fixture.operator(), fixture.org(), &filter)
}

fn of(database: &str) -> MappingFilter {
    MappingFilter {
        database: Some(database.into()),
        ..MappingFilter::default()
    }
}

#[tokio::test]
async fn creating_an_existing_mapping_overwrites_in_cloud_and_conflicts_in_oss() {
    for profile in [Profile::Cloud, Profile::V1] {
        let fixture = Fixture::new(profile).await;
        let (one, two) = (fixture.bucket("one").await, fixture.bucket("two").await);
        let first = fixture.map(&one, "db", "autogen").await;
        assert_eq!(fixture.map(&one, "db", "autogen").await, first);
        let second = fixture.map(&two, "db", "autogen").await;
        assert_eq!(
            (second.id, second.bucket_id, second.is_default),
            (first.id, two.id, true)
        );
        assert_eq!(list(&fixture, of("db")).await, [second]);
    }
    let fixture = Fixture::new(Profile::Oss).await;
    let bucket = fixture.bucket("one").await;
    fixture.map(&bucket, "db", "autogen").await;
    let again = fixture
        .catalog
        .create_mapping(new_mapping(&bucket, "db", "autogen", true))
        .await;
    let text = "another DBRP mapping with same orgID, db, and rp exists";
    expect_refusal(again, "conflict", text);
}

#[tokio::test]
async fn what_a_mapping_names_must_be_valid_and_exist() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let bucket = fixture.bucket("one").await;
    let create = |new| fixture.catalog.create_mapping(new);
    let text = "DBRP provided is invalid: database must contain at least one character and only \
                be letters, numbers, '_', '-', and '.'";
    expect_refusal(
        create(new_mapping(&bucket, "a/b", "r", true)).await,
        "invalid",
        text,
    );
    let text = "DBRP provided is invalid: retentionPolicy must contain at least one character and \
                only be letters, numbers, '_', '-', and '.'";
    expect_refusal(
        create(new_mapping(&bucket, "d", "", true)).await,
        "invalid",
        text,
    );
    let mut new = new_mapping(&bucket, "d", "r", true);
    new.bucket_id = Id::new(1).unwrap();
    expect_refusal(create(new).await, "not found", "bucket not found");
    let mut new = new_mapping(&bucket, "d", "r", true);
    new.org_id = Id::new(1).unwrap();
    expect_refusal(create(new).await, "not found", "organization not found");
}

#[tokio::test]
async fn filters_are_joined_by_and() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (one, two) = (fixture.bucket("one").await, fixture.bucket("two").await);
    let a = fixture.map(&one, "a", "x").await;
    let b = fixture.map(&two, "a", "y").await;
    let c = fixture.map(&one, "b", "x").await;
    let any = MappingFilter::default;
    assert_eq!(
        list(&fixture, any()).await,
        [a.clone(), b.clone(), c.clone()]
    );
    assert_eq!(list(&fixture, of("a")).await, [a.clone(), b.clone()]);
    let default = MappingFilter {
        is_default: Some(false),
        ..of("a")
    };
    assert_eq!(list(&fixture, default).await, slice::from_ref(&b));
    let bucket = MappingFilter {
        bucket_id: Some(one.id),
        ..any()
    };
    assert_eq!(list(&fixture, bucket).await, [a.clone(), c.clone()]);
    let policy = MappingFilter {
        retention_policy: Some("x".into()),
        ..of("b")
    };
    assert_eq!(list(&fixture, policy).await, slice::from_ref(&c));
    let id = MappingFilter {
        id: Some(b.id),
        ..of("b")
    };
    assert!(list(&fixture, id).await.is_empty());
    let state = fixture.catalog.state();
    assert!(
        state
            .list_mappings(fixture.operator(), Id::new(1).unwrap(), &any())
            .is_empty()
    );
    let reader = fixture
        .token(&[Permission::bucket(Action::Read, fixture.org(), two.id)])
        .await;
    assert_eq!(
        state.list_mappings(&reader.authorization, fixture.org(), &any()),
        [b]
    );
}

#[tokio::test]
async fn a_mapping_is_found_in_its_organization_only() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let bucket = fixture.bucket("one").await;
    let mapping = fixture.map(&bucket, "a", "x").await;
    let (catalog, other) = (&fixture.catalog, Id::new(1).unwrap());
    let text = "unable to find DBRP";
    assert_eq!(
        catalog
            .state()
            .require_mapping(fixture.org(), mapping.id)
            .unwrap(),
        &mapping
    );
    expect_refusal(
        catalog.state().require_mapping(other, mapping.id),
        "not found",
        text,
    );
    expect_refusal(
        catalog.delete_mapping(other, mapping.id).await,
        "not found",
        text,
    );
    let change = MappingChange::default();
    expect_refusal(
        catalog.update_mapping(fixture.org(), other, change).await,
        "not found",
        text,
    );
    catalog
        .delete_mapping(fixture.org(), mapping.id)
        .await
        .unwrap();
    expect_refusal(
        catalog.delete_mapping(fixture.org(), mapping.id).await,
        "not found",
        text,
    );
}

#[tokio::test]
async fn queries_see_what_is_readable_and_writes_what_is_writable_too() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (one, two) = (fixture.bucket("one").await, fixture.bucket("two").await);
    let a = fixture.map(&one, "db", "a").await;
    fixture.map(&two, "db", "b").await;
    let writer = fixture
        .token(&[Permission::bucket(Action::Write, fixture.org(), one.id)])
        .await;
    let writer = &writer.authorization;
    let state = fixture.catalog.state();
    assert!(state.mappings_visible(writer, Access::Read).is_empty());
    assert_eq!(
        state.mappings_visible(writer, Access::ReadOrWrite),
        slice::from_ref(&a)
    );
    assert!(state.resolve(writer, Access::Read, "db", None).is_none());
    assert_eq!(
        state.resolve(writer, Access::ReadOrWrite, "db", None),
        Some(&a)
    );
    assert_eq!(
        state.resolve(writer, Access::ReadOrWrite, "db", Some("")),
        Some(&a)
    );
    assert!(
        state
            .resolve(writer, Access::ReadOrWrite, "db", Some("b"))
            .is_none()
    );
    assert!(
        state
            .resolve(fixture.operator(), Access::Read, "db", Some("b"))
            .is_some()
    );
    assert!(
        state
            .resolve(fixture.operator(), Access::Read, "nope", None)
            .is_none()
    );
}

#[tokio::test]
async fn virtual_mappings_exist_in_oss_only_and_are_read_only() {
    let fixture = Fixture::new(Profile::Cloud).await;
    assert!(list(&fixture, MappingFilter::default()).await.is_empty());

    let fixture = Fixture::new(Profile::Oss).await;
    let bucket = fixture.bucket("v/rpx").await;
    let found = list(&fixture, of("v")).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].bucket_id), (bucket.id, bucket.id));
    assert!(found[0].is_virtual && found[0].is_default);
    let change = MappingChange {
        is_default: Some(false),
        ..MappingChange::default()
    };
    let update = fixture
        .catalog
        .update_mapping(fixture.org(), bucket.id, change)
        .await;
    expect_refusal(update, "invalid", "virtual DBRP mappings cannot be updated");
    let delete = fixture
        .catalog
        .delete_mapping(fixture.org(), bucket.id)
        .await;
    expect_refusal(delete, "invalid", "virtual DBRP mappings cannot be deleted");
    let stored = fixture.map(&fixture.setup.bucket, "v", "rpx").await;
    assert_eq!(list(&fixture, of("v")).await, [stored]);
}

/// What may be done to the mappings of two databases.
#[derive(Debug, Clone)]
enum Step {
    Create {
        database: usize,
        policy: usize,
        bucket: usize,
        is_default: bool,
    },
    Update {
        index: usize,
        policy: Option<usize>,
        is_default: Option<bool>,
    },
    Delete {
        index: usize,
    },
    DeleteBucket {
        bucket: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let create = (0..2usize, 0..4usize, 0..4usize, any::<bool>()).prop_map(
        |(database, policy, bucket, is_default)| Step::Create {
            database,
            policy,
            bucket,
            is_default,
        },
    );
    let update = (
        0..8usize,
        proptest::option::of(0..4usize),
        any::<Option<bool>>(),
    )
        .prop_map(|(index, policy, is_default)| Step::Update {
            index,
            policy,
            is_default,
        });
    prop_oneof![
        5 => create,
        4 => update,
        2 => (0..8usize).prop_map(|index| Step::Delete { index }),
        1 => (0..4usize).prop_map(|bucket| Step::DeleteBucket { bucket }),
    ]
}

const DATABASES: [&str; 2] = ["a", "b"];
const POLICIES: [&str; 4] = ["w", "x", "y", "z"];

/// The mappings in the order of creation, as plainly as possible.
#[derive(Debug, Default)]
struct Model(Vec<DbrpMapping>);

impl Model {
    fn make_default(&mut self, id: Id) {
        let database = self
            .0
            .iter()
            .find(|it| it.id == id)
            .unwrap()
            .database
            .clone();
        for mapping in self.0.iter_mut().filter(|it| it.database == database) {
            mapping.is_default = mapping.id == id;
        }
    }

    fn first(&self, database: &str, except: Option<Id>) -> Option<Id> {
        self.0
            .iter()
            .find(|it| it.database == database && Some(it.id) != except)
            .map(|it| it.id)
    }

    fn create(&mut self, mapping: DbrpMapping, profile: Profile) -> Option<Id> {
        let same = |it: &&mut DbrpMapping| {
            (&it.database, &it.retention_policy) == (&mapping.database, &mapping.retention_policy)
        };
        let (id, wants_default) = (mapping.id, mapping.is_default);
        let id = match self.0.iter_mut().find(same) {
            Some(_) if profile == Profile::Oss => return None,
            Some(existing) => {
                existing.bucket_id = mapping.bucket_id;
                existing.id
            }
            None => {
                let is_first = self.first(&mapping.database, None).is_none();
                self.0.push(DbrpMapping {
                    is_default: is_first,
                    ..mapping
                });
                id
            }
        };
        if wants_default {
            self.make_default(id);
        }
        Some(id)
    }

    fn update(&mut self, id: Id, policy: Option<&str>, is_default: Option<bool>) -> bool {
        let it = self.0.iter().find(|it| it.id == id).unwrap().clone();
        if let Some(policy) = policy {
            let taken = |other: &DbrpMapping| {
                other.id != id && other.database == it.database && other.retention_policy == policy
            };
            if self.0.iter().any(taken) {
                return false;
            }
            self.0
                .iter_mut()
                .find(|it| it.id == id)
                .unwrap()
                .retention_policy = policy.into();
        }
        match (is_default, self.first(&it.database, Some(id))) {
            (Some(true), _) => self.make_default(id),
            (Some(false), Some(heir)) if it.is_default => self.make_default(heir),
            _ => {}
        }
        true
    }

    fn delete(&mut self, id: Id) {
        let index = self.0.iter().position(|it| it.id == id).unwrap();
        let gone = self.0.remove(index);
        if gone.is_default
            && let Some(heir) = self.first(&gone.database, None)
        {
            self.make_default(heir);
        }
    }
}

async fn run(fixture: &Fixture, buckets: &mut [Arc<Bucket>], model: &mut Model, step: &Step) {
    let (catalog, org) = (&fixture.catalog, fixture.org());
    match *step {
        Step::Create {
            database,
            policy,
            bucket,
            is_default,
        } => {
            let new = new_mapping(
                &buckets[bucket],
                DATABASES[database],
                POLICIES[policy],
                is_default,
            );
            let created = catalog.create_mapping(new.clone()).await.ok();
            let mapping = DbrpMapping {
                id: created.as_ref().map_or(Id::new(1).unwrap(), |it| it.id),
                org_id: org,
                bucket_id: new.bucket_id,
                database: new.database,
                retention_policy: new.retention_policy,
                is_default,
                is_virtual: false,
            };
            let expected = model.create(mapping, catalog.state().profile());
            assert_eq!(created.map(|it| it.id), expected);
        }
        Step::Update {
            index,
            policy,
            is_default,
        } => {
            let Some(id) = model.0.get(index).map(|it| it.id) else {
                return;
            };
            let policy = policy.map(|it| POLICIES[it]);
            let change = MappingChange {
                retention_policy: policy.map(Into::into),
                is_default,
            };
            let updated = catalog.update_mapping(org, id, change).await;
            assert_eq!(updated.is_ok(), model.update(id, policy, is_default));
        }
        Step::Delete { index } => {
            let Some(id) = model.0.get(index).map(|it| it.id) else {
                return;
            };
            catalog.delete_mapping(org, id).await.unwrap();
            model.delete(id);
        }
        Step::DeleteBucket { bucket } => {
            let gone = catalog.delete_bucket(buckets[bucket].id).await.unwrap();
            let ids: Vec<_> = model
                .0
                .iter()
                .filter(|it| it.bucket_id == gone.id)
                .map(|it| it.id)
                .collect();
            ids.into_iter().for_each(|id| model.delete(id));
            buckets[bucket] = fixture.bucket(&gone.name).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_database_has_exactly_one_default(
        profile in prop_oneof![Just(Profile::Cloud), Just(Profile::Oss)],
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new(profile).await;
            let mut buckets = Vec::new();
            for name in ["one", "two", "three", "four"] {
                buckets.push(fixture.bucket(name).await);
            }
            let mut model = Model::default();
            for step in &steps {
                run(&fixture, &mut buckets, &mut model, step).await;
                let state = fixture.catalog.state();
                let actual: Vec<_> = state
                    .mappings(fixture.org())
                    .iter()
                    .filter(|it| !it.is_virtual)
                    .map(|it| DbrpMapping::clone(it))
                    .collect();
                assert_eq!(actual, model.0, "after {step:?}");
                for database in DATABASES {
                    let mappings = state.database_mappings(fixture.org(), database);
                    let defaults = mappings.iter().filter(|it| it.is_default).count();
                    assert_eq!(defaults, usize::from(!mappings.is_empty()), "of {database}");
                }
            }
        });
    }
}
