//! SHOW FIELD KEYS.

use std::collections::{BTreeMap, BTreeSet};

use headwater_influxql::ast::ShowStatement;
use headwater_model::TimeRange;

use super::{emit_chunked, names_of, page, select_sources};
use crate::run::{Failure, Output, StatementContext};

/// A row for each type that a field has in some partition.
pub(super) fn show(
    statement: &ShowStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let sources = select_sources(&statement.sources, statement.database.as_ref(), context)?;
    let mut fields: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (bucket, source) in sources {
        let snapshot = context.snapshots.get(bucket);
        for name in names_of(bucket, &source, context)? {
            context.check()?;
            let rows = fields.entry(name.clone()).or_default();
            for partition in snapshot.partitions(&name, TimeRange::ALL) {
                for (field, field_type) in partition.fields() {
                    rows.insert((field.to_string(), field_type.name()));
                }
            }
        }
    }
    for (name, rows) in fields {
        let rows = page(
            rows.into_iter().collect(),
            statement.limit,
            statement.offset,
        )
        .into_iter()
        .map(|(field, field_type)| vec![field, field_type.to_owned()]);
        emit_chunked(Some(name), &["fieldKey", "fieldType"], rows, context, out)?;
    }
    Ok(())
}
