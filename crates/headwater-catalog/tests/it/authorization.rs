//! API tokens and 1.x credentials as objects.

use headwater_catalog::{
    Action, AuthorizationChange, NewAuthorization, NewLegacyAuthorization, Permission, Profile,
    ResourceType, Status,
};
use headwater_model::Id;

use crate::fixture::{Fixture, expect_refusal};

fn of(org: Id, permissions: Vec<Permission>) -> NewAuthorization {
    NewAuthorization {
        org_id: Some(org),
        permissions,
        ..NewAuthorization::default()
    }
}

#[tokio::test]
async fn a_token_can_only_be_given_what_its_creator_holds() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (org, bucket) = (fixture.org(), fixture.setup.bucket.id);
    let read = Permission::bucket(Action::Read, org, bucket);
    let write = Permission::bucket(Action::Write, org, bucket);
    let authorizations = Permission::new(Action::Write, ResourceType::Authorizations).within(org);
    let user = Permission::new(Action::Write, ResourceType::Users).on(fixture.setup.user.id);
    let create = |caller, permission| {
        fixture
            .catalog
            .create_authorization(caller, of(org, vec![permission]))
    };

    let creator = fixture
        .token(&[authorizations, user, read])
        .await
        .authorization;
    create(&*creator, read).await.unwrap();
    let text = format!("permission {write} is not allowed: {write} is unauthorized");
    expect_refusal(create(&*creator, write).await, "forbidden", &text);
    let wide = Permission::new(Action::Read, ResourceType::Buckets).within(org);
    let text = format!("permission {wide} is not allowed: {wide} is unauthorized");
    expect_refusal(create(&*creator, wide).await, "forbidden", &text);

    let without_user = fixture.token(&[authorizations, read]).await.authorization;
    let text = format!("{user} is unauthorized");
    expect_refusal(create(&*without_user, read).await, "unauthorized", &text);
    let reader = fixture.token(&[read]).await.authorization;
    let text = format!("{authorizations} is unauthorized");
    expect_refusal(create(&*reader, read).await, "unauthorized", &text);
}

#[tokio::test]
async fn a_token_needs_permissions_an_organization_and_an_owner() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (catalog, org) = (&fixture.catalog, fixture.org());
    let read = Permission::new(Action::Read, ResourceType::Buckets);
    let create = |new| catalog.create_authorization(fixture.operator(), new);
    let text = "authorization must include permissions";
    expect_refusal(create(of(org, vec![])).await, "invalid", text);
    let text = "org id required: invalid ID";
    expect_refusal(
        create(NewAuthorization {
            org_id: None,
            ..of(org, vec![read])
        })
        .await,
        "invalid",
        text,
    );
    let other = Id::new(0xabc).unwrap();
    let text = format!("permission read:orgs/{other}/buckets is not for org id {org}");
    expect_refusal(
        create(of(org, vec![read.within(other)])).await,
        "invalid",
        &text,
    );
    let ownerless = NewAuthorization {
        user_id: Some(other),
        ..of(org, vec![read])
    };
    expect_refusal(create(ownerless).await, "invalid", "unable to create token");
    let text = "invalid status: must be active or inactive";
    expect_refusal("nope".parse::<Status>(), "invalid", text);
}

#[tokio::test]
async fn tokens_are_updated_and_deleted() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let read = Permission::new(Action::Read, ResourceType::Buckets);
    let token = fixture.token(&[read]).await;
    let id = token.authorization.id;
    assert!(!format!("{token:?}").contains(&token.token));
    let change = AuthorizationChange {
        status: Some(Status::Inactive),
        description: None,
    };
    let updated = fixture
        .catalog
        .update_authorization(id, change)
        .await
        .unwrap();
    assert!(!updated.is_active());
    expect_refusal(updated.require(read), "unauthorized", "token is inactive");
    fixture.catalog.delete_authorization(id).await.unwrap();
    let text = "authorization not found";
    expect_refusal(
        fixture.catalog.delete_authorization(id).await,
        "not found",
        text,
    );
    let change = AuthorizationChange::default();
    expect_refusal(
        fixture.catalog.update_authorization(id, change).await,
        "not found",
        text,
    );
}

#[tokio::test]
async fn legacy_credentials_have_unique_names_and_known_buckets() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let (catalog, org) = (&fixture.catalog, fixture.org());
    let new = |username: &str, bucket| NewLegacyAuthorization {
        username: username.into(),
        org_id: Some(org),
        permissions: vec![Permission::bucket(Action::Read, org, bucket)],
        ..NewLegacyAuthorization::default()
    };
    let known = fixture.setup.bucket.id;
    let create = |new| catalog.create_legacy_authorization(fixture.operator(), new);
    let text = "token required for v1 user authorization type";
    expect_refusal(create(new("", known)).await, "invalid", text);
    let text = "bucket not found when creating auth";
    expect_refusal(
        create(new("u", Id::new(1).unwrap())).await,
        "not found",
        text,
    );
    let legacy = create(new("u", known)).await.unwrap();
    assert_eq!(legacy.username.as_deref(), Some("u"));
    expect_refusal(
        create(new("u", known)).await,
        "conflict",
        "token already exists",
    );

    let state = catalog.state();
    assert!(state.authorization(legacy.id).is_none());
    assert!(state.legacy_authorization_by_username("u").is_some());
    let text = "passwords must be between 8 and 72 characters long";
    for password in ["1234567", &"x".repeat(73)] {
        expect_refusal(
            catalog.set_legacy_password(legacy.id, password).await,
            "invalid",
            text,
        );
    }
    catalog
        .set_legacy_password(legacy.id, &"x".repeat(72))
        .await
        .unwrap();
    catalog
        .delete_legacy_authorization(legacy.id)
        .await
        .unwrap();
    let text = "authorization not found";
    expect_refusal(
        catalog.set_legacy_password(legacy.id, "12345678").await,
        "not found",
        text,
    );
    expect_refusal(
        catalog.state().require_legacy_authorization(legacy.id),
        "not found",
        text,
    );
}
