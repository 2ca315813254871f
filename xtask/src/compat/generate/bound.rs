//! Queries with bound parameters of every kind, also of those that do not fit their place.

use super::{Format, Generator, Request, Statement};
use crate::compat::data::{MEASUREMENTS, quoted};

/// What a place of a query takes, as text and as the JSON value of a parameter.
type Slot = (&'static str, &'static [(&'static str, &'static str)]);

const SLOTS: [Slot; 8] = [
    (
        "field",
        &[
            ("v", r#"{"ident":"v"}"#),
            ("\"of x\"", r#"{"identifier":"of x"}"#),
            ("/v|n/", r#"{"regex":"v|n"}"#),
            ("mean(v)", r#"{"ident":"mean"}"#),
        ],
    ),
    (
        "source",
        &[
            ("cpu", r#"{"ident":"cpu"}"#),
            ("\"disk io\"", r#"{"identifier":"disk io"}"#),
            ("/cpu|mem/", r#"{"regex":"cpu|mem"}"#),
        ],
    ),
    (
        "tag",
        &[
            ("host", r#"{"ident":"host"}"#),
            ("'a'", r#""a""#),
            ("dc", r#"{"identifier":"dc"}"#),
        ],
    ),
    (
        "text",
        &[
            ("'a'", r#""a""#),
            ("'x'", r#"{"string":"x"}"#),
            ("''", r#""""#),
            ("'it\\'s'", r#""it's""#),
            ("'é\\n'", "\"\\u00e9\\n\""),
        ],
    ),
    (
        "regex",
        &[
            ("/a|b/", r#"{"regex":"a|b"}"#),
            ("/./", r#"{"regex":"."}"#),
            ("/\\//", r#"{"regex":"/"}"#),
        ],
    ),
    (
        "number",
        &[
            ("1", "1"),
            ("-2", "-2"),
            ("2.5", "2.5"),
            ("0.25", r#"{"float":0.25}"#),
            ("3", r#"{"integer":3}"#),
            ("-1", r#"{"int":-1}"#),
            ("4", r#"{"number":4}"#),
            ("true", "true"),
        ],
    ),
    (
        "time",
        &[
            ("10s", r#"{"duration":"10s"}"#),
            ("1s", r#"{"duration":1000000000}"#),
            ("1000000000", "1000000000"),
            ("'1970-01-01T00:00:10Z'", r#""1970-01-01T00:00:10Z""#),
            ("-1h", r#"{"duration":"-1h"}"#),
        ],
    ),
    (
        "count",
        &[
            ("1", "1"),
            ("2", r#"{"integer":2}"#),
            ("0", "0"),
            ("3", r#"{"int":3}"#),
        ],
    ),
];

/// Values that few places take.
const ODD: [&str; 22] = [
    "null",
    "[1]",
    "{}",
    r#"{"a":1,"b":2}"#,
    r#"{"nosuch":1}"#,
    r#"{"integer":2.5}"#,
    r#"{"integer":"2"}"#,
    r#"{"string":5}"#,
    r#"{"ident":5}"#,
    r#"{"regex":5}"#,
    r#"{"float":"x"}"#,
    r#"{"duration":true}"#,
    r#"{"duration":"10x"}"#,
    r#"{"duration":2.5}"#,
    "9223372036854775807",
    "-9223372036854775808",
    "1e3",
    "false",
    r#""/a/""#,
    r#"{"ident":""}"#,
    r#"{"ident":"select"}"#,
    "-1.0",
];

const TEMPLATES: [&str; 9] = [
    "SELECT {field} FROM {source} WHERE {tag} = {text} LIMIT {count}",
    "SELECT {field} FROM {source} WHERE {tag} =~ {regex} AND v > {number}",
    "SELECT v, n FROM {source} WHERE time >= {time} AND s != {text} ORDER BY time LIMIT {count} OFFSET {count}",
    "SELECT mean(v) FROM {source} WHERE time >= 0s AND time < 100s GROUP BY time({time}), {tag} fill({number})",
    "SELECT percentile(v, {number}) FROM {source} GROUP BY {tag} SLIMIT {count}",
    "SELECT {field} + {number} AS {tag} FROM (SELECT v FROM {source} WHERE n < {number})",
    "SHOW TAG VALUES FROM {source} WITH KEY = {tag} WHERE dc =~ {regex} LIMIT {count}",
    "SHOW TAG VALUES WITH KEY IN (host, {tag})",
    "SELECT top({field}, {count}) FROM {source} WHERE b = {number}",
];

impl Generator<'_> {
    pub(super) fn bound_request(&mut self) -> Request {
        let template = self.random.pick(&TEMPLATES);
        let mut text = String::new();
        let mut parameters = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(&self.filled(slot, &mut parameters));
            rest = after;
        }
        text.push_str(rest);
        let mut request = Request {
            statement: Statement::Text(vec![text]),
            more: Vec::new(),
            format: Format::Json,
        };
        if !parameters.is_empty() || self.chance(10) {
            let mut json = format!("{{{}}}", parameters.join(","));
            if self.chance(2) {
                json.pop();
            }
            request.more.push(("params", json));
        }
        request
    }

    /// A literal or a parameter whose value it adds.
    fn filled(&mut self, slot: &str, parameters: &mut Vec<String>) -> String {
        let choices = SLOTS
            .iter()
            .find_map(|(name, choices)| (*name == slot).then_some(*choices))
            .unwrap_or_default();
        if choices.is_empty() || (slot == "source" && self.chance(30)) {
            return quoted(self.random.pick(&MEASUREMENTS));
        }
        let (literal, value) = choices[self.random.below(choices.len() as i64) as usize];
        if self.chance(35) {
            return literal.to_owned();
        }
        let value = match self.random.below(20) {
            0 | 1 => self.random.pick(&ODD),
            2 => {
                let (_, others) = SLOTS[self.random.below(SLOTS.len() as i64) as usize];
                others[self.random.below(others.len() as i64) as usize].1
            }
            _ => value,
        };
        let index = parameters.len();
        let name = match self.random.below(12) {
            0 => format!("select{index}"),
            1 => "from".to_owned(),
            _ => format!("p{index}"),
        };
        if !self.chance(3) {
            parameters.push(format!("\"{name}\":{value}"));
        }
        if self.chance(10) {
            format!("$\"{name}\"")
        } else {
            format!("${name}")
        }
    }
}
