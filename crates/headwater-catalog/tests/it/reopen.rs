//! What is committed is there again after a restart.

use headwater_catalog::{
    BucketChange, Catalog, FileChange, FileRecord, MappingChange, NewLegacyAuthorization,
    NewOrganization, Permission, Profile,
};
use headwater_model::Id;

use crate::fixture::{TOKEN, clock, new_bucket, new_mapping, open, request, settings};

/// Everything of the state that can be seen, as text.
fn shown(catalog: &Catalog) -> String {
    let state = catalog.state();
    let mut text = String::new();
    let mut add = |part: String| text.push_str(&part);
    state
        .organizations()
        .for_each(|it| add(format!("{it:?}\n")));
    state.users().for_each(|it| add(format!("{it:?}\n")));
    state
        .authorizations()
        .for_each(|it| add(format!("{it:?}\n")));
    state
        .legacy_authorizations()
        .for_each(|it| add(format!("{it:?}\n")));
    state.buckets().for_each(|it| add(format!("{it:?}\n")));
    for organization in state.organizations() {
        state
            .mappings(organization.id)
            .iter()
            .for_each(|it| add(format!("{it:?}\n")));
    }
    text
}

#[tokio::test]
async fn reopening_gives_the_same_state_and_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("catalog.db").display()
    );
    let (clock, settings) = (clock(), settings(Profile::Cloud));
    let catalog = open(&url, settings.clone(), &clock).await;
    let setup = catalog.setup(request()).await.unwrap();
    let org = setup.organization.id;
    let new = NewOrganization {
        name: "other".into(),
        description: "d".into(),
    };
    let other = catalog.create_organization(new).await.unwrap();
    let bucket = catalog
        .create_bucket(new_bucket(other.id, "it's ü"))
        .await
        .unwrap();
    let change = BucketChange {
        description: Some("changed".into()),
        ..BucketChange::default()
    };
    catalog.update_bucket(bucket.id, change).await.unwrap();
    let a = catalog
        .create_mapping(new_mapping(&bucket, "db", "a", false))
        .await
        .unwrap();
    let b = catalog
        .create_mapping(new_mapping(&bucket, "db", "b", true))
        .await
        .unwrap();
    let change = MappingChange {
        retention_policy: Some("c".into()),
        is_default: None,
    };
    catalog
        .update_mapping(other.id, b.id, change)
        .await
        .unwrap();
    let legacy = NewLegacyAuthorization {
        username: "v1user".into(),
        org_id: Some(org),
        permissions: Permission::all_access(org),
        ..NewLegacyAuthorization::default()
    };
    let legacy = catalog
        .create_legacy_authorization(&setup.authorization, legacy)
        .await
        .unwrap();
    catalog
        .set_legacy_password(legacy.id, "v1password")
        .await
        .unwrap();
    let gone = catalog
        .create_bucket(new_bucket(org, "gone"))
        .await
        .unwrap();
    catalog.delete_bucket(gone.id).await.unwrap();
    let before = shown(&catalog);
    catalog.close().await;
    drop(catalog);

    // The clock went back meanwhile; ids still grow.
    clock.set(0);
    let catalog = open(&url, settings, &clock).await;
    assert_eq!(shown(&catalog), before);
    assert!(!before.contains(TOKEN));
    assert!(catalog.new_id() > legacy.id.max(a.id).max(b.id));
    assert!(catalog.authenticate_token_v1(TOKEN).is_ok());
    assert!(
        catalog
            .authenticate_password("v1user", "v1password")
            .await
            .is_ok()
    );
    assert!(catalog.authenticate_user("dev", "12345678").await.is_ok());
    assert!(!catalog.state().is_setup_allowed());
}

#[tokio::test]
async fn secrets_are_not_in_the_database_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let catalog = open(&url, settings(Profile::Cloud), &clock()).await;
    catalog.setup(request()).await.unwrap();
    catalog.close().await;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [TOKEN, "12345678"] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|it| it == secret.as_bytes())
            );
        }
    }
}

#[tokio::test]
async fn the_profile_decides_anew_at_each_start() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("catalog.db").display()
    );
    let clock = clock();
    let catalog = open(&url, settings(Profile::Cloud), &clock).await;
    let org = catalog.setup(request()).await.unwrap().organization.id;
    assert!(catalog.state().mappings(org).is_empty());
    catalog.close().await;
    let catalog = open(&url, settings(Profile::Oss), &clock).await;
    assert_eq!(catalog.state().mappings(org).len(), 3);
}

#[tokio::test]
async fn new_ids_are_above_those_of_files() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("catalog.db").display()
    );
    let clock = clock();
    let catalog = open(&url, settings(Profile::Cloud), &clock).await;
    let id = Id::new(0xfff0_0000_0000_0000).unwrap();
    let file = FileRecord {
        id,
        bucket: id,
        measurement: "m".into(),
        partition_start: 0,
        partition_end: 1,
        path: "f".into(),
        rows: 0,
        bytes: 0,
        min_time: 0,
        max_time: 0,
        min_sequence: 0,
        max_sequence: 0,
        level: 0,
    };
    let change = FileChange {
        added: vec![file],
        ..FileChange::default()
    };
    catalog.commit_files(change).await.unwrap();
    catalog.close().await;
    let catalog = open(&url, settings(Profile::Cloud), &clock).await;
    assert!(catalog.new_id() > id);
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_published_as_it_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("catalog.db").display()
    );
    let (clock, settings) = (clock(), settings(Profile::Cloud));
    let catalog = open(&url, settings.clone(), &clock).await;
    let org = catalog.setup(request()).await.unwrap().organization.id;
    for index in 0..10 {
        let created = catalog.create_bucket(new_bucket(org, &format!("b{index}")));
        tokio::select! {
            biased;
            _ = created => {}
            () = tokio::task::yield_now() => {}
        }
    }
    // Takes its turn after all that were started.
    catalog
        .create_bucket(new_bucket(org, "last"))
        .await
        .unwrap();
    let before = shown(&catalog);
    catalog.close().await;
    assert_eq!(shown(&open(&url, settings, &clock).await), before);
}
