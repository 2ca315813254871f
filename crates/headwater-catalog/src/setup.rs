//! The first user, organization, bucket and token (`spec/v2_management.md` §1).

use std::{fmt, sync::Arc};

use crate::{
    Authorization, Bucket, Catalog, Error, NewBucket, NewOrganization, NewUser, Organization,
    Permission, Result, RetentionRule, Status, User, authorization, bucket, change::Draft,
    organization, password, user,
};

/// What set-up is asked for.
#[derive(Clone, Default)]
pub struct Setup {
    /// Required.
    pub username: String,
    /// 8 to 72 bytes; without one the user cannot sign in.
    pub password: Option<String>,
    /// Name of the organization; required.
    pub organization: String,
    /// Name of the bucket; required.
    pub bucket: String,
    /// 0: keep for ever.
    pub retention_seconds: i64,
    /// The operator token's secret; `None`: a random one.
    pub token: Option<String>,
}

/// Never prints the secrets.
impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("username", &self.username)
            .field("organization", &self.organization)
            .field("bucket", &self.bucket)
            .field("retention_seconds", &self.retention_seconds)
            .finish_non_exhaustive()
    }
}

/// What set-up created.
#[derive(Clone)]
pub struct SetupOutcome {
    pub user: Arc<User>,
    pub organization: Arc<Organization>,
    pub bucket: Arc<Bucket>,
    pub authorization: Arc<Authorization>,
    /// The operator token's secret, seen only here.
    pub token: String,
}

impl Catalog {
    /// Creates the first user, an organization, a bucket and an operator token, all or nothing.
    /// Possible as long as there are no users and no organizations.
    pub async fn setup(&self, setup: Setup) -> Result<SetupOutcome> {
        if !self.state().is_setup_allowed() {
            return Err(Error::OnboardingCompleted);
        }
        validate_fields(&setup)?;
        let password_hash = match setup.password.as_deref() {
            None | Some("") => None,
            Some(password) => {
                password::validate_length(password)?;
                Some(self.hash_password(password).await?)
            }
        };
        self.change(|draft| create(draft, setup, password_hash))
            .await
    }
}

fn validate_fields(setup: &Setup) -> Result<()> {
    let fields = [
        ("username", &setup.username),
        ("org", &setup.organization),
        ("bucket", &setup.bucket),
    ];
    let missing: Vec<_> = fields
        .iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::OnboardingFieldsMissing(missing.join(",")))
    }
}

fn create(
    draft: &mut Draft<'_>,
    setup: Setup,
    password_hash: Option<Arc<str>>,
) -> Result<SetupOutcome> {
    // Someone else may have been faster while the password was hashed.
    if !draft.state().is_setup_allowed() {
        return Err(Error::OnboardingCompleted);
    }
    let user = NewUser {
        name: setup.username,
        status: Status::Active,
    };
    let user = user::create(draft, &user, true, password_hash)?;
    let organization = NewOrganization {
        name: setup.organization,
        description: String::new(),
    };
    let organization = organization::create(draft, &organization)?;
    let bucket = NewBucket {
        org_id: Some(organization.id),
        name: setup.bucket,
        retention_rules: vec![RetentionRule {
            every_seconds: Some(setup.retention_seconds),
            shard_group_seconds: None,
        }],
        ..NewBucket::default()
    };
    let bucket = bucket::create(draft, &bucket)?;
    let authorization = Authorization {
        id: draft.new_id(),
        org_id: organization.id,
        user_id: user.id,
        status: Status::Active,
        description: format!("{}'s Token", user.name),
        permissions: Permission::operator(),
        username: None,
        created_at: draft.now,
        updated_at: draft.now,
    };
    let created = authorization::insert(draft, authorization, setup.token)?;
    Ok(SetupOutcome {
        user,
        organization,
        bucket,
        authorization: created.authorization,
        token: created.token,
    })
}
