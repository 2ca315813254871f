//! What stands between SELECT and FROM: columns, calls and arithmetic.

use super::{Generator, Names};
use crate::compat::query::Select;

impl Generator<'_> {
    pub(super) fn raw(&mut self, select: &mut Select, names: &Names) {
        for index in 0..1 + self.random.below(4) {
            let column = self.column(names);
            if self.chance(3) {
                select
                    .fields
                    .push(self.random.pick(&["time", "time AS t"]).to_owned());
            }
            let column = if !names.is_derived && self.chance(4) {
                let to = self
                    .random
                    .pick(&["float", "integer", "string", "tag", "field"]);
                format!("{column}::{to}")
            } else {
                column
            };
            let alias = if self.chance(10) {
                format!(" AS a{index}")
            } else {
                String::new()
            };
            select.fields.push(column + &alias);
        }
    }

    pub(super) fn aggregate(&mut self, names: &Names) -> String {
        let field = self.number(names);
        let (mode, stddev) = if names.is_derived {
            ("count", "mean")
        } else {
            ("mode", "stddev")
        };
        let name = self.random.pick(&[
            "count", "sum", "mean", "median", mode, "spread", stddev, "distinct", "count", "sum",
            "mean",
        ]);
        match self.random.below(25) {
            0 => format!("count(distinct({field}))"),
            1 if !names.is_derived => format!("integral({field})"),
            2 => format!("{name}({})", self.of(names, |names| &names.others)),
            _ => format!("{name}({field})"),
        }
    }

    pub(super) fn selector(&mut self, names: &Names) -> String {
        let field = self.number(names);
        match self.random.below(10) {
            0 if !names.is_derived => {
                let percents = [
                    "0", "5", "50", "90", "100", "99.9", "-5", "104", "33.3", "'x'",
                ];
                let percent = self.random.pick(&percents);
                format!("percentile({field}, {percent})")
            }
            1 => format!("sample({field}, 1000)"),
            2 => format!("first({})", self.of(names, |names| &names.others)),
            3 => format!("last({})", self.of(names, |names| &names.others)),
            _ => format!(
                "{}({field})",
                self.random.pick(&["first", "last", "min", "max"])
            ),
        }
    }

    pub(super) fn call(&mut self, names: &Names) -> String {
        if self.chance(60) {
            self.aggregate(names)
        } else {
            self.selector(names)
        }
    }

    pub(super) fn wildcard(&mut self, select: &mut Select) {
        let field = match self.random.below(8) {
            0 | 1 => "*".to_owned(),
            2 => self
                .random
                .pick(&["*::field", "*::tag", "/v|n|host/", "/^[is]/"])
                .to_owned(),
            n => {
                let name = self.random.pick(&[
                    "count",
                    "first",
                    "last",
                    "min",
                    "max",
                    "sum",
                    "mean",
                    "mode",
                    "distinct",
                    "derivative",
                ]);
                let argument = ["*", "*::field", "/v|n/", "*", "/x|i|s/"][n as usize - 3];
                format!("{name}({argument})")
            }
        };
        select.fields.push(field);
        if self.chance(20) {
            select
                .fields
                .push(self.random.pick(&["v", "host", "s", "count(v)"]).to_owned());
        }
    }

    pub(super) fn expression(&mut self, leaves: &[String], depth: i64) -> String {
        if depth == 0 || self.chance(25) {
            return match self.random.below(6) {
                0 => format!("{}", self.random.below(9) - 2),
                1 => format!("{}.5", self.random.below(5)),
                _ => self.one_of(leaves),
            };
        }
        let left = self.expression(leaves, depth - 1);
        match self.random.below(10) {
            0 => format!("({left})"),
            1 => {
                let name = self.random.pick(&[
                    "sin", "cos", "tan", "atan", "exp", "ln", "log2", "log10", "sqrt", "floor",
                    "ceil", "round", "asin", "acos",
                ]);
                format!("{name}({left})")
            }
            2 => {
                let right = self.expression(leaves, depth - 1);
                format!(
                    "{}({left}, {right})",
                    self.random.pick(&["pow", "atan2", "log"])
                )
            }
            3 => "abs(x)".to_owned(),
            _ => {
                let right = self.expression(leaves, depth - 1);
                let operator = self
                    .random
                    .pick(&["+", "-", "*", "/", "%", "+", "-", "&", "|", "^"]);
                format!("{left} {operator} {right}")
            }
        }
    }

    pub(super) fn arithmetic(&mut self, select: &mut Select, names: &Names) {
        let leaves: Vec<String> = if self.chance(60) {
            vec![self.number(names), self.number(names), self.number(names)]
        } else {
            (0..2).map(|_| self.call(names)).collect()
        };
        for _ in 0..1 + self.random.below(2) {
            let expression = self.expression(&leaves, 3);
            let has_column = leaves.iter().any(|leaf| expression.contains(leaf.as_str()));
            let is_mixed = expression.contains("abs(x)") && leaves[0].contains('(');
            if has_column && !is_mixed {
                select.fields.push(expression);
            }
        }
        if select.fields.is_empty() {
            select.fields.push(format!("{} * 2", leaves[0]));
        }
    }

    /// The input of a transformation: a column, or a call below GROUP BY time.
    pub(super) fn input(&mut self, select: &mut Select, names: &Names) -> String {
        if select.window.is_none() && self.chance(50) && select.fields.is_empty() {
            select.window = Some(self.window(true));
        }
        if select.window.is_none() {
            return self.number(names);
        }
        let field = self.number(names);
        let name = self
            .random
            .pick(&["mean", "sum", "count", "max", "min", "first", "last"]);
        format!("{name}({field})")
    }

    pub(super) fn transform(&mut self, select: &mut Select, names: &Names) {
        for _ in 0..1 + self.random.below(4) / 3 {
            let mut input = self.input(select, names);
            if self.chance(12) {
                input = format!("difference({input})");
            }
            let unit = self.random.pick(&[
                "", ", 1s", ", 10s", ", 1m", ", 3s", ", 1ns", ", 1w2d", ", 250ms", ", 7u", ", 0s",
                ", 5",
            ]);
            let call = match self.random.below(8) {
                0 => format!("derivative({input}{unit})"),
                1 => format!("non_negative_derivative({input}{unit})"),
                2 => format!("difference({input})"),
                3 => format!("non_negative_difference({input})"),
                4 => format!("elapsed({input}{unit})"),
                5 => format!("cumulative_sum({input})"),
                6 => format!(
                    "moving_average({input}, {})",
                    [1, 2, 2, 3, 4, 5, 30][self.random.below(7) as usize]
                ),
                _ => format!("derivative({input})"),
            };
            select.fields.push(call);
        }
        if select.window.is_some() && self.chance(15) {
            let call = self.call(names);
            select.fields.push(call);
        }
    }

    pub(super) fn technical(&mut self, select: &mut Select, names: &Names) {
        if self.chance(15) {
            select.window = Some(self.window(false));
            let name = self.random.pick(&["holt_winters", "holt_winters_with_fit"]);
            let season = self.random.below(6);
            let count = self.random.below(6);
            let field = self.number(names);
            select
                .fields
                .push(format!("{name}(first({field}), {count}, {season})"));
            return;
        }
        let input = self.input(select, names);
        let period = [0, 1, 2, 2, 3, 3, 4, 5, 40][self.random.below(9) as usize];
        let name = self.random.pick(&[
            "exponential_moving_average",
            "double_exponential_moving_average",
            "triple_exponential_moving_average",
            "triple_exponential_derivative",
            "relative_strength_index",
            "kaufmans_efficiency_ratio",
            "kaufmans_adaptive_moving_average",
            "chande_momentum_oscillator",
        ]);
        let mut arguments = format!("{input}, {period}");
        if self.chance(35) {
            arguments += &format!(", {}", self.random.below(7) - 1);
            if !name.starts_with("kaufmans") && self.chance(50) {
                arguments += self.random.pick(&[", 'simple'", ", 'exponential'"]);
            }
        }
        select.fields.push(format!("{name}({arguments})"));
    }

    pub(super) fn top(&mut self, select: &mut Select, names: &Names) {
        let name = self.random.pick(&["top", "bottom"]);
        let field = self.number(names);
        let mut keys = String::new();
        for _ in 0..self.random.below(3) {
            keys += &format!(", {}", self.of(names, |names| &names.tags));
        }
        let count = [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 100][self.random.below(11) as usize];
        select
            .fields
            .push(format!("{name}({field}{keys}, {count})"));
        for _ in 0..self.random.below(5) / 3 {
            select.fields.push(self.column(names));
        }
    }

    pub(super) fn cast(&mut self, select: &mut Select) {
        let fields = ["v", "x", "n", "s", "b", "host", "nosuch"];
        let types = ["float", "integer", "string", "boolean", "field", "tag"];
        for _ in 0..1 + self.random.below(2) {
            let (field, to) = (self.random.pick(&fields), self.random.pick(&types));
            select.fields.push(match self.random.below(4) {
                0 => format!("sum({field}::{to})"),
                1 => format!("count({field}::{to})"),
                _ => format!("{field}::{to}"),
            });
        }
        let is_call = |field: &String| field.contains('(');
        if !select.fields.iter().all(is_call) {
            select.fields.retain(|field| !is_call(field));
        }
    }
}
