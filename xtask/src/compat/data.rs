//! Small random data sets for the comparison: few series, short ranges and few distinct values,
//! so that ties, gaps, missing tags and missing fields are the rule and not the exception.

use std::fmt::Write as _;

use crate::workload::Random;

/// Names of measurements; two need quotes.
pub(super) const MEASUREMENTS: [&str; 7] = [
    "cpu",
    "mem",
    "disk io",
    ODD_MEASUREMENT,
    MIXED_MEASUREMENT,
    EXTREME_MEASUREMENT,
    "o\"d,é=1",
];

/// Tag keys as they stand in a query, with the values they take. The empty value is a series
/// without the tag.
pub(super) const TAGS: [(&str, &[&str]); 4] = [
    ("host", &["a", "b", "c", ""]),
    ("dc", &["x", "y", ""]),
    ("rack", &["r 1", "r=2", "é,\\d", "", "", ""]),
    ("\"the zone\"", &["😀", "", "", "", "", "", ""]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Float,
    Integer,
    String,
    Boolean,
}

/// Field keys as they stand in a query, with the type that they usually have. In
/// [`ODD_MEASUREMENT`] `v` is an integer and `n` a float, so that one query meets both; in
/// [`MIXED_MEASUREMENT`] types change from one time partition to the next.
pub(super) const FIELDS: [(&str, FieldType); 7] = [
    ("v", FieldType::Float),
    ("x", FieldType::Float),
    ("n", FieldType::Integer),
    ("i", FieldType::Integer),
    ("s", FieldType::String),
    ("b", FieldType::Boolean),
    ("\"of x\"", FieldType::Float),
];

const ODD_MEASUREMENT: &str = "net";
const MIXED_MEASUREMENT: &str = "mix";
/// Its integers are near the limits of what 64 bits or a float's mantissa hold.
const EXTREME_MEASUREMENT: &str = "big";
/// A retention policy beside the default one.
pub(super) const OTHER_POLICY: &str = "rp 2";
const PARTITION_SECONDS: i64 = 3_600;

/// One database's data.
pub(super) struct DataSet {
    /// Line protocol in nanoseconds, cut into a few requests.
    pub(super) bodies: Vec<String>,
    /// The same for [`OTHER_POLICY`], which not every database has.
    pub(super) other_policy: Option<Vec<String>>,
    pub(super) span: Span,
}

/// The times at which points may be, in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) steps: i64,
}

/// Where the clocks of Los Angeles change.
const CLOCK_CHANGES: [i64; 2] = [954_669_600, 972_810_000];

pub(super) fn data_set(random: &mut Random) -> DataSet {
    let mut span = Span {
        start: [-7_200, -60, 0, 0, 3_500][random.below(5) as usize],
        step: [1, 10, 10, 60, 600][random.below(5) as usize],
        steps: 4 + random.below(30),
    };
    if random.below(5) == 0 {
        span.step = [600, 1_800, 3_600][random.below(3) as usize];
        let change = CLOCK_CHANGES[random.below(2) as usize];
        span.start = change - span.step * random.below(span.steps);
    }
    let bodies_of_default = bodies(span, random);
    let has_other = random.below(4) == 0;
    DataSet {
        bodies: bodies_of_default,
        other_policy: has_other.then(|| bodies(span, random)),
        span,
    }
}

fn bodies(span: Span, random: &mut Random) -> Vec<String> {
    let mut bodies = vec![String::new(); 1 + random.below(3) as usize];
    for measurement in MEASUREMENTS {
        if random.below(5) == 0 {
            continue;
        }
        let fields: Vec<_> = FIELDS
            .iter()
            .filter(|_| random.below(8) > 0)
            .copied()
            .collect();
        // Which type each field has in each partition, where that changes.
        let shift = random.below(5);
        for _ in 0..1 + random.below(6) {
            let series = series(measurement, random);
            let density = 1 + random.below(4);
            for index in 0..span.steps {
                if fields.is_empty() || random.below(4) >= density {
                    continue;
                }
                let seconds = span.start + index * span.step;
                let mut nanoseconds = seconds * 1_000_000_000;
                if random.below(30) == 0 {
                    nanoseconds += random.below(1_000);
                }
                let partition = seconds.div_euclid(PARTITION_SECONDS) + shift;
                let values = values(measurement, &fields, partition, random);
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

/// A name as line protocol writes it.
fn escaped(name: &str) -> String {
    name.replace(' ', "\\ ")
        .replace('=', "\\=")
        .replace(',', "\\,")
}

fn series(measurement: &str, random: &mut Random) -> String {
    let mut series = measurement.replace(' ', "\\ ").replace(',', "\\,");
    for (key, values) in TAGS {
        let value = random.pick(values);
        if !value.is_empty() {
            let key = escaped(key.trim_matches('"'));
            write!(series, ",{key}={}", escaped(value)).expect("writes to a String");
        }
    }
    series
}

fn values(
    measurement: &str,
    fields: &[(&str, FieldType)],
    partition: i64,
    random: &mut Random,
) -> String {
    let mut values = Vec::new();
    for (index, &(name, usual)) in fields.iter().enumerate() {
        if random.below(4) == 0 {
            continue;
        }
        let field_type = match (measurement, name) {
            (ODD_MEASUREMENT, "v") => FieldType::Integer,
            (ODD_MEASUREMENT, "n") => FieldType::Float,
            (MIXED_MEASUREMENT, _) => {
                let turn = (partition * 3 + index as i64).rem_euclid(6);
                // Floats and integers meet more often than others.
                [
                    FieldType::Float,
                    FieldType::Integer,
                    FieldType::String,
                    FieldType::Float,
                    FieldType::Integer,
                    FieldType::Boolean,
                ][turn as usize]
            }
            _ => usual,
        };
        let is_extreme = measurement == EXTREME_MEASUREMENT;
        let value = value(field_type, is_extreme, random);
        values.push(format!("{}={value}", escaped(name.trim_matches('"'))));
    }
    values.join(",")
}

fn value(field_type: FieldType, is_extreme: bool, random: &mut Random) -> String {
    match field_type {
        FieldType::Integer if is_extreme => {
            const EXTREMES: [i64; 9] = [
                i64::MAX,
                i64::MIN,
                i64::MAX - 1,
                (1 << 53) + 1,
                -(1 << 53) - 1,
                1 << 62,
                0,
                -1,
                1,
            ];
            format!("{}i", EXTREMES[random.below(9) as usize])
        }
        // Quarters: sums are exact in any order of addition.
        FieldType::Float => format!("{}", (random.below(80) - 20) as f64 / 4.0),
        FieldType::Integer => format!("{}i", random.below(40) - 10),
        FieldType::String => {
            let text = random.pick(&[
                "x", "y", "z", "", "a \\\"b", "é😀", "a\\\\b", "<&>", "t\tl\nn", "'",
            ]);
            format!("\"{text}\"")
        }
        FieldType::Boolean => random.pick(&["true", "false"]).to_owned(),
    }
}

/// A name as a query writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\\\""))
}
