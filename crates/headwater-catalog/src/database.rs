//! Databases and retention policies as 1.x clients manage them: CREATE, ALTER and DROP statements
//! in [`Profile::V1`](crate::Profile), each one transaction on buckets and mappings.
//!
//! A retention policy is a mapping with its bucket, named `db/rp`; a database is the mappings that
//! name it. The texts of errors are 1.x's.

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Action, Authorization, Bucket, BucketChange, BucketKind, Catalog, DbrpMapping, Error,
    MappingChange, NewBucket, NewMapping, Permission, ResourceType, Result, RetentionRule, State,
    bucket, change::Draft, dbrp,
};

/// A retention policy as a statement gives it; what is absent takes the default, or stays as it is
/// where the policy exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyOptions {
    /// `None`: `autogen`.
    pub name: Option<String>,
    pub rule: RetentionRule,
    pub is_default: bool,
}

impl PolicyOptions {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(dbrp::AUTOGEN)
    }
}

impl Catalog {
    /// CREATE DATABASE. A database that exists stays as it is; a `policy` that is not its default
    /// one is `retention policy conflicts with an existing policy`.
    pub async fn create_database(
        &self,
        authorization: &Authorization,
        database: &str,
        policy: Option<PolicyOptions>,
    ) -> Result<()> {
        self.change(|draft| {
            let place = Place::new(authorization, database)?;
            let mappings = place.mappings(draft.state());
            let Some(policy) = policy else {
                if mappings.is_empty() {
                    place.create_policy(draft, &PolicyOptions::default())?;
                }
                return Ok(());
            };
            if mappings.is_empty() {
                return place.create_policy(draft, &policy).map(drop);
            }
            // Only the default policy can be asked for so, and only as it is.
            let mapping = mappings
                .iter()
                .find(|it| it.is_default && it.retention_policy == policy.name())
                .ok_or(Error::RetentionPolicyConflict)?;
            let bucket = draft.state().require_bucket(mapping.bucket_id)?;
            if is_as_asked(bucket, policy.rule) {
                Ok(())
            } else {
                Err(Error::RetentionPolicyConflict)
            }
        })
        .await
    }

    /// DROP DATABASE: its mappings, and the buckets no other database is mapped to. Returns those
    /// buckets: their data is storage's to drop. A database that does not exist is no error.
    pub async fn drop_database(
        &self,
        authorization: &Authorization,
        database: &str,
    ) -> Result<Vec<Arc<Bucket>>> {
        self.change(|draft| {
            let place = Place {
                authorization,
                database,
            };
            let mut dropped = Vec::new();
            for mapping in place.mappings(draft.state()) {
                dropped.extend(place.drop_policy(draft, mapping.id)?);
            }
            Ok(dropped)
        })
        .await
    }

    /// CREATE RETENTION POLICY. The same policy again is no error.
    pub async fn create_retention_policy(
        &self,
        authorization: &Authorization,
        database: &str,
        policy: PolicyOptions,
    ) -> Result<()> {
        self.change(|draft| {
            let place = Place::new(authorization, database)?;
            let mappings = place.existing_mappings(draft.state())?;
            let known = mappings
                .iter()
                .find(|it| it.retention_policy == policy.name());
            let Some(mapping) = known else {
                return place.create_policy(draft, &policy).map(drop);
            };
            let bucket = draft.state().require_bucket(mapping.bucket_id)?;
            if !is_as_asked(bucket, policy.rule) {
                Err(Error::RetentionPolicyExists)
            } else if policy.is_default && !mapping.is_default {
                Err(Error::RetentionPolicyConflict)
            } else {
                Ok(())
            }
        })
        .await
    }

    /// ALTER RETENTION POLICY; what is absent stays as it is.
    pub async fn alter_retention_policy(
        &self,
        authorization: &Authorization,
        database: &str,
        policy: PolicyOptions,
    ) -> Result<()> {
        self.change(|draft| {
            let place = Place {
                authorization,
                database,
            };
            let mappings = place.existing_mappings(draft.state())?;
            let mapping = mappings
                .iter()
                .find(|mapping| mapping.retention_policy == policy.name())
                .ok_or_else(|| Error::RetentionPolicyNotFound(policy.name().to_owned()))?;
            place.require_write(mapping.bucket_id)?;
            let change = BucketChange {
                retention_rules: vec![policy.rule],
                ..BucketChange::default()
            };
            bucket::update(draft, mapping.bucket_id, &change)?;
            if policy.is_default {
                let change = MappingChange {
                    is_default: Some(true),
                    ..MappingChange::default()
                };
                dbrp::update(draft, mapping.org_id, mapping.id, &change)?;
            }
            Ok(())
        })
        .await
    }

    /// DROP RETENTION POLICY; one that does not exist is no error. Returns the bucket if it went
    /// with it: its data is storage's to drop.
    pub async fn drop_retention_policy(
        &self,
        authorization: &Authorization,
        database: &str,
        name: &str,
    ) -> Result<Option<Arc<Bucket>>> {
        self.change(|draft| {
            let place = Place {
                authorization,
                database,
            };
            let mappings = place.mappings(draft.state());
            match mappings
                .iter()
                .find(|mapping| mapping.retention_policy == name)
            {
                None => Ok(None),
                Some(mapping) => place.drop_policy(draft, mapping.id),
            }
        })
        .await
    }
}

/// A database and who manages it, in the organization of the latter.
struct Place<'a> {
    authorization: &'a Authorization,
    database: &'a str,
}

impl<'a> Place<'a> {
    /// For statements that create something: the name must be possible.
    fn new(authorization: &'a Authorization, database: &'a str) -> Result<Self> {
        if !dbrp::is_name(database) {
            return Err(Error::InvalidName);
        }
        Ok(Self {
            authorization,
            database,
        })
    }

    fn mappings(&self, state: &State) -> Vec<Arc<DbrpMapping>> {
        dbrp::siblings(state, self.authorization.org_id, self.database)
    }

    fn existing_mappings(&self, state: &State) -> Result<Vec<Arc<DbrpMapping>>> {
        let mappings = self.mappings(state);
        if mappings.is_empty() {
            return Err(Error::DatabaseNotFound(self.database.to_owned()));
        }
        Ok(mappings)
    }

    fn require_write(&self, bucket: Id) -> Result<()> {
        if self
            .authorization
            .can(Action::Write, bucket, self.authorization.org_id)
        {
            Ok(())
        } else {
            Err(Error::InsufficientPermissions)
        }
    }

    /// A new mapping to the bucket `db/rp`, which is created unless it is there and writable.
    fn create_policy(
        &self,
        draft: &mut Draft<'_>,
        policy: &PolicyOptions,
    ) -> Result<Arc<DbrpMapping>> {
        if !dbrp::is_name(policy.name()) {
            return Err(Error::InvalidName);
        }
        let org_id = self.authorization.org_id;
        let bucket_name = format!("{}/{}", self.database, policy.name());
        let existing = draft
            .state()
            .bucket_by_name(org_id, &bucket_name)
            .map(|it| it.id);
        let bucket_id = if let Some(bucket) = existing {
            self.require_write(bucket)?;
            bucket
        } else {
            let create = Permission::new(Action::Write, ResourceType::Buckets).within(org_id);
            if !self.authorization.allows(&create) {
                return Err(Error::InsufficientPermissions);
            }
            let new = NewBucket {
                org_id: Some(org_id),
                name: bucket_name,
                description: String::new(),
                rp: Some(policy.name().to_owned()),
                retention_rules: vec![policy.rule],
            };
            bucket::create(draft, &new)?.id
        };
        let new = NewMapping {
            org_id,
            bucket_id,
            database: self.database.to_owned(),
            retention_policy: policy.name().to_owned(),
            is_default: policy.is_default,
        };
        dbrp::create(draft, &new)
    }

    /// Removes a mapping, and its bucket if nothing else is mapped to it.
    fn drop_policy(&self, draft: &mut Draft<'_>, mapping: Id) -> Result<Option<Arc<Bucket>>> {
        // Read again: an earlier removal may have made it the default.
        let Some(mapping) = draft.state().stored_mapping(mapping).cloned() else {
            return Ok(None);
        };
        self.require_write(mapping.bucket_id)?;
        dbrp::remove(draft, &mapping);
        let bucket = Arc::clone(draft.state().require_bucket(mapping.bucket_id)?);
        let mut others = draft.state().stored_mappings();
        if bucket.kind == BucketKind::System || others.any(|it| it.bucket_id == bucket.id) {
            return Ok(None);
        }
        bucket::remove(draft, &bucket);
        Ok(Some(bucket))
    }
}

/// Whether a bucket keeps its points as `rule` asks, as far as it asks.
fn is_as_asked(bucket: &Bucket, rule: RetentionRule) -> bool {
    let retention = bucket::non_negative(rule.every_seconds);
    let shard_group = bucket::non_negative(rule.shard_group_seconds);
    (rule.every_seconds.is_none() || retention == bucket.retention_seconds)
        && (rule.shard_group_seconds.is_none()
            || bucket.shard_group_seconds
                == bucket::shard_group_seconds(shard_group, bucket.retention_seconds))
}
