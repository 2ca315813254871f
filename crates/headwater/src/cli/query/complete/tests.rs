//! What Tab offers where.

use super::*;

/// A completer that knows some names and asks no server.
fn completer() -> Completer {
    let known = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        OnceCell::from(names)
    };
    let client = Client::anonymous("http://127.0.0.1:1");
    Completer::new(Names {
        client,
        database: None,
        policy: None,
        databases: known(&["demo", "my db"]),
        measurements: known(&["cpu", "cpu load", "select"]),
        tag_keys: known(&["host", "héros"]),
        field_keys: known(&["mean_usage", "Usage"]),
    })
}

#[test]
fn tab_offers_what_can_stand_there() {
    for (line, start, expected) in [
        ("se", 0, &["settings", "select"][..]),
        ("SEL", 0, &["SELECT"]),
        ("use ", 4, &["demo", "\"my db\""]),
        ("SHOW TAG KEYS ON d", 17, &["demo"]),
        (
            "SELECT mea",
            7,
            &["mean_usage", "mean(", "measurement", "measurements"],
        ),
        ("SELECT MEA", 7, &["MEASUREMENT", "MEASUREMENTS"]),
        ("SELECT mean(Us", 12, &["Usage", "USER", "USERS"]),
        ("SELECT * FROM cp", 14, &["cpu", "\"cpu load\""]),
        ("SELECT * FROM \"cp", 14, &["\"cpu\"", "\"cpu load\""]),
        ("SELECT * FROM \"sel", 14, &["\"select\""]),
        (
            "SELECT v FROM m GROUP BY h",
            25,
            &[
                "host",
                "\"héros\"",
                "holt_winters(",
                "holt_winters_with_fit(",
            ],
        ),
        ("SHOW DATABASES; sh", 16, &["show"]),
        ("SELECT 1 wh", 9, &["where"]),
    ] {
        let (at, found) = completer().complete(line);
        assert_eq!(
            (at, found),
            (start, expected.iter().map(|s| (*s).to_owned()).collect()),
            "{line}"
        );
    }
}

#[test]
fn a_server_that_does_not_answer_has_no_names() {
    let options = Options {
        database: None,
        rp: None,
        format: super::super::Format::Table,
        precision: super::super::Precision::Ns,
    };
    let names = Names::new(Client::anonymous("http://127.0.0.1:1"), &options);
    assert_eq!(names.databases(), &[] as &[String]);
}
