//! What can go wrong: each error's text is the message the client sees, its [`ErrorKind`] the
//! platform's code (`spec/auth.md` §0). No text ever contains a secret.

use headwater_model::Id;

use crate::Permission;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller should do about an error: the platform's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is malformed or breaks a rule.
    Invalid,
    /// A name that is required is missing.
    EmptyValue,
    /// The request is well formed but cannot be carried out.
    UnprocessableEntity,
    /// Something of that name exists already.
    Conflict,
    /// Nothing of that id or name exists, or the caller may not know of it.
    NotFound,
    /// The caller is known and may not do this.
    Forbidden,
    /// The caller is not known, or lacks a permission on the management surface.
    Unauthorized,
    /// The catalog itself failed.
    Internal,
}

impl ErrorKind {
    /// The code in error bodies and in `X-Platform-Error-Code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::EmptyValue => "empty value",
            Self::UnprocessableEntity => "unprocessable entity",
            Self::Conflict => "conflict",
            Self::NotFound => "not found",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::Internal => "internal error",
        }
    }
}

/// Every error of the catalog.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // Set-up (`spec/v2_management.md` §1).
    #[error("onboarding has already been completed")]
    OnboardingCompleted,
    /// Carries the missing fields, joined by commas.
    #[error("onboarding failed: missing required fields [{0}]")]
    OnboardingFieldsMissing(String),
    #[error("passwords must be between 8 and 72 characters long")]
    PasswordLength,

    // Organizations (§3).
    #[error("org name is empty")]
    OrganizationNameEmpty,
    #[error("organization with name {0} already exists")]
    OrganizationExists(String),
    #[error("organization not found")]
    OrganizationNotFound,
    #[error("organization name \"{0}\" not found")]
    OrganizationNameNotFound(String),
    #[error("error deleting organization id: {0}: organization not found")]
    OrganizationDelete(Id),

    // Users (§7).
    #[error("key required")]
    UserNameEmpty,
    #[error("user with name {0} already exists")]
    UserExists(String),
    #[error("user not found")]
    UserNotFound,

    // Buckets (§4).
    #[error("organization id must be provided")]
    BucketOrganizationMissing,
    #[error("buckets cannot have more than one retention rule at this time")]
    RetentionRuleCount,
    #[error("expiration seconds cannot be negative")]
    RetentionNegative,
    #[error("shard-group duration seconds cannot be negative")]
    ShardGroupNegative,
    #[error("retention policy duration must be at least 1h0m0s")]
    RetentionTooShort,
    #[error("retention policy duration must be greater than the shard duration")]
    ShardGroupTooLong,
    #[error("bucket name is empty")]
    BucketNameEmpty,
    #[error("bucket name {0} is invalid. Buckets may not start with underscore")]
    BucketNameUnderscore(String),
    #[error("bucket name {0} is invalid. Bucket names may not include quotation marks")]
    BucketNameQuote(String),
    #[error("bucket with name {0} already exists")]
    BucketExists(String),
    #[error("bucket name is not unique")]
    BucketNameTaken,
    #[error("bucket not found")]
    BucketNotFound,
    #[error("bucket \"{0}\" not found")]
    BucketNameNotFound(String),
    #[error("system buckets cannot be renamed")]
    SystemBucketRename,
    #[error("system buckets cannot be deleted")]
    SystemBucketDelete,

    // Authorizations (§5, §6).
    #[error("authorization must include permissions")]
    PermissionsMissing,
    #[error("org id required: invalid ID")]
    AuthorizationOrganizationMissing,
    #[error("invalid resource type for permission: unknown resource type for permission")]
    ResourceTypeUnknown,
    #[error("invalid action type for permission: unknown action for permission")]
    ActionUnknown,
    #[error("invalid status: must be active or inactive")]
    StatusUnknown,
    #[error("permission {0} is not allowed: {0} is unauthorized")]
    PermissionNotHeld(Permission),
    #[error("permission {permission} is not for org id {organization}")]
    PermissionOfOtherOrganization {
        permission: Permission,
        organization: Id,
    },
    #[error("unable to create token")]
    TokenOwnerUnknown,
    #[error("token already exists")]
    TokenExists,
    #[error("authorization not found")]
    AuthorizationNotFound,
    #[error("token required for v1 user authorization type")]
    UsernameMissing,
    #[error("bucket not found when creating auth")]
    AuthorizationBucketNotFound,

    // Permission checks (`spec/auth.md` §4, §5).
    #[error("{0} is unauthorized")]
    PermissionDenied(Permission),
    #[error("token is inactive")]
    TokenInactive,
    #[error("insufficient permissions for write")]
    WriteForbidden,
    #[error("insufficient permissions for write: token is inactive")]
    WriteForbiddenTokenInactive,
    #[error("insufficient permissions to delete")]
    DeleteForbidden,

    // Credentials (`spec/auth.md` §3, §4).
    /// `/query` and `/write`: the credentials are well formed and were refused.
    #[error("Unauthorized")]
    CredentialsRejected,
    /// `/api/v2`: no such token, password or session.
    #[error("unauthorized access")]
    UnauthorizedAccess,
    #[error("User is inactive")]
    UserInactive,

    // Mappings (`spec/dbrp.md` §3, `spec/write.md` §3).
    #[error(
        "DBRP provided is invalid: database must contain at least one character and only be \
         letters, numbers, '_', '-', and '.'"
    )]
    DatabaseName,
    #[error(
        "DBRP provided is invalid: retentionPolicy must contain at least one character and only \
         be letters, numbers, '_', '-', and '.'"
    )]
    RetentionPolicyName,
    #[error("another DBRP mapping with same orgID, db, and rp exists")]
    MappingExists,
    #[error("unable to find DBRP")]
    MappingNotFound,
    #[error("virtual DBRP mappings cannot be updated")]
    VirtualMappingUpdate,
    #[error("virtual DBRP mappings cannot be deleted")]
    VirtualMappingDelete,
    #[error("either 'org' or 'orgID' must be provided")]
    MappingOrganizationMissing,
    #[error("invalid org \"{0}\": organization not found")]
    MappingOrganizationNotFound(String),
    #[error("no dbrp mapping found")]
    NoMapping,

    // Databases and retention policies ([`Profile::V1`](crate::Profile)).
    #[error("invalid name")]
    InvalidName,
    #[error("database not found: {0}")]
    DatabaseNotFound(String),
    #[error("retention policy not found: {0}")]
    RetentionPolicyNotFound(String),
    #[error("retention policy already exists")]
    RetentionPolicyExists,
    #[error("retention policy conflicts with an existing policy")]
    RetentionPolicyConflict,
    #[error("insufficient permissions")]
    InsufficientPermissions,

    // The catalog itself.
    #[error("catalog: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("catalog: cannot bring the schema up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A newer program has changed the SQL schema.
    #[error(
        "catalog: it has version {found} of the schema, which this program does not know: it was \
         written by a newer program"
    )]
    Newer { found: i64 },
    /// A stored row does not hold what the catalog wrote.
    #[error("catalog: {table} row {row}: {reason}")]
    Corrupt {
        table: &'static str,
        row: String,
        reason: String,
    },
    #[error("catalog: cannot hash the password: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
    #[error("catalog: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// What the caller should do about it: the platform's code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OnboardingFieldsMissing(_)
            | Self::RetentionRuleCount
            | Self::RetentionNegative
            | Self::ShardGroupNegative => ErrorKind::UnprocessableEntity,

            Self::OnboardingCompleted
            | Self::OrganizationExists(_)
            | Self::UserExists(_)
            | Self::BucketExists(_)
            | Self::BucketNameTaken
            | Self::TokenExists
            | Self::MappingExists
            | Self::RetentionPolicyExists
            | Self::RetentionPolicyConflict => ErrorKind::Conflict,

            Self::OrganizationNotFound
            | Self::OrganizationNameNotFound(_)
            | Self::OrganizationDelete(_)
            | Self::UserNotFound
            | Self::BucketNotFound
            | Self::BucketNameNotFound(_)
            | Self::AuthorizationNotFound
            | Self::AuthorizationBucketNotFound
            | Self::MappingNotFound
            | Self::MappingOrganizationNotFound(_)
            | Self::DatabaseNotFound(_)
            | Self::RetentionPolicyNotFound(_)
            | Self::NoMapping => ErrorKind::NotFound,

            Self::UserNameEmpty => ErrorKind::EmptyValue,

            Self::PermissionNotHeld(_)
            | Self::WriteForbidden
            | Self::WriteForbiddenTokenInactive
            | Self::DeleteForbidden
            | Self::InsufficientPermissions
            | Self::UserInactive => ErrorKind::Forbidden,

            Self::PermissionDenied(_)
            | Self::TokenInactive
            | Self::CredentialsRejected
            | Self::UnauthorizedAccess => ErrorKind::Unauthorized,

            Self::PasswordLength
            | Self::OrganizationNameEmpty
            | Self::BucketOrganizationMissing
            | Self::RetentionTooShort
            | Self::ShardGroupTooLong
            | Self::BucketNameEmpty
            | Self::BucketNameUnderscore(_)
            | Self::BucketNameQuote(_)
            | Self::SystemBucketRename
            | Self::SystemBucketDelete
            | Self::PermissionsMissing
            | Self::AuthorizationOrganizationMissing
            | Self::ResourceTypeUnknown
            | Self::ActionUnknown
            | Self::StatusUnknown
            | Self::PermissionOfOtherOrganization { .. }
            | Self::TokenOwnerUnknown
            | Self::UsernameMissing
            | Self::InvalidName
            | Self::DatabaseName
            | Self::RetentionPolicyName
            | Self::VirtualMappingUpdate
            | Self::VirtualMappingDelete
            | Self::MappingOrganizationMissing => ErrorKind::Invalid,

            Self::Sql(_)
            | Self::Migration(_)
            | Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::Bcrypt(_)
            | Self::Task(_) => ErrorKind::Internal,
        }
    }
}
