//! Whether two JSON answers are the same, and where they first differ if not.

use serde_json::Value;

/// Floats may be added in another order than the reference adds them.
const RELATIVE: f64 = 1e-9;
/// What is left where such a sum should be zero.
const ABSOLUTE: f64 = 1e-12;
/// From here on an integral number may well be a float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The first place where the two differ, as a path with both values.
pub(super) fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    walk(ours, theirs, "")
}

fn walk(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                if let Some(found) = walk(a, b, &format!("{path}/{index}")) {
                    return Some(found);
                }
            }
            (a.len() != b.len()).then(|| format!("{path}: {} items, not {}", a.len(), b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            for (key, a) in a {
                let Some(b) = b.get(key) else {
                    return Some(format!("{path}/{key}: {}, not absent", short(a)));
                };
                if let Some(found) = walk(a, b, &format!("{path}/{key}")) {
                    return Some(found);
                }
            }
            let missing = b.keys().find(|key| !a.contains_key(*key))?;
            Some(format!(
                "{path}/{missing}: absent, not {}",
                short(&b[missing])
            ))
        }
        _ if same(ours, theirs) => None,
        _ => Some(format!("{path}: {}, not {}", short(ours), short(theirs))),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    if let (Value::String(a), Value::String(b)) = (a, b) {
        return a == b || (a.contains('\n') && same_cells(a, b));
    }
    let (Value::Number(x), Value::Number(y)) = (a, b) else {
        return a == b;
    };
    let Some((xf, yf)) = x.as_f64().zip(y.as_f64()) else {
        return x == y;
    };
    let both_integers = x.as_i64().is_some() && y.as_i64().is_some();
    if both_integers && xf.abs() < EXACT_MAX {
        return x == y;
    }
    (xf - yf).abs() <= ABSOLUTE.max(RELATIVE * xf.abs().max(yf.abs()))
}

/// Whether two tables of CSV agree cell by cell, numbers as elsewhere.
fn same_cells(a: &str, b: &str) -> bool {
    let cells = |text: &str| -> Vec<Value> {
        let cells = text.split([',', '\n']);
        cells
            .map(|cell| serde_json::from_str(cell).unwrap_or_else(|_| cell.into()))
            .collect()
    };
    let (a, b) = (cells(a), cells(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| match (a, b) {
            (Value::Number(_), Value::Number(_)) => same(a, b),
            _ => a == b,
        })
}

/// Enough of a value to recognise it.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 700 {
        return text;
    }
    let start: String = text.chars().take(700).collect();
    format!("{start}…")
}
