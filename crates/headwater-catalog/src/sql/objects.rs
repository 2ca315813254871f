//! The tables of everything that is held in memory: one load at the start, then one transaction a
//! change.

use std::sync::Arc;

use sqlx::{SqliteConnection, SqlitePool};

use super::{from_sql, id, to_sql};
use crate::{
    Authorization, Bucket, BucketKind, DbrpMapping, Error, Organization, Result, User,
    change::Change,
    legacy::LegacyRecord,
    token::{TokenHash, TokenRecord},
    user::UserRecord,
};

type OrganizationRow = (String, String, String, i64, i64);
type UserRow = (String, String, String, bool, Option<String>, i64, i64);
type AuthorizationRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    i64,
);
type BucketRow = (
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    i64,
    i64,
    i64,
);
type MappingRow = (String, String, String, String, String, bool);

/// All rows, as changes to an empty state.
pub(crate) async fn load(pool: &SqlitePool) -> Result<Vec<Change>> {
    let organizations: Vec<OrganizationRow> =
        sqlx::query_as("SELECT id, name, description, created_at, updated_at FROM organizations")
            .fetch_all(pool)
            .await?;
    let users: Vec<UserRow> = sqlx::query_as(
        "SELECT id, name, status, operator, password_hash, created_at, updated_at FROM users",
    )
    .fetch_all(pool)
    .await?;
    let authorizations: Vec<AuthorizationRow> = sqlx::query_as(
        "SELECT id, org_id, user_id, status, description, permissions, token_hash, username, \
         password_hash, created_at, updated_at FROM authorizations",
    )
    .fetch_all(pool)
    .await?;
    let buckets: Vec<BucketRow> = sqlx::query_as(
        "SELECT id, org_id, kind, name, description, retention_policy, retention_seconds, \
         shard_group_seconds, created_at, updated_at FROM buckets",
    )
    .fetch_all(pool)
    .await?;
    let mappings: Vec<MappingRow> = sqlx::query_as(
        "SELECT id, org_id, bucket_id, database_name, retention_policy, is_default FROM mappings",
    )
    .fetch_all(pool)
    .await?;
    let organizations = organizations.into_iter().map(organization);
    let users = users.into_iter().map(user);
    let authorizations = authorizations.into_iter().map(authorization);
    let buckets = buckets.into_iter().map(bucket);
    let mappings = mappings.into_iter().map(mapping);
    organizations
        .chain(users)
        .chain(authorizations)
        .chain(buckets)
        .chain(mappings)
        .collect()
}

/// Writes all steps in one transaction, in their order.
pub(crate) async fn write(pool: &SqlitePool, changes: &[Change]) -> Result<()> {
    let mut transaction = pool.begin().await?;
    for change in changes {
        write_one(&mut transaction, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn write_one(connection: &mut SqliteConnection, change: &Change) -> Result<()> {
    let removal = match change {
        Change::PutOrganization(organization) => {
            return put_organization(connection, organization).await;
        }
        Change::PutUser(record) => return put_user(connection, record).await,
        Change::PutToken(record) => {
            let hash = record.hash.to_hex();
            return put_authorization(connection, &record.authorization, Some(hash), None).await;
        }
        Change::PutLegacy(record) => {
            let password = record.password_hash.as_deref();
            return put_authorization(connection, &record.authorization, None, password).await;
        }
        Change::PutBucket(bucket) => return put_bucket(connection, bucket).await,
        Change::PutMapping(mapping) => return put_mapping(connection, mapping).await,
        Change::RemoveOrganization(id) => ("DELETE FROM organizations WHERE id = $1", id),
        Change::RemoveUser(id) => ("DELETE FROM users WHERE id = $1", id),
        Change::RemoveToken(id) | Change::RemoveLegacy(id) => {
            ("DELETE FROM authorizations WHERE id = $1", id)
        }
        Change::RemoveBucket(id) => ("DELETE FROM buckets WHERE id = $1", id),
        Change::RemoveMapping(id) => ("DELETE FROM mappings WHERE id = $1", id),
    };
    let (statement, id) = removal;
    sqlx::query(statement)
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn put_organization(
    connection: &mut SqliteConnection,
    organization: &Organization,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO organizations (id, name, description, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         description = excluded.description, updated_at = excluded.updated_at",
    )
    .bind(organization.id.to_string())
    .bind(&organization.name)
    .bind(&organization.description)
    .bind(organization.created_at)
    .bind(organization.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_user(connection: &mut SqliteConnection, record: &UserRecord) -> Result<()> {
    let user = &record.user;
    sqlx::query(
        "INSERT INTO users (id, name, status, operator, password_hash, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
         name = excluded.name, status = excluded.status, operator = excluded.operator, \
         password_hash = excluded.password_hash, updated_at = excluded.updated_at",
    )
    .bind(user.id.to_string())
    .bind(&user.name)
    .bind(user.status.name())
    .bind(user.is_operator)
    .bind(record.password_hash.as_deref())
    .bind(user.created_at)
    .bind(user.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_authorization(
    connection: &mut SqliteConnection,
    authorization: &Authorization,
    token_hash: Option<String>,
    password_hash: Option<&str>,
) -> Result<()> {
    let permissions: Vec<_> = authorization
        .permissions
        .iter()
        .map(ToString::to_string)
        .collect();
    sqlx::query(
        "INSERT INTO authorizations (id, org_id, user_id, status, description, permissions, \
         token_hash, username, password_hash, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET \
         status = excluded.status, description = excluded.description, \
         password_hash = excluded.password_hash, updated_at = excluded.updated_at",
    )
    .bind(authorization.id.to_string())
    .bind(authorization.org_id.to_string())
    .bind(authorization.user_id.to_string())
    .bind(authorization.status.name())
    .bind(&authorization.description)
    .bind(permissions.join("\n"))
    .bind(token_hash)
    .bind(authorization.username.as_deref())
    .bind(password_hash)
    .bind(authorization.created_at)
    .bind(authorization.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_bucket(connection: &mut SqliteConnection, bucket: &Bucket) -> Result<()> {
    sqlx::query(
        "INSERT INTO buckets (id, org_id, kind, name, description, retention_policy, \
         retention_seconds, shard_group_seconds, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET \
         name = excluded.name, description = excluded.description, \
         retention_policy = excluded.retention_policy, \
         retention_seconds = excluded.retention_seconds, \
         shard_group_seconds = excluded.shard_group_seconds, updated_at = excluded.updated_at",
    )
    .bind(bucket.id.to_string())
    .bind(bucket.org_id.to_string())
    .bind(bucket.kind.name())
    .bind(&bucket.name)
    .bind(&bucket.description)
    .bind(bucket.rp.as_deref())
    .bind(to_sql(bucket.retention_seconds))
    .bind(to_sql(bucket.shard_group_seconds))
    .bind(bucket.created_at)
    .bind(bucket.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_mapping(connection: &mut SqliteConnection, mapping: &DbrpMapping) -> Result<()> {
    sqlx::query(
        "INSERT INTO mappings (id, org_id, bucket_id, database_name, retention_policy, \
         is_default) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
         bucket_id = excluded.bucket_id, retention_policy = excluded.retention_policy, \
         is_default = excluded.is_default",
    )
    .bind(mapping.id.to_string())
    .bind(mapping.org_id.to_string())
    .bind(mapping.bucket_id.to_string())
    .bind(&mapping.database)
    .bind(&mapping.retention_policy)
    .bind(mapping.is_default)
    .execute(connection)
    .await?;
    Ok(())
}

fn organization(row: OrganizationRow) -> Result<Change> {
    let (key, name, description, created_at, updated_at) = row;
    let id = id("organizations", &key)?;
    let organization = Organization {
        id,
        name,
        description,
        created_at,
        updated_at,
    };
    Ok(Change::PutOrganization(Arc::new(organization)))
}

fn user(row: UserRow) -> Result<Change> {
    let (key, name, status, is_operator, password_hash, created_at, updated_at) = row;
    let user = User {
        id: id("users", &key)?,
        name,
        status: status
            .parse()
            .map_err(|error| corrupt("users", &key, &error))?,
        is_operator,
        created_at,
        updated_at,
    };
    Ok(Change::PutUser(UserRecord {
        user: Arc::new(user),
        password_hash: password_hash.map(Into::into),
    }))
}

fn authorization(row: AuthorizationRow) -> Result<Change> {
    const TABLE: &str = "authorizations";
    let (key, org_id, user_id, status, description, permissions, ..) = row;
    let (token_hash, username, password_hash, created_at, updated_at) =
        (row.6, row.7, row.8, row.9, row.10);
    let permissions = permissions
        .lines()
        .map(str::parse)
        .collect::<Result<_>>()
        .map_err(|error| corrupt(TABLE, &key, &error))?;
    let authorization = Arc::new(Authorization {
        id: id(TABLE, &key)?,
        org_id: id(TABLE, &org_id)?,
        user_id: id(TABLE, &user_id)?,
        status: status
            .parse()
            .map_err(|error| corrupt(TABLE, &key, &error))?,
        description,
        permissions,
        username,
        created_at,
        updated_at,
    });
    let Some(hash) = token_hash else {
        let password_hash = password_hash.map(Into::into);
        return Ok(Change::PutLegacy(LegacyRecord {
            authorization,
            password_hash,
        }));
    };
    let hash = TokenHash::from_hex(&hash).ok_or_else(|| corrupt(TABLE, &key, &"token hash"))?;
    Ok(Change::PutToken(TokenRecord {
        authorization,
        hash,
    }))
}

fn bucket(row: BucketRow) -> Result<Change> {
    const TABLE: &str = "buckets";
    let (key, org_id, kind, name, description, rp, retention, shard_group, ..) = row;
    let kind = [BucketKind::User, BucketKind::System]
        .into_iter()
        .find(|known| known.name() == kind)
        .ok_or_else(|| corrupt(TABLE, &key, &format!("kind {kind:?}")))?;
    Ok(Change::PutBucket(Arc::new(Bucket {
        id: id(TABLE, &key)?,
        org_id: id(TABLE, &org_id)?,
        kind,
        name,
        description,
        rp,
        retention_seconds: from_sql(TABLE, &key, retention)?,
        shard_group_seconds: from_sql(TABLE, &key, shard_group)?,
        created_at: row.8,
        updated_at: row.9,
    })))
}

fn mapping(row: MappingRow) -> Result<Change> {
    const TABLE: &str = "mappings";
    let (key, org_id, bucket_id, database, retention_policy, is_default) = row;
    Ok(Change::PutMapping(Arc::new(DbrpMapping {
        id: id(TABLE, &key)?,
        org_id: id(TABLE, &org_id)?,
        bucket_id: id(TABLE, &bucket_id)?,
        database,
        retention_policy,
        is_default,
        is_virtual: false,
    })))
}

fn corrupt(table: &'static str, row: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::Corrupt {
        table,
        row: row.to_owned(),
        reason: reason.to_string(),
    }
}
