//! Tree to canonical text, as the reference prints it in error texts and EXPLAIN
//! (`spec/influxql/grammar.md` §2, "Printed form").
//!
//! Parsing what is printed gives the same tree, but for what the reference's form cannot say:
//! function names and `DISTINCT` names that need quotes, a fill value like `1.0`, and passwords.

use std::fmt::{self, Display, Formatter, Write};

use chrono::DateTime;

use crate::ast::{
    BinaryExpr, BinaryOp, Call, CardinalityOf, DataType, DeleteStatement, ExplainStatement, Expr,
    Fill, FillNumber, Measurement, OnName, Order, Query, Regex, SelectField, SelectStatement,
    ShowCardinalityStatement, ShowMeasurementsStatement, ShowStatement, Source, Statement, VarRef,
    WildcardKind, WithKey,
};
use crate::duration::format_duration;
use crate::keywords::is_keyword;
use crate::lexer::is_name_character;

/// A name as it is printed: bare where that reads as the same name, else in double quotes.
pub fn quote_ident(name: &str) -> String {
    if needs_quotes(name) {
        enclose(name, '"')
    } else {
        name.to_owned()
    }
}

/// A string literal, in single quotes.
pub fn quote_string(text: &str) -> String {
    enclose(text, '\'')
}

/// Names with dots between, all but the last in quotes unless empty, as one error text shows
/// them.
pub(crate) fn quote_idents(names: &[String]) -> String {
    let last = names.len() - 1;
    let quoted = names.iter().enumerate().map(|(index, name)| {
        let is_inner = index != 0 && index != last;
        let quotes = if name.is_empty() {
            !is_inner
        } else {
            index != last || needs_quotes(name)
        };
        if quotes {
            enclose(name, '"')
        } else {
            name.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(".")
}

fn needs_quotes(name: &str) -> bool {
    name.is_empty()
        || name.starts_with(|first: char| first.is_ascii_digit())
        || !name.chars().all(is_name_character)
        || is_keyword(name)
}

fn enclose(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

/// Items with `, ` between.
fn comma_separated<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// Words and a list behind them; nothing when the list is empty.
fn list_clause<T: Display>(f: &mut Formatter<'_>, words: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    f.write_str(words)?;
    comma_separated(f, items)
}

fn clause<T: Display>(f: &mut Formatter<'_>, words: &str, item: Option<&T>) -> fmt::Result {
    item.map_or(Ok(()), |item| write!(f, "{words}{item}"))
}

fn on_clause(f: &mut Formatter<'_>, database: Option<&String>) -> fmt::Result {
    clause(f, " ON ", database.map(|name| quote_ident(name)).as_ref())
}

fn count_clause(f: &mut Formatter<'_>, words: &str, count: u64) -> fmt::Result {
    if count > 0 {
        write!(f, "{words}{count}")
    } else {
        Ok(())
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, statement) in self.statements.iter().enumerate() {
            if index > 0 {
                f.write_str(";\n")?;
            }
            statement.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Explain(explain) => explain.fmt(f),
            Self::Delete(delete) => delete.fmt(f),
            Self::DropMeasurement { name } => write!(f, "DROP MEASUREMENT {}", quote_ident(name)),
            Self::ShowDatabases => f.write_str("SHOW DATABASES"),
            Self::ShowRetentionPolicies { database } => {
                f.write_str("SHOW RETENTION POLICIES")?;
                on_clause(f, database.as_ref())
            }
            Self::ShowMeasurements(show) => show.fmt(f),
            Self::ShowSeries(show) => show_statement(f, "SHOW SERIES", show),
            Self::ShowTagKeys(show) => show_statement(f, "SHOW TAG KEYS", show),
            Self::ShowTagValues(show) => show_statement(f, "SHOW TAG VALUES", show),
            Self::ShowFieldKeys(show) => show_statement(f, "SHOW FIELD KEYS", show),
            Self::ShowCardinality(show) => show.fmt(f),
            Self::KillQuery { id, host } => {
                write!(f, "KILL QUERY {id}")?;
                on_clause(f, host.as_ref())
            }
            Self::Admin(admin) => f.write_str(&admin.text),
        }
    }
}

impl Display for SelectStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        list_clause(f, "SELECT ", &self.fields)?;
        if let Some(target) = &self.into {
            write!(f, " INTO {target}")?;
            if target.name.is_empty() {
                f.write_str(":MEASUREMENT")?;
            }
        }
        list_clause(f, " FROM ", &self.sources)?;
        clause(f, " WHERE ", self.condition.as_ref())?;
        list_clause(f, " GROUP BY ", &self.dimensions)?;
        self.fill.fmt(f)?;
        clause(f, " ORDER BY ", self.order.as_ref())?;
        count_clause(f, " LIMIT ", self.limit)?;
        count_clause(f, " OFFSET ", self.offset)?;
        count_clause(f, " SLIMIT ", self.slimit)?;
        count_clause(f, " SOFFSET ", self.soffset)?;
        match self.timezone {
            Some(zone) => write!(f, " TZ('{}')", zone.name()),
            None => Ok(()),
        }
    }
}

impl Display for SelectField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        clause(f, " AS ", self.alias.as_deref().map(quote_ident).as_ref())
    }
}

/// With a space before it; nothing for `fill(null)`.
impl Display for Fill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::None => f.write_str(" fill(none)"),
            Self::Previous => f.write_str(" fill(previous)"),
            Self::Linear => f.write_str(" fill(linear)"),
            Self::Number(FillNumber::Integer(value)) => write!(f, " fill({value})"),
            Self::Number(FillNumber::Float(value)) => {
                f.write_str(" fill(")?;
                number(f, *value)?;
                f.write_char(')')
            }
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = if self.names_time { "time " } else { "" };
        write!(f, "{name}{}", if self.ascending { "ASC" } else { "DESC" })
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement(measurement) => measurement.fmt(f),
            Self::Subquery(select) => write!(f, "({select})"),
        }
    }
}

impl Display for Measurement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.database.is_empty() {
            write!(f, "{}.", quote_ident(&self.database))?;
        }
        if !self.retention_policy.is_empty() {
            f.write_str(&quote_ident(&self.retention_policy))?;
        }
        if !self.database.is_empty() || !self.retention_policy.is_empty() {
            f.write_char('.')?;
        }
        match &self.regex {
            _ if !self.name.is_empty() => f.write_str(&quote_ident(&self.name)),
            Some(regex) => regex.fmt(f),
            None if self.is_target => Ok(()),
            None => f.write_str("\"\""),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::VarRef(var_ref) => var_ref.fmt(f),
            Self::Call(call) => call.fmt(f),
            Self::Binary(binary) => binary.fmt(f),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Distinct(name) => write!(f, "DISTINCT {}", quote_ident(name)),
            Self::Wildcard(None) => f.write_char('*'),
            Self::Wildcard(Some(WildcardKind::Field)) => f.write_str("*::field"),
            Self::Wildcard(Some(WildcardKind::Tag)) => f.write_str("*::tag"),
            Self::Regex(regex) => regex.fmt(f),
            Self::String(text) => f.write_str(&quote_string(text)),
            Self::Number(value) => number(f, *value),
            Self::Integer(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Duration(nanoseconds) => f.write_str(&format_duration(*nanoseconds)),
            Self::Time(nanoseconds) => {
                let time = DateTime::from_timestamp_nanos(*nanoseconds);
                write!(f, "'{}", time.format("%Y-%m-%dT%H:%M:%S"))?;
                fraction(f, *nanoseconds)?;
                f.write_str("Z'")
            }
            Self::Nil => f.write_str("nil"),
            Self::List(names) => {
                f.write_char('(')?;
                comma_separated(f, &quoted_names(names))?;
                f.write_char(')')
            }
        }
    }
}

/// The shortest decimal, always with a point; folding may leave what is no decimal.
fn number(f: &mut Formatter<'_>, value: f64) -> fmt::Result {
    if value.is_infinite() {
        return f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let text = value.to_string();
    f.write_str(&text)?;
    if text.contains('.') || value.is_nan() {
        Ok(())
    } else {
        f.write_str(".0")
    }
}

/// The fraction of a second with its point and without trailing zeros, nothing when it is zero.
fn fraction(f: &mut Formatter<'_>, nanoseconds: i64) -> fmt::Result {
    let rest = nanoseconds.rem_euclid(1_000_000_000);
    if rest == 0 {
        Ok(())
    } else {
        write!(f, ".{}", format!("{rest:09}").trim_end_matches('0'))
    }
}

fn quoted_names(names: &[String]) -> Vec<String> {
    names.iter().map(|name| quote_ident(name)).collect()
}

impl Display for VarRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&quote_ident(&self.name))?;
        clause(f, "::", self.data_type.as_ref())
    }
}

impl Display for DataType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Tag => "tag",
            Self::AnyField => "field",
        })
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The one function whose name is a keyword.
        if self.name == "distinct" {
            f.write_str(&self.name)?;
        } else {
            f.write_str(&quote_ident(&self.name))?;
        }
        f.write_char('(')?;
        comma_separated(f, &self.args)?;
        f.write_char(')')
    }
}

impl Display for BinaryExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.left, self.op.as_str())?;
        match signed(&self.right) {
            // `a / -1 * b` would read as `(a / -1) * b`.
            Some((sign, operand)) if self.op.precedence() >= BinaryOp::Mul.precedence() => {
                write!(f, "{sign}{operand}")
            }
            _ => self.right.fmt(f),
        }
    }
}

/// The sign and the operand of what the parser makes of `-name`.
fn signed(expr: &Expr) -> Option<(char, &Expr)> {
    let Expr::Binary(product) = expr else {
        return None;
    };
    let sign = match (&product.left, product.op) {
        (Expr::Integer(1), BinaryOp::Mul) => '+',
        (Expr::Integer(-1), BinaryOp::Mul) => '-',
        _ => return None,
    };
    Some((sign, &product.right))
}

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.pattern.replace('/', "\\/"))
    }
}

impl Display for ExplainStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let analyze = if self.analyze { "ANALYZE " } else { "" };
        let verbose = if self.verbose { "VERBOSE " } else { "" };
        write!(f, "EXPLAIN {analyze}{verbose}{}", self.select)
    }
}

impl Display for DeleteStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("DELETE")?;
        list_clause(f, " FROM ", &self.sources)?;
        clause(f, " WHERE ", self.condition.as_ref())
    }
}

impl Display for ShowMeasurementsStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW MEASUREMENTS")?;
        clause(f, " ON ", self.database.as_ref())?;
        clause(f, ".", self.retention_policy.as_ref())?;
        if let Some(source) = &self.with_measurement {
            let operator = if source.regex.is_some() { "=~" } else { "=" };
            write!(f, " WITH MEASUREMENT {operator} {source}")?;
        }
        clause(f, " WHERE ", self.condition.as_ref())?;
        clause(f, " ORDER BY ", self.order.as_ref())?;
        count_clause(f, " LIMIT ", self.limit)?;
        count_clause(f, " OFFSET ", self.offset)
    }
}

impl Display for OnName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&quote_ident(name)),
            Self::Wildcard => f.write_char('*'),
        }
    }
}

fn show_statement(f: &mut Formatter<'_>, words: &str, show: &ShowStatement) -> fmt::Result {
    f.write_str(words)?;
    on_clause(f, show.database.as_ref())?;
    list_clause(f, " FROM ", &show.sources)?;
    clause(f, " WITH KEY ", show.with_key.as_ref())?;
    clause(f, " WHERE ", show.condition.as_ref())?;
    clause(f, " ORDER BY ", show.order.as_ref())?;
    count_clause(f, " LIMIT ", show.limit)?;
    count_clause(f, " OFFSET ", show.offset)?;
    count_clause(f, " SLIMIT ", show.slimit)?;
    count_clause(f, " SOFFSET ", show.soffset)
}

/// What follows `WITH KEY `.
impl Display for WithKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eq(name) => write!(f, "= {}", quote_ident(name)),
            Self::NotEq(name) => write!(f, "!= {}", quote_ident(name)),
            Self::EqRegex(regex) => write!(f, "=~ {regex}"),
            Self::NotEqRegex(regex) => write!(f, "!~ {regex}"),
            Self::In(names) => write!(f, "IN ({})", quoted_names(names).join(", ")),
        }
    }
}

impl Display for ShowCardinalityStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            CardinalityOf::Series => "SERIES",
            CardinalityOf::Measurement => "MEASUREMENT",
            CardinalityOf::TagKey => "TAG KEY",
            CardinalityOf::TagValues => "TAG VALUES",
            CardinalityOf::FieldKey => "FIELD KEY",
        };
        let exact = if self.exact { "EXACT " } else { "" };
        write!(f, "SHOW {of} {exact}CARDINALITY")?;
        on_clause(f, self.database.as_ref())?;
        list_clause(f, " FROM ", &self.sources)?;
        clause(f, " WITH KEY ", self.with_key.as_ref())?;
        clause(f, " WHERE ", self.condition.as_ref())?;
        list_clause(f, " GROUP BY ", &self.dimensions)?;
        count_clause(f, " LIMIT ", self.limit)?;
        count_clause(f, " OFFSET ", self.offset)
    }
}

#[cfg(test)]
mod tests;
