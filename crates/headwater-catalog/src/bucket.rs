//! Buckets: where points are kept, for how long and in partitions of which length
//! (`spec/v2_management.md` §4).

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Catalog, Error, Result,
    change::{Change, Draft},
    dbrp,
};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// Who a bucket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BucketKind {
    User,
    /// `_tasks` and `_monitoring`; can be neither renamed nor deleted.
    System,
}

impl BucketKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub id: Id,
    pub org_id: Id,
    pub kind: BucketKind,
    /// Unique in its organization.
    pub name: String,
    pub description: String,
    /// The retention policy a 1.x client knows it by, if it was created for one.
    pub rp: Option<String>,
    /// Points older than this are dropped; 0: never.
    pub retention_seconds: u64,
    /// Length of a time partition; never 0.
    pub shard_group_seconds: u64,
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Nanoseconds since 1970.
    pub updated_at: i64,
}

/// A retention rule as requested; what is absent takes the default or stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionRule {
    /// 0: keep for ever.
    pub every_seconds: Option<i64>,
    /// 0: choose by the retention.
    pub shard_group_seconds: Option<i64>,
}

/// A bucket to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewBucket {
    /// Required; absent it is the error `organization id must be provided`.
    pub org_id: Option<Id>,
    pub name: String,
    pub description: String,
    pub rp: Option<String>,
    /// At most one.
    pub retention_rules: Vec<RetentionRule>,
}

/// What to change of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketChange {
    pub name: Option<String>,
    pub description: Option<String>,
    /// At most one; empty: as it is.
    pub retention_rules: Vec<RetentionRule>,
}

impl NewBucket {
    /// The rules that need no knowledge of other objects, which are answered before permissions
    /// are checked: organization given, number and sign of the retention rules.
    pub fn validate(&self) -> Result<()> {
        if self.org_id.is_none() {
            return Err(Error::BucketOrganizationMissing);
        }
        validate_rules(&self.retention_rules)
    }
}

impl BucketChange {
    /// As [`NewBucket::validate`].
    pub fn validate(&self) -> Result<()> {
        validate_rules(&self.retention_rules)
    }
}

impl Catalog {
    /// Creates a bucket. Retention and shard group duration follow
    /// `spec/v2_management.md` §4: a missing shard group duration is chosen by the retention, one
    /// below an hour becomes an hour.
    pub async fn create_bucket(&self, new: NewBucket) -> Result<Arc<Bucket>> {
        self.change(|draft| create(draft, &new)).await
    }

    /// Changes a bucket. A new retention keeps the shard group duration.
    pub async fn update_bucket(&self, id: Id, change: BucketChange) -> Result<Arc<Bucket>> {
        self.change(|draft| update(draft, id, &change)).await
    }

    /// Deletes a bucket and its mappings, and returns it: its data is storage's to drop, with
    /// [`Catalog::remove_bucket_storage`].
    pub async fn delete_bucket(&self, id: Id) -> Result<Arc<Bucket>> {
        self.change(|draft| {
            let bucket = Arc::clone(draft.state().require_bucket(id)?);
            if bucket.kind == BucketKind::System {
                return Err(Error::SystemBucketDelete);
            }
            remove(draft, &bucket);
            Ok(bucket)
        })
        .await
    }
}

pub(crate) fn create(draft: &mut Draft<'_>, new: &NewBucket) -> Result<Arc<Bucket>> {
    new.validate()?;
    validate_name(&new.name)?;
    let org_id = new.org_id.ok_or(Error::BucketOrganizationMissing)?;
    draft.state().require_organization(org_id)?;
    if draft.state().bucket_by_name(org_id, &new.name).is_some() {
        return Err(Error::BucketExists(new.name.clone()));
    }
    let rule = new.retention_rules.first().copied().unwrap_or_default();
    let retention_seconds = non_negative(rule.every_seconds);
    let shard_group_seconds =
        shard_group_seconds(non_negative(rule.shard_group_seconds), retention_seconds);
    validate_retention(retention_seconds, shard_group_seconds)?;
    let bucket = Arc::new(Bucket {
        id: draft.new_id(),
        org_id,
        kind: BucketKind::User,
        name: new.name.clone(),
        description: new.description.clone(),
        rp: new.rp.clone().filter(|rp| !rp.is_empty()),
        retention_seconds,
        shard_group_seconds,
        created_at: draft.now,
        updated_at: draft.now,
    });
    draft.push(Change::PutBucket(Arc::clone(&bucket)));
    Ok(bucket)
}

/// The two buckets every organization has.
pub(crate) fn create_system_buckets(draft: &mut Draft<'_>, org_id: Id) {
    let system = [
        ("_tasks", "System bucket for task logs", 3 * DAY),
        ("_monitoring", "System bucket for monitoring logs", 7 * DAY),
    ];
    for (name, description, retention_seconds) in system {
        let bucket = Bucket {
            id: draft.new_id(),
            org_id,
            kind: BucketKind::System,
            name: name.to_owned(),
            description: description.to_owned(),
            rp: None,
            retention_seconds,
            shard_group_seconds: shard_group_seconds(0, retention_seconds),
            created_at: draft.now,
            updated_at: draft.now,
        };
        draft.push(Change::PutBucket(Arc::new(bucket)));
    }
}

/// Removes a bucket of any kind and its mappings.
pub(crate) fn remove(draft: &mut Draft<'_>, bucket: &Bucket) {
    dbrp::remove_of_bucket(draft, bucket.id);
    draft.push(Change::RemoveBucket(bucket.id));
}

pub(crate) fn update(draft: &mut Draft<'_>, id: Id, change: &BucketChange) -> Result<Arc<Bucket>> {
    change.validate()?;
    let mut bucket = Bucket::clone(draft.state().require_bucket(id)?);
    if let Some(name) = change.name.as_ref().filter(|name| **name != bucket.name) {
        if bucket.kind == BucketKind::System {
            return Err(Error::SystemBucketRename);
        }
        validate_name(name)?;
        if draft.state().bucket_by_name(bucket.org_id, name).is_some() {
            return Err(Error::BucketNameTaken);
        }
        bucket.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        bucket.description.clone_from(description);
    }
    if let Some(rule) = change.retention_rules.first() {
        if rule.every_seconds.is_some() {
            bucket.retention_seconds = non_negative(rule.every_seconds);
        }
        if rule.shard_group_seconds.is_some() {
            bucket.shard_group_seconds = shard_group_seconds(
                non_negative(rule.shard_group_seconds),
                bucket.retention_seconds,
            );
        }
        validate_retention(bucket.retention_seconds, bucket.shard_group_seconds)?;
    }
    bucket.updated_at = draft.now;
    let bucket = Arc::new(bucket);
    draft.push(Change::PutBucket(Arc::clone(&bucket)));
    Ok(bucket)
}

fn validate_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::BucketNameEmpty);
    }
    if name.starts_with('_') {
        return Err(Error::BucketNameUnderscore(name.to_owned()));
    }
    if name.contains('"') {
        return Err(Error::BucketNameQuote(name.to_owned()));
    }
    Ok(())
}

fn validate_rules(rules: &[RetentionRule]) -> Result<()> {
    if rules.len() > 1 {
        return Err(Error::RetentionRuleCount);
    }
    for rule in rules {
        if rule.every_seconds.is_some_and(i64::is_negative) {
            return Err(Error::RetentionNegative);
        }
        if rule.shard_group_seconds.is_some_and(i64::is_negative) {
            return Err(Error::ShardGroupNegative);
        }
    }
    Ok(())
}

fn validate_retention(retention_seconds: u64, shard_group_seconds: u64) -> Result<()> {
    if retention_seconds == 0 {
        return Ok(());
    }
    if retention_seconds < HOUR {
        return Err(Error::RetentionTooShort);
    }
    if retention_seconds < shard_group_seconds {
        return Err(Error::ShardGroupTooLong);
    }
    Ok(())
}

/// The shard group duration that is kept for a requested one; 0 asks for the default.
pub(crate) fn shard_group_seconds(requested: u64, retention_seconds: u64) -> u64 {
    match (requested, retention_seconds) {
        (0, 0) => 7 * DAY,
        (0, retention) if retention >= 180 * DAY => 7 * DAY,
        (0, retention) if retention >= 2 * DAY => DAY,
        (0, _) => HOUR,
        (requested, _) => requested.max(HOUR),
    }
}

/// Negative values are refused before.
pub(crate) fn non_negative(seconds: Option<i64>) -> u64 {
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .unwrap_or(0)
}
