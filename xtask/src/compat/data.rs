//! Small random data sets for the comparison: few series, short ranges and few distinct values,
//! so that ties, gaps, missing tags and missing fields are the rule and not the exception.

use std::fmt::Write as _;

use crate::workload::Random;

/// Names of measurements; one needs quotes.
pub(super) const MEASUREMENTS: [&str; 4] = ["cpu", "mem", "disk io", "net"];

/// Tag keys with the values they take. The empty value is a series without the tag.
pub(super) const TAGS: [(&str, &[&str]); 3] = [
    ("host", &["a", "b", "c", ""]),
    ("dc", &["x", "y", ""]),
    ("rack", &["r 1", "r=2", "é,\\d", "", "", ""]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Float,
    Integer,
    String,
    Boolean,
}

/// Field keys with the type that they usually have. In [`ODD_MEASUREMENT`] `v` is an integer and
/// `n` a float, so that one query meets both.
pub(super) const FIELDS: [(&str, FieldType); 6] = [
    ("v", FieldType::Float),
    ("x", FieldType::Float),
    ("n", FieldType::Integer),
    ("i", FieldType::Integer),
    ("s", FieldType::String),
    ("b", FieldType::Boolean),
];

const ODD_MEASUREMENT: &str = "net";

/// One database's data.
pub(super) struct DataSet {
    /// Line protocol in nanoseconds, cut into a few requests.
    pub(super) bodies: Vec<String>,
    pub(super) span: Span,
}

/// The times at which points may be, in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) steps: i64,
}

pub(super) fn data_set(random: &mut Random) -> DataSet {
    let span = Span {
        start: [-7_200, -60, 0, 0, 3_500][random.below(5) as usize],
        step: [1, 10, 10, 60, 600][random.below(5) as usize],
        steps: 4 + random.below(30),
    };
    DataSet {
        bodies: bodies(span, random),
        span,
    }
}

fn bodies(span: Span, random: &mut Random) -> Vec<String> {
    let mut bodies = vec![String::new(); 1 + random.below(3) as usize];
    for measurement in MEASUREMENTS {
        if random.below(12) == 0 {
            continue;
        }
        let fields: Vec<_> = FIELDS
            .iter()
            .filter(|_| random.below(8) > 0)
            .copied()
            .collect();
        for _ in 0..1 + random.below(6) {
            let series = series(measurement, random);
            let density = 1 + random.below(4);
            for index in 0..span.steps {
                if fields.is_empty() || random.below(4) >= density {
                    continue;
                }
                let mut nanoseconds = (span.start + index * span.step) * 1_000_000_000;
                if random.below(30) == 0 {
                    nanoseconds += random.below(1_000);
                }
                let values = values(measurement, &fields, random);
                if !values.is_empty() {
                    let body = random.below(bodies.len() as i64) as usize;
                    writeln!(bodies[body], "{series} {values} {nanoseconds}")
                        .expect("writes to a String");
                }
            }
        }
    }
    bodies.retain(|body| !body.is_empty());
    bodies
}

fn series(measurement: &str, random: &mut Random) -> String {
    let mut series = measurement.replace(' ', "\\ ");
    for (key, values) in TAGS {
        let value = random.pick(values);
        if !value.is_empty() {
            let escaped = value
                .replace(' ', "\\ ")
                .replace('=', "\\=")
                .replace(',', "\\,");
            write!(series, ",{key}={escaped}").expect("writes to a String");
        }
    }
    series
}

fn values(measurement: &str, fields: &[(&str, FieldType)], random: &mut Random) -> String {
    let mut values = Vec::new();
    for &(name, usual) in fields {
        if random.below(4) == 0 {
            continue;
        }
        let field_type = match (measurement == ODD_MEASUREMENT, name) {
            (true, "v") => FieldType::Integer,
            (true, "n") => FieldType::Float,
            _ => usual,
        };
        let value = match field_type {
            // Quarters: sums are exact in any order of addition.
            FieldType::Float => format!("{}", (random.below(80) - 20) as f64 / 4.0),
            FieldType::Integer => format!("{}i", random.below(40) - 10),
            FieldType::String => format!("\"{}\"", random.pick(&["x", "y", "z", "", "a \\\"b"])),
            FieldType::Boolean => random.pick(&["true", "false"]).to_owned(),
        };
        values.push(format!("{name}={value}"));
    }
    values.join(",")
}
