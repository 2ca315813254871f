//! The administration of 1.x. Only in the profile `v1` do statements about databases, retention
//! policies and series act, on buckets and mappings (`spec/decisions.md` 1); all others are refused
//! (`spec/query.md` §9).

use headwater_catalog::{PolicyOptions, Profile, RetentionRule};
use headwater_influxql::ast::{AdminDetail, AdminStatement, RetentionPolicySpec};

use crate::{
    Error, delete,
    resolve::normalize,
    run::{Failure, StatementContext},
};

pub(crate) fn run(
    statement: &AdminStatement,
    context: &StatementContext<'_>,
) -> Result<(), Failure> {
    if let AdminDetail::CreateContinuousQuery { database, select } = &statement.detail {
        let mut resolve = context.resolve_context();
        resolve.database = Some(context.database(None))
            .filter(|db| !db.is_empty())
            .or(Some(database));
        normalize(&mut select.clone(), &resolve)?;
    }
    if context.catalog().state().profile() == Profile::V1
        && let Some(result) = manage(&statement.detail, context)
    {
        return result;
    }
    Err(Error::NotImplemented(statement.name).into())
}

/// Carries out a statement about databases, retention policies and series; `None` for another one.
fn manage(detail: &AdminDetail, context: &StatementContext<'_>) -> Option<Result<(), Failure>> {
    let catalog = context.catalog();
    let caller = &context.request.authorization;
    let changed = match detail {
        AdminDetail::CreateDatabase { name, policy } => {
            let policy = policy.as_ref().map(options);
            context
                .wait(catalog.create_database(caller, name, policy))
                .map(|()| Vec::new())
        }
        AdminDetail::DropDatabase { name } => context.wait(catalog.drop_database(caller, name)),
        AdminDetail::CreateRetentionPolicy { database, policy } => context
            .wait(catalog.create_retention_policy(caller, database, options(policy)))
            .map(|()| Vec::new()),
        AdminDetail::AlterRetentionPolicy { database, policy } => context
            .wait(catalog.alter_retention_policy(caller, database, options(policy)))
            .map(|()| Vec::new()),
        AdminDetail::DropRetentionPolicy { database, name } => context
            .wait(catalog.drop_retention_policy(caller, database, name))
            .map(|dropped| dropped.into_iter().collect()),
        AdminDetail::DropSeries(statement) => return Some(delete::drop_series(statement, context)),
        _ => return None,
    };
    Some(changed.map_err(Failure::from).and_then(|dropped| {
        for bucket in dropped {
            context.wait(context.engine().drop_bucket(bucket.id))?;
        }
        Ok(())
    }))
}

fn options(policy: &RetentionPolicySpec) -> PolicyOptions {
    let seconds = |nanoseconds: Option<i64>| nanoseconds.map(|it| it / 1_000_000_000);
    PolicyOptions {
        name: policy.name.clone(),
        rule: RetentionRule {
            every_seconds: seconds(policy.duration),
            shard_group_seconds: seconds(policy.shard_duration),
        },
        is_default: policy.is_default,
    }
}
