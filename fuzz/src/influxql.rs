//! Any text to the InfluxQL parser.

use headwater_influxql::{
    Params,
    ast::{Query, Statement},
    parse_query, redact_passwords,
};

/// The parser accepts or refuses; what it accepts prints as a text that reads as the same tree.
pub fn influxql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    redact_passwords(text);
    match parse_query(text, &Params::default()) {
        Ok(query) => query.statements.into_iter().for_each(check_statement),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(crate) fn check_statement(statement: Statement) {
    let printed = statement.to_string();
    // Printing leaves passwords out.
    if printed.contains("[REDACTED]") {
        return;
    }
    let again = parse_query(&printed, &Params::default());
    if let Statement::Admin(_) = statement {
        // The reference prints durations here in a form that it does not read.
        if let Ok(again) = again {
            assert_eq!(again.to_string(), printed);
        }
        return;
    }
    let again = again.unwrap_or_else(|error| panic!("`{printed}` does not read again: {error}"));
    let query = Query {
        statements: vec![statement],
    };
    assert_eq!(again, query, "printed as `{printed}`");
}
