//! `*` and regular expressions in the select list and in GROUP BY
//! (`spec/influxql/semantics_select.md` §2.2).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use headwater_influxql::{
    ast::{Call, DataType, Expr, Regex, SelectField, VarRef, WildcardKind},
    visit,
};

use super::{
    compile::Compiled,
    names::field_name,
    typed::TypedSource,
    types::{Inferred, data_type, expr_type, preferred},
};
use crate::Error;

/// The names that a statement's sources have to offer.
#[derive(Default)]
struct Offered {
    fields: BTreeMap<Arc<str>, Inferred>,
    tags: BTreeSet<Arc<str>>,
}

fn offered(sources: &[TypedSource]) -> Offered {
    let mut offered = Offered::default();
    for source in sources {
        match source {
            TypedSource::Measurements { columns, .. } => {
                for (name, field_type) in &columns.fields {
                    let known = offered.fields.entry(Arc::clone(name)).or_default();
                    *known = preferred(*known, Some(data_type(*field_type)));
                }
                offered.tags.extend(columns.tags.iter().cloned());
            }
            TypedSource::Subquery(inner) => {
                for field in &inner.compiled.fields {
                    // An expression whose types do not fit is a column of nulls.
                    let inferred = expr_type(&field.expr).unwrap_or(None);
                    let known = offered.fields.entry(field_name(field).into()).or_default();
                    *known = preferred(*known, inferred);
                }
                offered.tags.extend(inner.tags.iter().cloned());
            }
        }
    }
    offered
}

fn is_pattern(expr: &Expr) -> bool {
    matches!(expr, Expr::Wildcard(_) | Expr::Regex(_))
}

fn has_pattern(expr: &Expr) -> bool {
    contains(expr, is_pattern)
}

fn contains(expr: &Expr, wanted: fn(&Expr) -> bool) -> bool {
    let mut found = false;
    visit::walk(expr, &mut |node| found |= wanted(node));
    found
}

/// The select list with its wildcards expanded.
pub(super) fn expand_fields(
    compiled: &Compiled,
    sources: &[TypedSource],
) -> Result<Vec<SelectField>, Error> {
    if !compiled.fields.iter().any(|field| has_pattern(&field.expr)) {
        return Ok(compiled.fields.clone());
    }
    let offered = columns(compiled, offered(sources));
    let mut fields = Vec::new();
    for field in &compiled.fields {
        match &field.expr {
            Expr::Wildcard(kind) => fields.extend(
                offered
                    .iter()
                    .filter(|var| is_of_kind(var, *kind))
                    .cloned()
                    .map(plain_field),
            ),
            Expr::Regex(regex) => fields.extend(
                offered
                    .iter()
                    .filter(|var| regex.is_match(&var.name))
                    .cloned()
                    .map(plain_field),
            ),
            Expr::Call(call) => expand_call(field, call, &offered, &mut fields)?,
            Expr::Binary(_) if has_pattern(&field.expr) => {
                let kind = if has_wildcard(&field.expr) {
                    "wildcard"
                } else {
                    "regex field"
                };
                return Err(Error::statement(format!(
                    "unsupported expression with {kind}: {}",
                    field.expr
                )));
            }
            _ => fields.push(field.clone()),
        }
    }
    Ok(fields)
}

fn plain_field(var: VarRef) -> SelectField {
    SelectField {
        expr: Expr::VarRef(var),
        alias: None,
    }
}

fn is_of_kind(var: &VarRef, kind: Option<WildcardKind>) -> bool {
    let is_tag = var.data_type == Some(DataType::Tag);
    match kind {
        None => true,
        Some(WildcardKind::Field) => !is_tag,
        Some(WildcardKind::Tag) => is_tag,
    }
}

fn has_wildcard(expr: &Expr) -> bool {
    contains(expr, |node| matches!(node, Expr::Wildcard(_)))
}

/// What `*` stands for: fields and, unless GROUP BY has a wildcard, the tags it does not name;
/// by name, fields before tags. Nothing when there are no fields.
fn columns(compiled: &Compiled, mut offered: Offered) -> Vec<VarRef> {
    if offered.fields.is_empty() {
        return Vec::new();
    }
    if compiled.tags.iter().any(is_pattern) {
        offered.tags.clear();
    }
    for tag in &compiled.tags {
        if let Expr::VarRef(var) = tag {
            offered.tags.remove(var.name.as_str());
        }
    }
    let fields = offered.fields.into_iter();
    let tags = offered
        .tags
        .into_iter()
        .map(|name| (name, Some(DataType::Tag)));
    let mut columns: Vec<VarRef> = fields
        .chain(tags)
        .map(|(name, data_type)| VarRef {
            name: name.to_string(),
            data_type,
        })
        .collect();
    // Stable: the field stays before the tag of its name.
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    columns
}

/// Expands a call whose innermost first argument is a wildcard or a regular expression.
fn expand_call(
    field: &SelectField,
    call: &Call,
    offered: &[VarRef],
    fields: &mut Vec<SelectField>,
) -> Result<(), Error> {
    let mut innermost = call;
    while let Some(Expr::Call(next)) = innermost.args.first() {
        innermost = next;
    }
    let regex: Option<&Regex> = match innermost.args.first() {
        Some(Expr::Wildcard(Some(WildcardKind::Tag))) => {
            return Err(Error::statement(format!(
                "unable to use tag wildcard in {}()",
                innermost.name
            )));
        }
        Some(Expr::Wildcard(_)) => None,
        Some(Expr::Regex(regex)) => Some(regex),
        _ => {
            fields.push(field.clone());
            return Ok(());
        }
    };
    let prefix = field_name(field);
    for var in offered {
        let supported = var.data_type.is_some_and(|t| takes(&innermost.name, t));
        if supported && regex.is_none_or(|regex| regex.is_match(&var.name)) {
            let mut expanded = call.clone();
            *innermost_argument(&mut expanded) = Expr::VarRef(var.clone());
            fields.push(SelectField {
                expr: Expr::Call(expanded),
                alias: Some(format!("{prefix}_{}", var.name)),
            });
        }
    }
    Ok(())
}

fn innermost_argument(call: &mut Call) -> &mut Expr {
    let mut arg = &mut call.args[0];
    while let Expr::Call(next) = arg {
        arg = &mut next.args[0];
    }
    arg
}

/// Whether `function(*)` covers fields of a type.
fn takes(function: &str, data_type: DataType) -> bool {
    match data_type {
        DataType::Float | DataType::Integer => true,
        DataType::Unsigned => !matches!(function, "holt_winters" | "holt_winters_with_fit"),
        DataType::Boolean => matches!(function, "min" | "max") || takes_strings(function),
        DataType::String => takes_strings(function),
        DataType::Tag | DataType::AnyField => false,
    }
}

fn takes_strings(function: &str) -> bool {
    matches!(
        function,
        "count" | "first" | "last" | "distinct" | "elapsed" | "mode" | "sample"
    )
}

/// The names of GROUP BY, wildcards and regular expressions expanded.
pub(super) fn expand_dimensions(
    compiled: &Compiled,
    sources: &[TypedSource],
) -> Result<Vec<Arc<str>>, Error> {
    let tags = if compiled.tags.iter().any(is_pattern) {
        offered(sources).tags
    } else {
        BTreeSet::new()
    };
    let mut names = Vec::new();
    for dimension in &compiled.tags {
        match dimension {
            Expr::VarRef(var) => names.push(Arc::from(var.name.as_str())),
            Expr::Regex(regex) => {
                names.extend(tags.iter().filter(|tag| regex.is_match(tag)).cloned());
            }
            _ => names.extend(tags.iter().cloned()),
        }
    }
    Ok(names)
}
