//! A request, its statement as parts that can be left out one by one, so that a query with
//! different answers can be shortened.

use std::fmt;

/// What is sent to `/query`.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) statement: Statement,
    /// Beside `db` and `q`.
    pub(super) more: Vec<(&'static str, String)>,
    pub(super) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    MessagePack,
}

impl Request {
    pub(super) fn new(statement: Statement) -> Self {
        Self {
            statement,
            more: Vec::new(),
            format: Format::Json,
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::new(Statement::Text(vec![text.to_owned()]))
    }

    /// Times are numbers, but for queries with a time zone, where they tell more as text.
    pub(super) fn parameters(&self) -> Vec<(&str, &str)> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        let is_told = self.more.iter().any(|(name, _)| *name == "epoch");
        if !is_told && !self.statement.to_string().contains("tz(") {
            parameters.push(("epoch", "ns"));
        }
        let more = self
            .more
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        parameters.extend(more.filter(|(_, value)| !value.is_empty()));
        parameters
    }

    /// The same request with one part less, for each part.
    pub(super) fn shorter(&self) -> Vec<Self> {
        let with = |statement| Self {
            statement,
            ..self.clone()
        };
        self.statement.shorter().into_iter().map(with).collect()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement.fmt(f)?;
        for (name, value) in &self.more {
            write!(f, "  {name}={value}")?;
        }
        match self.format {
            Format::Json => Ok(()),
            Format::Csv => f.write_str("  as CSV"),
            Format::MessagePack => f.write_str("  as MessagePack"),
        }
    }
}

#[derive(Clone)]
pub(super) enum Statement {
    Select(Select),
    /// The first part stays, each of the others may go.
    Text(Vec<String>),
}

#[derive(Clone, Default)]
pub(super) struct Select {
    pub(super) explain: bool,
    pub(super) fields: Vec<String>,
    pub(super) sources: Vec<Source>,
    /// Lower and upper bound of time; they stay while any level groups by time, since the
    /// number of windows must stay small.
    pub(super) bounds: Vec<String>,
    /// Joined by AND.
    pub(super) conditions: Vec<String>,
    /// `time(…)`.
    pub(super) window: Option<String>,
    pub(super) dimensions: Vec<String>,
    /// `fill(…)`, LIMIT and what else follows, in order.
    pub(super) tail: Vec<String>,
}

#[derive(Clone)]
pub(super) enum Source {
    Name(String),
    Query(Box<Select>),
}

impl Statement {
    fn shorter(&self) -> Vec<Self> {
        match self {
            Self::Select(select) => {
                let shorter = select.shorter().into_iter();
                shorter
                    .filter(Select::is_bounded)
                    .map(Self::Select)
                    .collect()
            }
            Self::Text(parts) => (1..parts.len())
                .map(|index| {
                    let mut parts = parts.clone();
                    parts.remove(index);
                    Self::Text(parts)
                })
                .collect(),
        }
    }
}

impl Select {
    fn has_window(&self) -> bool {
        let inner = |source: &Source| matches!(source, Source::Query(q) if q.has_window());
        self.window.is_some() || self.sources.iter().any(inner)
    }

    /// Exchanges functions at every level.
    pub(super) fn replace(&mut self, pairs: &[(&str, &str)]) {
        for field in &mut self.fields {
            for (from, to) in pairs {
                *field = field.replace(from, to);
            }
        }
        for source in &mut self.sources {
            if let Source::Query(inner) = source {
                inner.replace(pairs);
            }
        }
    }

    /// Whether the number of windows is known to be small.
    pub(super) fn is_bounded(&self) -> bool {
        !self.has_window() || self.bounds.len() == 2
    }

    fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for source in &self.sources {
            if let Source::Query(inner) = source {
                all.push(Self::clone(inner));
                let mut hoisted = Self::clone(inner);
                hoisted.bounds.clone_from(&self.bounds);
                all.push(hoisted);
            }
        }
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut copy = self.clone();
            change(&mut copy);
            all.push(copy);
        };
        if self.sources.len() > 1 {
            for index in 0..self.sources.len() {
                with(&|copy| drop(copy.sources.remove(index)));
            }
        }
        if self.fields.len() > 1 {
            for index in 0..self.fields.len() {
                with(&|copy| drop(copy.fields.remove(index)));
            }
        }
        for index in 0..self.conditions.len() {
            with(&|copy| drop(copy.conditions.remove(index)));
        }
        for index in 0..self.tail.len() {
            with(&|copy| drop(copy.tail.remove(index)));
        }
        for index in 0..self.dimensions.len() {
            with(&|copy| drop(copy.dimensions.remove(index)));
        }
        for index in 0..self.bounds.len() {
            with(&|copy| drop(copy.bounds.remove(index)));
        }
        if self.window.is_some() {
            with(&|copy| copy.window = None);
        }
        if self.explain {
            with(&|copy| copy.explain = false);
        }
        for (index, source) in self.sources.iter().enumerate() {
            if let Source::Query(inner) = source {
                for shorter in inner.shorter() {
                    with(&|copy| copy.sources[index] = Source::Query(Box::new(shorter.clone())));
                }
            }
        }
        all
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Text(parts) => f.write_str(&parts.join(" ")),
        }
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.explain {
            f.write_str("EXPLAIN ")?;
        }
        write!(f, "SELECT {} FROM ", self.fields.join(", "))?;
        for (index, source) in self.sources.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match source {
                Source::Name(name) => f.write_str(name)?,
                Source::Query(inner) => write!(f, "({inner})")?,
            }
        }
        let conditions: Vec<_> = self
            .bounds
            .iter()
            .chain(&self.conditions)
            .cloned()
            .collect();
        if !conditions.is_empty() {
            write!(f, " WHERE {}", conditions.join(" AND "))?;
        }
        let grouping: Vec<_> = self
            .window
            .iter()
            .chain(&self.dimensions)
            .cloned()
            .collect();
        if !grouping.is_empty() {
            write!(f, " GROUP BY {}", grouping.join(", "))?;
        }
        for part in &self.tail {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}
