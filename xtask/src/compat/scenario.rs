//! Sequences of DELETE and DROP MEASUREMENT, each followed by a look at what is left, on a
//! database of its own.

use anyhow::Result;
use serde_json::Value;

use super::{
    Comparison, Place, compare,
    data::{self, DataSet, MEASUREMENTS, quoted},
    generate, known,
    query::Request,
};
use crate::workload::Random;

/// What shows the data that is left. Tags of deleted series stay listed in 1.6.7 until their
/// measurement has no series in the time partition, so that nothing here lists tags by themselves.
const LOOKS: [&str; 8] = [
    "SELECT v, n, i, s, b FROM /.*/ GROUP BY host",
    "SELECT count(v), count(s) FROM /.*/ GROUP BY host, dc",
    "SELECT last(n), first(v) FROM /.*/",
    "SHOW SERIES",
    "SHOW MEASUREMENTS",
    "SHOW FIELD KEYS",
    "SHOW TAG VALUES WITH KEY IN (host, dc) WHERE dc != 'none'",
    "SHOW SERIES FROM cpu WHERE host = 'a'",
];

/// Runs one sequence; whether the servers differed.
pub(super) fn run(servers: &Comparison, database: &str, random: &mut Random) -> Result<bool> {
    let data = DataSet {
        other_policy: None,
        ..data::data_set(random)
    };
    let place = Place {
        span: data.span,
        has_other_policy: false,
        neighbour: database.to_owned(),
        is_neighbour_simple: true,
    };
    let mut steps = Vec::new();
    for _ in 0..1 + random.below(4) {
        steps.push(change(&place, random));
        for _ in 0..1 + random.below(3) {
            steps.push(random.pick(&LOOKS).to_owned());
        }
    }
    let Some(mut found) = first_difference(servers, database, &data, &steps)? else {
        return Ok(false);
    };
    let mut index = 0;
    let mut attempt = 0;
    while index + 1 < steps.len() {
        let mut shorter = steps.clone();
        shorter.remove(index);
        attempt += 1;
        let name = format!("{database}s{attempt}");
        match first_difference(servers, &name, &data, &shorter)? {
            Some(difference) => (steps, found) = (shorter, difference),
            None => index += 1,
        }
    }
    println!(
        "DIFFERENT [delete] in {database}: {}\n{found}",
        steps.join("; ")
    );
    Ok(true)
}

fn change(place: &Place, random: &mut Random) -> String {
    let name = quoted(random.pick(&MEASUREMENTS));
    if random.below(6) == 0 {
        return format!("DROP MEASUREMENT {name}");
    }
    let from = match random.below(5) {
        0 => String::new(),
        1 => random
            .pick(&[" FROM /.*/", " FROM /c|e/", " FROM nosuch, cpu"])
            .to_owned(),
        _ => format!(" FROM {name}"),
    };
    if !from.is_empty() && random.below(6) == 0 {
        return format!("DELETE{from}");
    }
    let condition = generate::delete_condition(place, random);
    format!("DELETE{from} WHERE {condition}")
}

/// Runs the steps on a fresh database; the first that is answered differently, in words.
fn first_difference(
    servers: &Comparison,
    database: &str,
    data: &DataSet,
    steps: &[String],
) -> Result<Option<String>> {
    servers.load(database, data)?;
    for step in steps {
        let request = Request::text(step);
        let ours = servers.ours.query(database, &request)?;
        let theirs = servers.theirs.query(database, &request)?;
        // What 1.6.7 has deleted before it fails depends on the order of its shards.
        let is_over = theirs.body["results"][0]["error"].is_string();
        let Some((mut ours, mut theirs)) = known::normalise(step, &ours, &theirs) else {
            continue;
        };
        if step.starts_with("SHOW SERIES") {
            forget_beginnings(&mut ours);
            forget_beginnings(&mut theirs);
        }
        if let Some(place) = compare::difference(&ours, &theirs) {
            return Ok(Some(format!(
                "  after  {step}\n  at     {place}\n  ours   {}\n  theirs {}",
                compare::short(&ours),
                compare::short(&theirs)
            )));
        }
        if is_over {
            break;
        }
    }
    Ok(None)
}

/// 1.6.7 keeps a series without points listed whose key begins the key of another series.
fn forget_beginnings(answer: &mut Value) {
    let rows = answer.pointer_mut("/results/0/series/0/values");
    let Some(rows) = rows.and_then(Value::as_array_mut) else {
        return;
    };
    let keys: Vec<String> = rows
        .iter()
        .filter_map(|row| row[0].as_str().map(|key| format!("{key},")))
        .collect();
    rows.retain(|row| {
        let key = format!("{},", row[0].as_str().unwrap_or_default());
        !keys
            .iter()
            .any(|other| *other != key && other.starts_with(&key))
    });
}
