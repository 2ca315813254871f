//! Verification of credentials on both surfaces.

use std::{sync::Arc, time::Duration};

use headwater_catalog::{
    Action, Authorization, AuthorizationChange, NewAuthorization, NewLegacyAuthorization, NewUser,
    Permission, Profile, ResourceType, Status, UserChange,
};

use crate::fixture::{Fixture, TOKEN, expect_refusal};

const REJECTED: &str = "Unauthorized";
const NO_ACCESS: &str = "unauthorized access";

async fn legacy(fixture: &Fixture, username: &str, password: Option<&str>) -> Arc<Authorization> {
    let new = NewLegacyAuthorization {
        username: username.into(),
        org_id: Some(fixture.org()),
        permissions: vec![Permission::new(Action::Read, ResourceType::Buckets)],
        ..NewLegacyAuthorization::default()
    };
    let catalog = &fixture.catalog;
    let created = catalog
        .create_legacy_authorization(fixture.operator(), new)
        .await
        .unwrap();
    if let Some(password) = password {
        catalog
            .set_legacy_password(created.id, password)
            .await
            .unwrap();
    }
    created
}

#[tokio::test]
async fn tokens_are_compared_exactly() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    assert_eq!(
        catalog.authenticate_token_v1(TOKEN).unwrap().id,
        fixture.operator().id
    );
    assert_eq!(
        catalog.authenticate_token_v2(TOKEN).unwrap().id,
        fixture.operator().id
    );
    for token in [
        &TOKEN.to_uppercase(),
        &TOKEN[1..],
        "",
        "nope",
        "dev",
        "12345678",
    ] {
        expect_refusal(
            catalog.authenticate_token_v1(token),
            "unauthorized",
            REJECTED,
        );
        expect_refusal(
            catalog.authenticate_token_v2(token),
            "unauthorized",
            NO_ACCESS,
        );
    }
}

#[tokio::test]
async fn an_inactive_token_is_refused_by_v1_and_passes_v2_without_rights() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let bucket = &fixture.setup.bucket;
    let token = fixture.token(&Permission::all_access(fixture.org())).await;
    let change = AuthorizationChange {
        status: Some(Status::Inactive),
        description: None,
    };
    fixture
        .catalog
        .update_authorization(token.authorization.id, change)
        .await
        .unwrap();
    let v1 = fixture.catalog.authenticate_token_v1(&token.token);
    expect_refusal(v1, "unauthorized", REJECTED);
    let password = fixture
        .catalog
        .authenticate_password("x", &token.token)
        .await;
    expect_refusal(password, "unauthorized", REJECTED);
    let inactive = fixture.catalog.authenticate_token_v2(&token.token).unwrap();
    assert!(!inactive.can(Action::Read, bucket.id, bucket.org_id));
    let text = "insufficient permissions for write: token is inactive";
    expect_refusal(inactive.require_write(bucket), "forbidden", text);
    let text = "insufficient permissions to delete";
    expect_refusal(inactive.require_delete(bucket), "forbidden", text);
}

#[tokio::test]
async fn a_token_of_an_inactive_or_deleted_owner_is_refused() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let owner = catalog
        .create_user(NewUser {
            name: "own".into(),
            ..NewUser::default()
        })
        .await
        .unwrap();
    let new = NewAuthorization {
        org_id: Some(fixture.org()),
        user_id: Some(owner.id),
        permissions: Permission::all_access(fixture.org()),
        ..NewAuthorization::default()
    };
    let token = catalog
        .create_authorization(fixture.operator(), new)
        .await
        .unwrap()
        .token;
    assert!(catalog.authenticate_token_v1(&token).is_ok());
    let change = UserChange {
        name: None,
        status: Some(Status::Inactive),
    };
    catalog.update_user(owner.id, change).await.unwrap();
    for _ in ["inactive", "deleted"] {
        expect_refusal(
            catalog.authenticate_token_v1(&token),
            "unauthorized",
            REJECTED,
        );
        expect_refusal(
            catalog.authenticate_token_v2(&token),
            "forbidden",
            "User is inactive",
        );
        if catalog.state().user(owner.id).is_some() {
            catalog.delete_user(owner.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn any_username_goes_with_a_token_except_a_legacy_one_with_a_password() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let v1user = legacy(&fixture, "v1user", Some("v1password")).await;
    legacy(&fixture, "nopass", None).await;
    let operator = fixture.operator().id;
    let cases = [
        ("anyone@example.com", TOKEN, Some(operator)),
        ("", TOKEN, Some(operator)),
        ("dev", TOKEN, Some(operator)),
        ("nopass", TOKEN, Some(operator)),
        ("v1user", "v1password", Some(v1user.id)),
        ("v1user", TOKEN, None),
        ("v1user", "wrong1234", None),
        ("v1user", "short", None),
        ("v1user", "", None),
        ("V1USER", "v1password", None),
        ("nopass", "", None),
        ("nopass", "v1password", None),
        ("dev", "12345678", None),
        ("", "", None),
    ];
    // Twice: the second time from the memory of successful checks.
    for (username, secret, expected) in cases.into_iter().chain(cases) {
        match (
            fixture
                .catalog
                .authenticate_password(username, secret)
                .await,
            expected,
        ) {
            (Ok(authorization), Some(id)) => assert_eq!(authorization.id, id),
            (refused, None) => expect_refusal(refused, "unauthorized", REJECTED),
            (Err(error), Some(_)) => panic!("{username}: {error}"),
        }
    }
    expect_refusal(
        fixture.catalog.authenticate_token_v1("v1user"),
        "unauthorized",
        REJECTED,
    );
    expect_refusal(
        fixture.catalog.authenticate_token_v1("v1password"),
        "unauthorized",
        REJECTED,
    );
}

#[tokio::test]
async fn a_changed_password_and_an_inactive_credential_are_refused_at_once() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let user = legacy(&fixture, "ü ser+&=", Some("pä ss+&=%")).await;
    assert!(
        catalog
            .authenticate_password("ü ser+&=", "pä ss+&=%")
            .await
            .is_ok()
    );
    catalog
        .set_legacy_password(user.id, "another one")
        .await
        .unwrap();
    let old = catalog.authenticate_password("ü ser+&=", "pä ss+&=%").await;
    expect_refusal(old, "unauthorized", REJECTED);
    assert!(
        catalog
            .authenticate_password("ü ser+&=", "another one")
            .await
            .is_ok()
    );
    let change = AuthorizationChange {
        status: Some(Status::Inactive),
        description: None,
    };
    catalog
        .update_legacy_authorization(user.id, change)
        .await
        .unwrap();
    let inactive = catalog
        .authenticate_password("ü ser+&=", "another one")
        .await;
    expect_refusal(inactive, "unauthorized", REJECTED);
}

#[tokio::test]
async fn users_sign_in_with_their_own_password_only() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    legacy(&fixture, "dev", Some("legacypw1")).await;
    let session = catalog.sign_in("dev", "12345678").await.unwrap();
    assert!(!format!("{session:?}").contains(&session.key));
    for (name, password) in [("dev", "legacypw1"), ("nobody", "12345678"), ("dev", "")] {
        let refused = catalog.sign_in(name, password).await;
        expect_refusal(refused, "unauthorized", NO_ACCESS);
    }
    let authorization = catalog.authenticate_session(&session.key).unwrap();
    assert_eq!(authorization.user_id, fixture.setup.user.id);
    assert_eq!(authorization.org_id, fixture.org());
    assert!(authorization.allows(&Permission::new(Action::Write, ResourceType::Orgs)));

    catalog
        .set_user_password(fixture.setup.user.id, "second-pass")
        .await
        .unwrap();
    expect_refusal(
        catalog.authenticate_session(&session.key),
        "unauthorized",
        NO_ACCESS,
    );
    expect_refusal(
        catalog.sign_in("dev", "12345678").await,
        "unauthorized",
        NO_ACCESS,
    );
    assert!(catalog.sign_in("dev", "second-pass").await.is_ok());
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_when_signed_out() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let session = catalog.sign_in("dev", "12345678").await.unwrap();
    for _ in 0..3 {
        fixture.clock.advance(Duration::from_secs(59 * 60));
        assert!(catalog.authenticate_session(&session.key).is_ok());
    }
    fixture.clock.advance(Duration::from_secs(60 * 60));
    expect_refusal(
        catalog.authenticate_session(&session.key),
        "unauthorized",
        NO_ACCESS,
    );

    let session = catalog.sign_in("dev", "12345678").await.unwrap();
    catalog.sign_out(&session.key).unwrap();
    expect_refusal(
        catalog.authenticate_session(&session.key),
        "unauthorized",
        NO_ACCESS,
    );
    expect_refusal(catalog.sign_out(&session.key), "unauthorized", NO_ACCESS);
}

#[tokio::test]
async fn a_user_other_than_the_operator_has_a_session_for_the_own_record() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let user = catalog
        .create_user(NewUser {
            name: "mp".into(),
            ..NewUser::default()
        })
        .await
        .unwrap();
    expect_refusal(
        catalog.sign_in("mp", "12345678").await,
        "unauthorized",
        NO_ACCESS,
    );
    catalog
        .set_user_password(user.id, "first-pass")
        .await
        .unwrap();
    let session = catalog.sign_in("mp", "first-pass").await.unwrap();
    let authorization = catalog.authenticate_session(&session.key).unwrap();
    let users = Permission::new(Action::Write, ResourceType::Users);
    assert!(authorization.allows(&users.on(user.id)));
    assert!(!authorization.allows(&users.on(fixture.setup.user.id)));
    assert!(!authorization.can(Action::Read, fixture.setup.bucket.id, fixture.org()));
    let change = UserChange {
        name: None,
        status: Some(Status::Inactive),
    };
    catalog.update_user(user.id, change).await.unwrap();
    expect_refusal(
        catalog.authenticate_session(&session.key),
        "forbidden",
        "User is inactive",
    );
    expect_refusal(
        catalog.sign_in("mp", "first-pass").await,
        "unauthorized",
        NO_ACCESS,
    );
}
