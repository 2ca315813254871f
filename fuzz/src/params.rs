//! Any bound parameters with any query that uses them.

use headwater_influxql::{Params, parse_query};

use super::influxql::check_statement;

/// The first line is the JSON of the parameters, the rest the query. What is accepted prints as a
/// text that needs no parameters and reads as the same tree.
pub fn params(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (json, query) = text.split_once('\n').unwrap_or((text, "SELECT $a FROM $b"));
    let params = match Params::from_json(json) {
        Ok(params) => params,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let Ok(query) = parse_query(query, &params) else {
        return;
    };
    // A bound regular expression may stand where, and hold what, no text between slashes can.
    if !json.contains("regex") {
        query.statements.into_iter().for_each(check_statement);
    }
}
