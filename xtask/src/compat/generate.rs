//! Random statements over the whole grammar, by category. Cases that `known.rs` lists as left
//! out are never made.

mod condition;
mod fields;
mod show;
mod text;

use super::{
    data::{FIELDS, FieldType, MEASUREMENTS, Span, TAGS},
    query::{Select, Source, Statement},
};
use crate::workload::Random;

/// What a query is about; each is as likely as the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Raw,
    Condition,
    Aggregate,
    Selector,
    Multi,
    Window,
    Fill,
    Zone,
    Limit,
    Wildcard,
    Arithmetic,
    Transform,
    Technical,
    Top,
    Subquery,
    Sources,
    Show,
    Explain,
    Cast,
    Several,
    Invalid,
}

impl Category {
    pub(super) const ALL: [Self; 21] = [
        Self::Raw,
        Self::Condition,
        Self::Aggregate,
        Self::Selector,
        Self::Multi,
        Self::Window,
        Self::Fill,
        Self::Zone,
        Self::Limit,
        Self::Wildcard,
        Self::Arithmetic,
        Self::Transform,
        Self::Technical,
        Self::Top,
        Self::Subquery,
        Self::Sources,
        Self::Show,
        Self::Explain,
        Self::Cast,
        Self::Several,
        Self::Invalid,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Condition => "condition",
            Self::Aggregate => "aggregate",
            Self::Selector => "selector",
            Self::Multi => "multi",
            Self::Window => "window",
            Self::Fill => "fill",
            Self::Zone => "zone",
            Self::Limit => "limit",
            Self::Wildcard => "wildcard",
            Self::Arithmetic => "arithmetic",
            Self::Transform => "transform",
            Self::Technical => "technical",
            Self::Top => "top",
            Self::Subquery => "subquery",
            Self::Sources => "sources",
            Self::Show => "show",
            Self::Explain => "explain",
            Self::Cast => "cast",
            Self::Several => "several",
            Self::Invalid => "invalid",
        }
    }

    pub(super) fn any(random: &mut Random) -> Self {
        Self::ALL[random.below(Self::ALL.len() as i64) as usize]
    }
}

/// A statement of that category over data in `span`.
pub(super) fn statement(category: Category, span: Span, random: &mut Random) -> Statement {
    let mut generator = Generator { random, span };
    match category {
        Category::Show => Statement::Text(generator.show()),
        Category::Several => Statement::Text(vec![generator.several()]),
        Category::Invalid => Statement::Text(vec![generator.invalid()]),
        _ => Statement::Select(generator.select(category)),
    }
}

/// The columns that a source offers.
#[derive(Clone)]
struct Names {
    numbers: Vec<String>,
    others: Vec<String>,
    tags: Vec<String>,
    /// Below a subquery some functions are left out.
    is_derived: bool,
}

impl Names {
    fn stored() -> Self {
        let of = |wanted: &[FieldType]| {
            let chosen = FIELDS.iter().filter(|(_, t)| wanted.contains(t));
            chosen.map(|(name, _)| (*name).to_owned()).collect()
        };
        Self {
            numbers: of(&[FieldType::Float, FieldType::Integer]),
            others: of(&[FieldType::String, FieldType::Boolean]),
            tags: TAGS.iter().map(|(key, _)| (*key).to_owned()).collect(),
            is_derived: false,
        }
    }
}

struct Generator<'a> {
    random: &'a mut Random,
    span: Span,
}

impl Generator<'_> {
    fn chance(&mut self, percent: i64) -> bool {
        self.random.below(100) < percent
    }

    fn one_of(&mut self, names: &[String]) -> String {
        if names.is_empty() {
            return "nosuch".to_owned();
        }
        names[self.random.below(names.len() as i64) as usize].clone()
    }

    /// A column of that list, or a number where there is none.
    fn of(&mut self, names: &Names, list: fn(&Names) -> &[String]) -> String {
        let list = list(names);
        self.one_of(if list.is_empty() {
            &names.numbers
        } else {
            list
        })
    }

    fn number(&mut self, names: &Names) -> String {
        match self.random.below(40) {
            0 => "nosuch".to_owned(),
            1 => self.of(names, |names| &names.tags),
            2 | 3 => self.of(names, |names| &names.others),
            _ => self.of(names, |names| {
                if names.numbers.is_empty() {
                    &names.others
                } else {
                    &names.numbers
                }
            }),
        }
    }

    fn column(&mut self, names: &Names) -> String {
        match self.random.below(12) {
            0 => self.of(names, |names| &names.tags),
            1..4 => self.of(names, |names| &names.others),
            4 if self.chance(20) => "nosuch".to_owned(),
            _ => self.number(names),
        }
    }

    fn measurement(&mut self) -> Source {
        let name = match self.random.below(30) {
            0 => "nosuch".to_owned(),
            1 => "autogen.cpu".to_owned(),
            2 => "/cpu|net/".to_owned(),
            _ => format!("\"{}\"", self.random.pick(&MEASUREMENTS)),
        };
        Source::Name(name)
    }

    fn select(&mut self, category: Category) -> Select {
        let mut select = match category {
            Category::Subquery => {
                let depth = 1 + self.random.below(3);
                self.nested(depth)
            }
            Category::Explain => {
                let inner = [Category::Raw, Category::Window, Category::Aggregate];
                let chosen = inner[self.random.below(3) as usize];
                let mut select = self.select(chosen);
                if select.fields.iter().any(|field| field.contains('(')) {
                    select.fields.truncate(1);
                }
                select.explain = true;
                return select;
            }
            _ => {
                let mut select = self.over(category, &Names::stored());
                select.sources.push(self.measurement());
                select
            }
        };
        if category == Category::Sources {
            for _ in 0..1 + self.random.below(2) {
                let source = if self.chance(40) {
                    Source::Name(
                        self.random
                            .pick(&["/.*/", "/e/", "/^n|i/", "mem"])
                            .to_owned(),
                    )
                } else {
                    self.measurement()
                };
                select.sources.push(source);
            }
        }
        if !select.is_bounded() {
            self.bound(&mut select);
        }
        self.leave_out(&mut select);
        select
    }

    /// Takes away what `known.rs` lists.
    fn leave_out(&mut self, select: &mut Select) {
        let text = select.to_string();
        let is_integral = |field: &String| field.contains("integral(");
        if select.sources.len() > 1 || text.contains("FROM /") {
            select.fields.retain(|field| !is_integral(field));
            if select.fields.is_empty() {
                select.fields.push("mean(v)".to_owned());
            }
        }
        // Runs of equal values: with more than twelve points InfluxDB's sort mixes them.
        let is_unstable =
            text.contains("mode(") || (text.contains("percentile(") && select.window.is_none());
        if is_unstable {
            select.window = Some(format!("time({}s)", self.span.step));
            if select.bounds.len() < 2 {
                self.bound(select);
            }
        }
        // Equal points beside each other carry different columns.
        if text.contains("sample(") {
            select.fields.retain(|field| field.contains('('));
        }
        let own_order = ["top(", "bottom(", "distinct(", "sample("];
        if own_order.iter().any(|call| text.contains(call)) {
            no_descending(select);
        }
    }

    /// Everything but the sources.
    fn over(&mut self, category: Category, names: &Names) -> Select {
        let mut select = Select::default();
        match category {
            Category::Raw | Category::Condition | Category::Limit | Category::Sources
                if self.chance(60) || category == Category::Raw =>
            {
                self.raw(&mut select, names);
            }
            Category::Wildcard => self.wildcard(&mut select),
            Category::Arithmetic => self.arithmetic(&mut select, names),
            Category::Transform => self.transform(&mut select, names),
            Category::Technical => self.technical(&mut select, names),
            Category::Top => self.top(&mut select, names),
            Category::Cast => self.cast(&mut select),
            Category::Selector => {
                select.fields.push(self.selector(names));
                for _ in 0..self.random.below(3) {
                    select.fields.push(self.column(names));
                }
            }
            Category::Multi => {
                for _ in 0..2 + self.random.below(2) {
                    select.fields.push(self.call(names));
                }
            }
            _ => {
                for _ in 0..1 + self.random.below(5) / 4 {
                    select.fields.push(self.call(names));
                }
            }
        }
        self.clauses(category, &mut select, names);
        select
    }

    fn clauses(&mut self, category: Category, select: &mut Select, names: &Names) {
        let is_call = select.fields.iter().any(|field| field.contains('('));
        let windowed = match category {
            Category::Window | Category::Fill | Category::Zone => true,
            Category::Transform | Category::Technical => select.window.is_some(),
            Category::Raw | Category::Arithmetic | Category::Cast => false,
            Category::Wildcard | Category::Top => is_call && self.chance(25),
            _ => is_call && self.chance(20),
        };
        if windowed && select.window.is_none() {
            select.window = Some(self.window(category != Category::Zone));
        }
        if select.window.is_some() || self.chance(if names.is_derived { 10 } else { 35 }) {
            self.bound(select);
            if select.window.is_none() && self.chance(40) {
                let index = self.random.below(2) as usize;
                select.bounds.remove(index);
            }
        }
        let conditions = match category {
            Category::Condition => 1 + self.random.below(3),
            _ => i64::from(self.chance(if names.is_derived { 10 } else { 20 })),
        };
        for _ in 0..conditions {
            let condition = self.condition(names, 2);
            select.conditions.push(condition);
        }
        let is_integral = select.fields.iter().any(|f| f.contains("integral("));
        if self.chance(45) && !is_integral {
            for _ in 0..1 + self.random.below(5) / 3 {
                let dimension = match self.random.below(12) {
                    0 => "*".to_owned(),
                    1 => "/host|dc/".to_owned(),
                    2 => "nosuch".to_owned(),
                    _ => self.one_of(&names.tags),
                };
                if dimension.contains(['*', '/']) {
                    select.dimensions = vec![dimension];
                    break;
                }
                if !select.dimensions.contains(&dimension) {
                    select.dimensions.push(dimension);
                }
            }
        }
        self.tail(category, select, windowed);
    }

    fn tail(&mut self, category: Category, select: &mut Select, windowed: bool) {
        let fill_percent = match category {
            Category::Fill => 100,
            _ if windowed => 40,
            _ => 3,
        };
        if self.chance(fill_percent) {
            let option = self.random.pick(&[
                "null", "none", "previous", "linear", "0", "-1.5", "7", "previous", "linear",
            ]);
            select.tail.push(format!("fill({option})"));
        }
        let percent = if category == Category::Limit { 60 } else { 12 };
        if self.chance(percent / 2) {
            select.tail.push("ORDER BY time DESC".to_owned());
        }
        for word in ["LIMIT", "OFFSET"] {
            if self.chance(percent) {
                select.tail.push(format!("{word} {}", self.random.below(6)));
            }
        }
        if self.chance(percent / 4) {
            let limit = 1 + self.random.below(3);
            select.tail.push(format!("SLIMIT {limit}"));
            if self.chance(50) {
                let offset = self.random.below(3);
                select.tail.push(format!("SOFFSET {offset}"));
            }
        }
        if category == Category::Zone {
            let zone = self.random.pick(&[
                "America/Los_Angeles",
                "Asia/Kolkata",
                "Europe/Berlin",
                "UTC",
                "Australia/Lord_Howe",
            ]);
            select.tail.push(format!("tz('{zone}')"));
        }
    }

    /// A window length that gives a small number of windows over the data.
    fn window(&mut self, may_shift: bool) -> String {
        let step = self.span.step;
        let every = step * [1, 2, 3, 5, 7, 30, 60][self.random.below(7) as usize];
        if !may_shift || self.chance(70) {
            return format!("time({every}s)");
        }
        let offset = self.random.below(3 * every) - every;
        format!("time({every}s, {offset}s)")
    }

    fn moment(&mut self) -> i64 {
        let Span { start, step, steps } = self.span;
        let jitter = if self.chance(30) {
            self.random.below(step)
        } else {
            0
        };
        start + (self.random.below(steps + 6) - 3) * step + jitter
    }

    fn bound(&mut self, select: &mut Select) {
        let (mut a, mut b) = (self.moment(), self.moment());
        if self.chance(50) {
            let Span { start, step, steps } = self.span;
            (a, b) = (start - step, start + steps * step);
        }
        let lower = self.random.pick(&[">", ">="]);
        let upper = self.random.pick(&["<", "<="]);
        let (low, high) = (self.time(a.min(b)), self.time(a.max(b)));
        select.bounds = vec![
            format!("time {lower} {low}"),
            format!("time {upper} {high}"),
        ];
    }

    fn time(&mut self, seconds: i64) -> String {
        match self.random.below(4) {
            0 => format!("{}", seconds * 1_000_000_000),
            1 if (0..36_000).contains(&seconds) => {
                let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
                format!("'1970-01-01T{hours:02}:{minutes:02}:{:02}Z'", seconds % 60)
            }
            _ => format!("{seconds}s"),
        }
    }

    /// A query over a query, `depth` levels deep.
    fn nested(&mut self, depth: i64) -> Select {
        let stored = Names::stored();
        let categories = [
            Category::Raw,
            Category::Aggregate,
            Category::Selector,
            Category::Window,
            Category::Transform,
            Category::Top,
        ];
        let chosen = categories[self.random.below(6) as usize];
        let mut select = self.over(
            chosen,
            &Names {
                is_derived: true,
                ..stored
            },
        );
        select.sources.push(self.measurement());
        for _ in 0..depth {
            let has_calls = select.fields.iter().any(|field| field.contains('('));
            if has_calls && !select.dimensions.is_empty() {
                select.fields.truncate(1);
            }
            let inner_is_window = select.window.is_some();
            let names = self.export(&mut select);
            let chosen = match self.random.below(8) {
                0..3 => Category::Raw,
                3 if !inner_is_window => Category::Window,
                4 => Category::Selector,
                5 => Category::Condition,
                6 => Category::Multi,
                _ => Category::Aggregate,
            };
            let mut outer = self.over(chosen, &names);
            let is_call = outer.fields.iter().any(|field| field.contains('('));
            if is_call {
                let is_cut =
                    |part: &String| part.starts_with("LIMIT") || part.starts_with("OFFSET");
                select
                    .tail
                    .retain(|part| !is_cut(part) && part != "fill(previous)");
            }
            no_descending(&mut select);
            outer.sources = vec![Source::Query(Box::new(select))];
            if self.chance(6) {
                outer.sources.push(self.measurement());
            }
            select = outer;
        }
        select
    }

    /// Names the columns of a query and says what an outer query sees.
    fn export(&mut self, select: &mut Select) -> Names {
        let mut names = Names {
            numbers: Vec::new(),
            others: Vec::new(),
            tags: Vec::new(),
            is_derived: true,
        };
        for (index, field) in select.fields.iter_mut().enumerate() {
            if field.contains(" AS ") {
                *field = field.split(" AS ").next().unwrap_or_default().to_owned();
            }
            let is_other = ["s", "b", "(s)", "(b)"]
                .iter()
                .any(|end| field.ends_with(end));
            let is_tag = TAGS.iter().any(|(key, _)| key == field);
            if is_tag {
                names.tags.push(field.clone());
                continue;
            }
            let mut name = field.clone();
            if field.contains('(') || index % 2 == 1 {
                name = format!("c{index}");
                *field = format!("{field} AS {name}");
            }
            let list = if is_other && !field.contains("count") {
                &mut names.others
            } else {
                &mut names.numbers
            };
            list.push(name);
        }
        names.tags.extend(
            select
                .dimensions
                .iter()
                .filter(|d| TAGS.iter().any(|(key, _)| key == d))
                .cloned(),
        );
        if self.chance(15) {
            names.tags.push("host".to_owned());
        }
        names
    }
}

fn no_descending(select: &mut Select) {
    select.tail.retain(|part| !part.starts_with("ORDER BY"));
    for source in &mut select.sources {
        if let Source::Query(inner) = source {
            no_descending(inner);
        }
    }
}
