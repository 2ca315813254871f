//! Random predicates on tags and fields.

use super::{Generator, Names};

impl Generator<'_> {
    pub(super) fn condition(&mut self, names: &Names, depth: i64) -> String {
        match self.random.below(if depth > 0 { 15 } else { 10 }) {
            14 if !names.is_derived => {
                // A bound counts wherever it stands.
                let time = self.moment();
                let inner = self.condition(names, depth - 1);
                format!("({inner} OR time > {time}s)")
            }
            0..4 => self.tag_condition(names),
            4..10 => self.field_condition(names),
            10 => format!("({})", self.condition(names, depth - 1)),
            n => {
                let operator = if n == 11 { "AND" } else { "OR" };
                let left = self.condition(names, depth - 1);
                format!("({left} {operator} {})", self.condition(names, depth - 1))
            }
        }
    }

    pub(super) fn tag_condition(&mut self, names: &Names) -> String {
        let key = match self.random.below(12) {
            0 => "nosuch".to_owned(),
            _ => self.of(names, |names| &names.tags),
        };
        let value = match key.as_str() {
            "host" => self.random.pick(&["a", "b", "c", "", "x"]),
            "dc" => self.random.pick(&["x", "y", "", "a"]),
            _ => self.random.pick(&["r 1", "r=2", "", "none"]),
        };
        match self.random.below(12) {
            0..3 => format!("{key} = '{value}'"),
            3 | 4 => format!("{key} != '{value}'"),
            5 => format!(
                "{key} =~ /{}/",
                self.random.pick(&["a|b", "^x", ".*", "", "r"])
            ),
            6 => format!("{key} !~ /{}/", self.random.pick(&["a|b", "^x", ".", "r"])),
            7 => format!("'{value}' = {key}"),
            8 if !names.is_derived => {
                let operator = self.random.pick(&["<", "<=", ">", ">="]);
                format!("{key} {operator} '{value}'")
            }
            9 => {
                let operator = self.random.pick(&["=", "!=", "<"]);
                let literal = self.random.pick(&["1", "true", "2.5", "s", "10s"]);
                format!("{key} {operator} {literal}")
            }
            10 if !names.is_derived => self
                .random
                .pick(&[
                    "host::tag = 'a'",
                    "host::field = 'a'",
                    "_name = 'cpu'",
                    "rack = 'é,\\\\d'",
                    "\"the zone\" = '😀'",
                    "\"the zone\" !~ /😀/",
                    "(host = 'a') = true",
                    "true",
                    "1 = 2",
                    "'a' = 'a'",
                ])
                .to_owned(),
            _ => format!("{key} = {}", self.of(names, |names| &names.tags)),
        }
    }

    pub(super) fn field_condition(&mut self, names: &Names) -> String {
        let operator = self.random.pick(&["=", "!=", "<", "<=", ">", ">="]);
        let value = self.random.below(24) - 6;
        let (a, b) = (self.number(names), self.number(names));
        match self.random.below(19) {
            0..5 => format!("{a} {operator} {value}"),
            5 => format!("{a} {operator} {value}.25"),
            6 => format!("{a} {operator} {b}"),
            7 => {
                let arithmetic = self.random.pick(&["+", "-", "*", "/", "%"]);
                format!("{a} {arithmetic} {b} {operator} {value}")
            }
            8 => format!("{a} / 4 {operator} {value}"),
            9 | 10 => {
                let text = self
                    .random
                    .pick(&["x", "y", "", "nope", "a \"b", "a\\\\b", "\\'", "é😀", "<&>"]);
                let (other, operator) = self.other_and_equality(names, "s");
                format!("{other} {operator} '{text}'")
            }
            11 => {
                let (other, operator) = self.other_and_equality(names, "b");
                let value = self.random.pick(&["true", "false"]);
                format!("{other} {operator} {value}")
            }
            12 => format!("{a} {operator} '{value}'"),
            13 => {
                let (other, _) = self.other_and_equality(names, "s");
                let operator = self.random.pick(&["=~", "!~"]);
                let regex = self
                    .random
                    .pick(&["x|y", "^$", "é", ".", "[^a-y]", "(?i)X", "\\s", "a/b"]);
                format!("{other} {operator} /{}/", regex.replace('/', "\\/"))
            }
            14 if !names.is_derived => {
                let call = self.random.pick(&[
                    "abs(x)",
                    "floor(v / 2)",
                    "pow(v, 2)",
                    "sqrt(v)",
                    "atan2(v, n)",
                    "round(x)",
                    "abs(x, v)",
                    "max(v)",
                    "ceil(v) + n",
                ]);
                format!("{call} {operator} {value}")
            }
            15 => self
                .random
                .pick(&[
                    "b",
                    "v",
                    "5",
                    "'x'",
                    "v + 1",
                    "b AND v > 1",
                    "n & 1 = 1",
                    "n | 2 > 3",
                    "b = b",
                    "n < 9223372036854775808",
                    "n = 9223372036854775807",
                    "v > 1e3",
                    "n % 3 = 0",
                    "v > 10s",
                    "1 / 2 < v",
                    "x::integer = 2",
                    "n::float > 0.5",
                    "v::string = 'x'",
                ])
                .to_owned(),
            _ => format!("({a} > {value}) = ({b} > 2)"),
        }
    }

    fn other_and_equality(&mut self, names: &Names, stored: &str) -> (String, &'static str) {
        let other = if names.is_derived {
            self.of(names, |names| &names.others)
        } else {
            stored.to_owned()
        };
        (other, self.random.pick(&["=", "!="]))
    }

    /// Predicates on tags that mean the same everywhere.
    pub(super) fn tag_condition_of_literal(&mut self, names: &Names) -> String {
        let key = self.one_of(&names.tags);
        let value = self.random.pick(&["a", "b", "x", "", "none"]);
        let regex = self.random.pick(&["a|b", "^x", "r"]);
        match self.random.below(6) {
            0 | 1 => format!("{key} = '{value}'"),
            2 => format!("{key} != '{value}'"),
            3 => format!("{key} =~ /{regex}/"),
            4 => format!("{key} !~ /{regex}/"),
            _ => {
                let other = self.one_of(&names.tags);
                let operator = self.random.pick(&["AND", "OR"]);
                format!("{key} = '{value}' {operator} {other} != 'b'")
            }
        }
    }
}
