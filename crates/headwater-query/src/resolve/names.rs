//! Column names (`spec/influxql/semantics_select.md` §2.1).

use std::{collections::HashMap, sync::Arc};

use headwater_influxql::ast::{Expr, SelectField};

/// The name of a field without regard to its neighbours; empty for a literal.
pub(super) fn field_name(field: &SelectField) -> String {
    match &field.alias {
        Some(alias) => alias.clone(),
        None => expr_name(&field.expr),
    }
}

fn expr_name(expr: &Expr) -> String {
    match expr {
        Expr::VarRef(var) => var.name.clone(),
        Expr::Call(call) => call.name.clone(),
        Expr::Paren(inner) => expr_name(inner),
        Expr::Binary(_) => {
            let mut names = Vec::new();
            operand_names(expr, &mut names);
            names.join("_")
        }
        _ => String::new(),
    }
}

/// The variables and outermost calls of an expression, left to right.
fn operand_names<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match expr {
        Expr::VarRef(var) => names.push(&var.name),
        Expr::Call(call) => names.push(&call.name),
        Expr::Paren(inner) => operand_names(inner, names),
        Expr::Binary(b) => {
            operand_names(&b.left, names);
            operand_names(&b.right, names);
        }
        _ => {}
    }
}

/// A column before its name is made distinct.
pub(super) struct Unnamed {
    pub alias: Option<String>,
    pub name: String,
}

/// Gives every column its name: aliases as they are, the others suffixed where they are taken.
pub(super) fn column_names(columns: &[Unnamed]) -> Vec<Arc<str>> {
    // How often a name was given, which is where the search for a free suffix starts.
    let mut given: HashMap<String, usize> = columns
        .iter()
        .filter_map(|column| column.alias.clone())
        .map(|alias| (alias, 1))
        .collect();
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        if let Some(alias) = &column.alias
            && !alias.is_empty()
        {
            names.push(Arc::from(alias.as_str()));
            continue;
        }
        let mut name = column.name.clone();
        if let Some(&first) = given.get(&name) {
            let mut count = first;
            let mut suffixed = format!("{name}_{count}");
            while given.contains_key(&suffixed) {
                count += 1;
                suffixed = format!("{name}_{count}");
            }
            given.insert(name, count + 1);
            name = suffixed;
        }
        *given.entry(name.clone()).or_default() += 1;
        names.push(Arc::from(name));
    }
    names
}
