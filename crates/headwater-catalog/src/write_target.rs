//! Which bucket a 1.x write goes to, and the mappings that writes create (`spec/write.md` §3).

use std::sync::Arc;

use headwater_model::Id;

use crate::{
    Access, Action, Authorization, Bucket, Catalog, Error, NewBucket, NewMapping, Permission,
    Profile, ResourceType, Result, RetentionRule, State, bucket, dbrp,
};

/// What a write's database and retention policy lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WriteTarget {
    /// A mapping leads to this bucket.
    Mapped(Arc<Bucket>),
    /// A bucket has the right name and is to be mapped.
    ToMap {
        bucket: Id,
        database: String,
        retention_policy: String,
    },
    /// The bucket is to be created and mapped.
    ToCreate {
        organization: Id,
        database: String,
        retention_policy: String,
    },
}

impl Catalog {
    /// The bucket that `/write` with `db` and `rp` goes to, where the caller may write.
    ///
    /// Fails with `no dbrp mapping found` if there is none the caller can see, and with
    /// `insufficient permissions for write` if it cannot be written. In the profiles
    /// [`Profile::Cloud`] and [`Profile::V1`] an unmapped bucket whose name fits is mapped, and
    /// with [`Settings::create_buckets_on_write`](crate::Settings) a missing one is created;
    /// neither happens without the permission to write.
    pub async fn map_for_write(
        &self,
        authorization: &Authorization,
        database: &str,
        retention_policy: Option<&str>,
    ) -> Result<Arc<Bucket>> {
        let create = self.settings().create_buckets_on_write;
        let decide =
            |state: &State| state.write_target(authorization, database, retention_policy, create);
        if let WriteTarget::Mapped(bucket) = decide(&self.state())? {
            return Ok(bucket);
        }
        // Decided again in turn: another write may have mapped it meanwhile.
        self.change(|draft| {
            let (bucket_id, database, retention_policy) = match decide(draft.state())? {
                WriteTarget::Mapped(bucket) => return Ok(bucket),
                WriteTarget::ToMap {
                    bucket,
                    database,
                    retention_policy,
                } => (bucket, database, retention_policy),
                WriteTarget::ToCreate {
                    organization,
                    database,
                    retention_policy,
                } => {
                    let new = auto_created(organization, &database, &retention_policy);
                    (bucket::create(draft, &new)?.id, database, retention_policy)
                }
            };
            let mapping = dbrp::create(
                draft,
                &NewMapping {
                    org_id: authorization.org_id,
                    bucket_id,
                    database,
                    retention_policy,
                    is_default: false,
                },
            )?;
            draft.state().require_bucket(mapping.bucket_id).cloned()
        })
        .await
    }
}

impl State {
    fn write_target(
        &self,
        authorization: &Authorization,
        database: &str,
        retention_policy: Option<&str>,
        create: bool,
    ) -> Result<WriteTarget> {
        let policy = retention_policy.filter(|name| !name.is_empty());
        if let Some(mapping) = self.resolve(authorization, Access::ReadOrWrite, database, policy) {
            let bucket = self.require_bucket(mapping.bucket_id)?;
            authorization.require_write(bucket)?;
            return Ok(WriteTarget::Mapped(Arc::clone(bucket)));
        }
        if self.profile() == Profile::Oss {
            return Err(Error::NoMapping);
        }

        // A mapping that exists but cannot be seen must neither be replaced nor lose its default.
        let organization = authorization.org_id;
        let mapped = self.database_mappings(organization, database);
        let is_taken = match policy {
            Some(name) => mapped
                .iter()
                .any(|mapping| mapping.retention_policy == name),
            None => !mapped.is_empty(),
        };
        let name = policy.unwrap_or(dbrp::AUTOGEN);
        if is_taken || !dbrp::is_name(database) || !dbrp::is_name(name) {
            return Err(Error::NoMapping);
        }

        let full_name = format!("{database}/{name}");
        let names = [
            Some(full_name.as_str()),
            policy.is_none().then_some(database),
        ];
        let is_visible = |bucket: &&Arc<Bucket>| {
            [Action::Read, Action::Write]
                .into_iter()
                .any(|action| authorization.can(action, bucket.id, bucket.org_id))
        };
        let found = names
            .into_iter()
            .flatten()
            .filter_map(|name| self.bucket_by_name(organization, name))
            .find(is_visible);
        let (database, retention_policy) = (database.to_owned(), name.to_owned());
        if let Some(bucket) = found {
            authorization.require_write(bucket)?;
            return Ok(WriteTarget::ToMap {
                bucket: bucket.id,
                database,
                retention_policy,
            });
        }
        if !create || self.bucket_by_name(organization, &full_name).is_some() {
            return Err(Error::NoMapping);
        }
        authorization
            .require(Permission::new(Action::Write, ResourceType::Buckets).within(organization))?;
        Ok(WriteTarget::ToCreate {
            organization,
            database,
            retention_policy,
        })
    }
}

fn auto_created(organization: Id, database: &str, retention_policy: &str) -> NewBucket {
    NewBucket {
        org_id: Some(organization),
        name: format!("{database}/{retention_policy}"),
        description: "Auto-created from v1 db/rp mapping.".to_owned(),
        rp: Some(retention_policy.to_owned()),
        retention_rules: vec![RetentionRule {
            every_seconds: Some(72 * 60 * 60),
            shard_group_seconds: None,
        }],
    }
}
