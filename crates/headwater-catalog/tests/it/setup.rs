//! Set-up.

use headwater_catalog::{BucketKind, Permission, Profile, Setup, Status};

use crate::fixture::{Fixture, TOKEN, clock, expect_refusal, open, request, settings};

#[tokio::test]
async fn setup_creates_user_organization_buckets_and_operator_token() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let state = fixture.catalog.state();
    let setup = &fixture.setup;
    assert!(!state.is_setup_allowed());
    assert_eq!(setup.token, TOKEN);
    assert_eq!(setup.authorization.description, "dev's Token");
    assert_eq!(setup.authorization.permissions, Permission::operator());
    assert_eq!(setup.user.status, Status::Active);
    assert_eq!(
        (
            setup.bucket.retention_seconds,
            setup.bucket.shard_group_seconds
        ),
        (0, 604_800)
    );
    let buckets: Vec<_> = state
        .buckets_of(fixture.org())
        .map(|it| {
            (
                it.name.as_str(),
                it.kind,
                it.retention_seconds,
                it.shard_group_seconds,
            )
        })
        .collect();
    assert_eq!(
        buckets,
        [
            ("_monitoring", BucketKind::System, 604_800, 86_400),
            ("_tasks", BucketKind::System, 259_200, 86_400),
            ("m2_dev", BucketKind::User, 0, 604_800),
        ]
    );
}

#[tokio::test]
async fn a_generated_token_has_88_characters_with_padding() {
    let catalog = open("sqlite::memory:", settings(Profile::Cloud), &clock()).await;
    let setup = catalog
        .setup(Setup {
            token: None,
            ..request()
        })
        .await
        .unwrap();
    assert_eq!(setup.token.len(), 88);
    assert!(setup.token.ends_with("=="));
    assert!(catalog.authenticate_token_v1(&setup.token).is_ok());
}

#[tokio::test]
async fn setup_is_possible_once_and_nothing_of_a_refused_one_remains() {
    let catalog = open("sqlite::memory:", settings(Profile::Cloud), &clock()).await;
    let empty = catalog.setup(Setup::default()).await;
    let text = "onboarding failed: missing required fields [username,org,bucket]";
    expect_refusal(empty, "unprocessable entity", text);
    let partial = catalog
        .setup(Setup {
            bucket: String::new(),
            ..request()
        })
        .await;
    let text = "onboarding failed: missing required fields [bucket]";
    expect_refusal(partial, "unprocessable entity", text);
    let short = catalog
        .setup(Setup {
            password: Some("short".into()),
            ..request()
        })
        .await;
    expect_refusal(
        short,
        "invalid",
        "passwords must be between 8 and 72 characters long",
    );
    let name = catalog
        .setup(Setup {
            bucket: "_x".into(),
            ..request()
        })
        .await;
    let text = "bucket name _x is invalid. Buckets may not start with underscore";
    expect_refusal(name, "invalid", text);
    assert!(catalog.state().is_setup_allowed());

    catalog.setup(request()).await.unwrap();
    let again = catalog.setup(Setup::default()).await;
    expect_refusal(again, "conflict", "onboarding has already been completed");
}
