//! Organizations and users.

use headwater_catalog::{
    NewOrganization, NewUser, OrganizationChange, Permission, Profile, Status, UserChange,
};
use headwater_model::Id;

use crate::fixture::{Fixture, expect_refusal, new_bucket, new_mapping};

fn named(name: &str) -> NewOrganization {
    NewOrganization {
        name: name.into(),
        ..NewOrganization::default()
    }
}

fn unknown() -> Id {
    Id::new(1).unwrap()
}

#[tokio::test]
async fn organization_names_are_unique_and_not_blank() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let other = catalog.create_organization(named(" other ")).await.unwrap();
    assert_eq!(other.name, "other");
    for blank in ["", "  "] {
        expect_refusal(
            catalog.create_organization(named(blank)).await,
            "invalid",
            "org name is empty",
        );
    }
    let text = "organization with name com.some already exists";
    expect_refusal(
        catalog.create_organization(named("com.some")).await,
        "conflict",
        text,
    );
    let rename = OrganizationChange {
        name: Some("com.some".into()),
        description: None,
    };
    expect_refusal(
        catalog.update_organization(other.id, rename).await,
        "conflict",
        text,
    );
    let same = OrganizationChange {
        name: Some("other".into()),
        description: Some("d".into()),
    };
    let updated = catalog.update_organization(other.id, same).await.unwrap();
    assert_eq!(updated.description, "d");
    let missing = catalog
        .update_organization(unknown(), OrganizationChange::default())
        .await;
    expect_refusal(missing, "not found", "organization not found");
    let state = catalog.state();
    expect_refusal(
        state.require_organization_by_name("nope"),
        "not found",
        "organization name \"nope\" not found",
    );
}

#[tokio::test]
async fn deleting_an_organization_takes_buckets_tokens_and_mappings_with_it() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let organization = catalog.create_organization(named("gone")).await.unwrap();
    let bucket = catalog
        .create_bucket(new_bucket(organization.id, "b"))
        .await
        .unwrap();
    for policy in ["x", "y"] {
        catalog
            .create_mapping(new_mapping(&bucket, "db", policy, true))
            .await
            .unwrap();
    }
    let new = headwater_catalog::NewAuthorization {
        org_id: Some(organization.id),
        permissions: Permission::all_access(organization.id),
        ..Default::default()
    };
    let token = catalog
        .create_authorization(fixture.operator(), new)
        .await
        .unwrap();

    let buckets = catalog.delete_organization(organization.id).await.unwrap();
    assert_eq!(buckets.len(), 3);
    let state = catalog.state();
    assert!(state.organization(organization.id).is_none());
    assert!(state.bucket(bucket.id).is_none());
    assert!(state.mappings(organization.id).is_empty());
    assert!(catalog.identify_token(&token.token).is_none());
    let text = format!(
        "error deleting organization id: {}: organization not found",
        organization.id
    );
    expect_refusal(
        catalog.delete_organization(organization.id).await,
        "not found",
        &text,
    );
    assert!(state.bucket(fixture.setup.bucket.id).is_some());
}

#[tokio::test]
async fn user_names_are_required_and_unique() {
    let fixture = Fixture::new(Profile::Cloud).await;
    let catalog = &fixture.catalog;
    let new = |name: &str| NewUser {
        name: name.into(),
        ..NewUser::default()
    };
    expect_refusal(
        catalog.create_user(new("")).await,
        "empty value",
        "key required",
    );
    let text = "user with name dev already exists";
    expect_refusal(catalog.create_user(new("dev")).await, "conflict", text);
    let user = catalog.create_user(new("second")).await.unwrap();
    let change = UserChange {
        name: Some("dev".into()),
        status: None,
    };
    expect_refusal(catalog.update_user(user.id, change).await, "conflict", text);
    let change = UserChange {
        name: Some("third".into()),
        status: Some(Status::Inactive),
    };
    let user = catalog.update_user(user.id, change).await.unwrap();
    assert_eq!(
        (user.name.as_str(), user.status),
        ("third", Status::Inactive)
    );
    assert!(catalog.state().user_by_name("second").is_none());
    catalog.delete_user(user.id).await.unwrap();
    expect_refusal(
        catalog.delete_user(user.id).await,
        "not found",
        "user not found",
    );
}
