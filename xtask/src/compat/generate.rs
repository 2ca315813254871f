//! Random statements over the whole grammar, by category. Cases that `known.rs` lists as left
//! out are never made.

mod bound;
mod clauses;
mod condition;
mod fields;
mod nested;
mod show;
mod text;

use super::{
    Place,
    data::{FIELDS, FieldType, MEASUREMENTS, OTHER_POLICY, TAGS, quoted},
    query::{Format, Request, Select, Source, Statement},
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
    Bound,
    Format,
    Delete,
}

impl Category {
    pub(super) const ALL: [Self; 24] = [
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
        Self::Bound,
        Self::Format,
        Self::Delete,
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
            Self::Bound => "bound",
            Self::Format => "format",
            Self::Delete => "delete",
        }
    }

    pub(super) fn any(random: &mut Random) -> Self {
        Self::ALL[random.below(Self::ALL.len() as i64) as usize]
    }
}

/// A request of that category about that data.
pub(super) fn request(category: Category, place: &Place, random: &mut Random) -> Request {
    let mut generator = Generator { random, place };
    match category {
        // Some of them are SHOW statements, which list all policies in 1.6.7.
        Category::Bound if !place.has_other_policy => generator.bound_request(),
        Category::Format => generator.in_other_format(),
        _ => Request::new(generator.statement(category)),
    }
}

/// A condition on tags and time that DELETE understands.
pub(super) fn delete_condition(place: &Place, random: &mut Random) -> String {
    let mut generator = Generator { random, place };
    let mut parts = Vec::new();
    if generator.chance(70) {
        parts.push(generator.tag_condition(&Names::stored()));
    }
    if parts.is_empty() || generator.chance(50) {
        let time = generator.moment();
        let operator = generator.random.pick(&["<", "<=", ">", ">=", "="]);
        parts.push(format!("time {operator} {}", generator.time(time)));
    }
    let joint = generator.random.pick(&[" AND ", " AND ", " OR "]);
    parts.join(joint)
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
    place: &'a Place,
}

impl Generator<'_> {
    fn statement(&mut self, category: Category) -> Statement {
        match category {
            // These list all policies in 1.6.7 and the default one since.
            Category::Show if self.place.has_other_policy => {
                Statement::Select(self.select(Category::Wildcard))
            }
            Category::Show => Statement::Text(self.show()),
            Category::Several => Statement::Text(vec![self.several()]),
            Category::Invalid => Statement::Text(vec![self.invalid()]),
            _ => Statement::Select(self.select(category)),
        }
    }

    /// A plain query whose answer comes in pieces, as CSV or as MessagePack, with times in any
    /// unit.
    fn in_other_format(&mut self) -> Request {
        let categories = [
            Category::Raw,
            Category::Raw,
            Category::Aggregate,
            Category::Window,
            Category::Selector,
            Category::Show,
            Category::Several,
        ];
        let chosen = categories[self.random.below(7) as usize];
        let mut request = Request::new(self.statement(chosen));
        if self.chance(60) {
            let unit = self.random.pick(&["h", "m", "s", "ms", "u", "ns"]);
            request.more.push(("epoch", unit.to_owned()));
        } else if self.chance(50) {
            // An empty parameter is not sent; times are text then.
            request.more.push(("epoch", String::new()));
        }
        if self.chance(60) {
            request.more.push(("chunked", "true".to_owned()));
            let size = self
                .random
                .pick(&["1", "2", "3", "7", "100", "0", "-1", "x", ""]);
            request.more.push(("chunk_size", size.to_owned()));
        }
        request.format = match self.random.below(3) {
            0 => Format::Csv,
            1 => Format::MessagePack,
            _ => Format::Json,
        };
        request
    }

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
        let name = quoted(self.random.pick(&MEASUREMENTS));
        Source::Name(match self.random.below(40) {
            0 => "nosuch".to_owned(),
            1 => format!("autogen.{name}"),
            2 => self
                .random
                .pick(&["/cpu|net/", "/^m/", "autogen./i/"])
                .to_owned(),
            3 if self.place.has_other_policy => format!("\"{OTHER_POLICY}\".{name}"),
            _ => name,
        })
    }

    /// A source of another policy or database.
    fn elsewhere(&mut self) -> Source {
        let name = quoted(self.random.pick(&MEASUREMENTS));
        let neighbour = &self.place.neighbour;
        Source::Name(match self.random.below(8) {
            0 => format!("{neighbour}..{name}"),
            1 => format!("{neighbour}.autogen.{name}"),
            2 => format!("{neighbour}../e/"),
            3 => format!("{neighbour}.autogen./^[cm]/"),
            4 => format!("nowhere.{name}"),
            _ if self.place.has_other_policy && self.chance(30) => {
                format!("\"{OTHER_POLICY}\"./c|e/")
            }
            _ if self.place.has_other_policy => format!("\"{OTHER_POLICY}\".{name}"),
            _ => format!("autogen.{name}"),
        })
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
                let source = if self.chance(25) {
                    self.elsewhere()
                } else if self.chance(35) {
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
        // Sums that cancel out depend on the order of addition.
        if text.contains("\"big\"") || text.contains('/') {
            select.replace(&[("mean(", "sum("), ("stddev(", "spread(")]);
        }
        if select.sources.len() > 1 || text.contains('/') {
            select.fields.retain(|field| !is_integral(field));
            if select.fields.is_empty() {
                select.fields.push("mean(v)".to_owned());
            }
        }
        // Runs of equal values: with more than twelve points InfluxDB's sort mixes them.
        let is_unstable =
            text.contains("mode(") || (text.contains("percentile(") && select.window.is_none());
        if is_unstable {
            select.window = Some(format!("time({}s)", self.place.span.step));
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
}

fn no_descending(select: &mut Select) {
    select.tail.retain(|part| !part.starts_with("ORDER BY"));
    for source in &mut select.sources {
        if let Source::Query(inner) = source {
            no_descending(inner);
        }
    }
}
