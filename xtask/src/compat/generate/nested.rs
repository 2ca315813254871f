//! Queries over queries.

use super::{Category, Generator, Names, no_descending};
use crate::compat::{
    data::TAGS,
    query::{Select, Source},
};

impl Generator<'_> {
    /// A query over a query, `depth` levels deep.
    pub(super) fn nested(&mut self, depth: i64) -> Select {
        let stored = Names::stored();
        let categories = [
            Category::Raw,
            Category::Aggregate,
            Category::Selector,
            Category::Window,
            Category::Transform,
            Category::Top,
            Category::Raw,
            Category::Fill,
            Category::Arithmetic,
            Category::Multi,
            Category::Technical,
        ];
        let chosen = categories[self.random.below(11) as usize];
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
            let chosen = match self.random.below(13) {
                0..3 => Category::Raw,
                3 if !inner_is_window => Category::Window,
                4 => Category::Selector,
                5 => Category::Condition,
                6 => Category::Multi,
                7 => Category::Transform,
                8 => Category::Arithmetic,
                9 if !inner_is_window => Category::Fill,
                10 => Category::Wildcard,
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
            // Where rows of several groups meet, their order is not the same there.
            let own_times = ["sample(", "top(", "bottom(", "distinct("];
            let is_grouped = !select.dimensions.is_empty();
            if is_grouped {
                no_descending(&mut outer);
            }
            if is_grouped && is_call {
                let has_own = |field: &String| own_times.iter().any(|it| field.contains(it));
                if select.fields.iter().any(has_own) {
                    select.dimensions.clear();
                }
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
    pub(super) fn export(&mut self, select: &mut Select) -> Names {
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
