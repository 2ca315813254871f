//! Names bound and wildcards expanded, innermost statement first.

use std::sync::Arc;

use headwater_influxql::{
    ast::{DataType, Expr},
    visit,
};
use headwater_model::{Id, TimeRange};

use super::{
    ResolveContext,
    compile::{Compiled, CompiledSource},
    types::name_type,
    wildcards::{expand_dimensions, expand_fields},
};
use crate::{Error, schema::Columns};

/// A compiled statement whose names carry their types.
#[derive(Debug)]
pub(super) struct Typed {
    pub compiled: Compiled,
    /// GROUP BY tags, expanded, in the order written.
    pub tags: Vec<Arc<str>>,
    pub sources: Vec<TypedSource>,
}

#[derive(Debug)]
pub(super) enum TypedSource {
    /// A measurement, or those that a regular expression matches, with the names they have
    /// together.
    Measurements {
        bucket: Id,
        names: Vec<Arc<str>>,
        columns: Columns,
    },
    Subquery(Box<Typed>),
}

pub(super) fn assign_types(
    mut compiled: Compiled,
    range: TimeRange,
    context: &ResolveContext<'_>,
) -> Result<Typed, Error> {
    let mut sources = Vec::with_capacity(compiled.sources.len());
    for source in std::mem::take(&mut compiled.sources) {
        sources.push(match source {
            CompiledSource::Measurement {
                measurement,
                bucket,
            } => {
                let bucket = bucket.expect("buckets are mapped before types are assigned");
                let names = match &measurement.regex {
                    None => vec![Arc::from(measurement.name.as_str())],
                    Some(regex) => {
                        let mut names = context.schema.measurements(bucket, range)?;
                        names.retain(|name| regex.is_match(name));
                        names
                    }
                };
                let mut columns = Columns::default();
                for name in &names {
                    columns.merge(&context.schema.columns(bucket, name, range)?);
                }
                TypedSource::Measurements {
                    bucket,
                    names,
                    columns,
                }
            }
            CompiledSource::Subquery(inner) => {
                TypedSource::Subquery(Box::new(assign_types(*inner, range, context)?))
            }
        });
    }
    for field in &mut compiled.fields {
        bind_names(&mut field.expr, &sources);
    }
    if let Some(condition) = &mut compiled.condition {
        bind_names(condition, &sources);
    }
    compiled.fields = expand_fields(&compiled, &sources)?;
    let tags = expand_dimensions(&compiled, &sources)?;
    Ok(Typed {
        compiled,
        tags,
        sources,
    })
}

/// Gives every name without a definite type the one it has in the sources.
fn bind_names(expr: &mut Expr, sources: &[TypedSource]) {
    visit::walk_mut(expr, &mut |node| {
        if let Expr::VarRef(var) = node
            && matches!(var.data_type, None | Some(DataType::AnyField))
        {
            // An inner type error is left to the statement that has it.
            let found = name_type(&var.name, sources).unwrap_or(None);
            // A tag does not become a field by being called one.
            if !(found == Some(DataType::Tag) && var.data_type.is_some()) {
                var.data_type = found.or(var.data_type);
            }
        }
    });
}
