//! Lines of the shell.

use super::*;

#[test]
fn commands_are_told_from_statements() {
    for (line, expected) in [
        ("use db", Some(Command::Use("db"))),
        ("USE \"my db\".rp ;", Some(Command::Use("\"my db\".rp"))),
        ("format csv", Some(Command::Format("csv"))),
        ("Precision ns", Some(Command::Precision("ns"))),
        ("insert m v=1 1", Some(Command::Insert("m v=1 1"))),
        (" help", Some(Command::Help)),
        ("exit;", Some(Command::Exit)),
        ("quit", Some(Command::Exit)),
        ("SHOW DATABASES", None),
        ("exit now", None),
        ("SELECT format FROM help", None),
    ] {
        assert_eq!(Command::parse(line), expected, "{line}");
    }
}

#[test]
fn names_may_be_quoted_and_have_a_policy() {
    let pair =
        |first: &str, second: Option<&str>| Some((first.to_owned(), second.map(str::to_owned)));
    for (text, expected) in [
        ("db", pair("db", None)),
        ("db.rp", pair("db", Some("rp"))),
        ("\"a.b \\\"c\".\"d\"", pair("a.b \"c", Some("d"))),
        ("", None),
        ("db.", None),
        ("\"open", None),
        ("two words", None),
    ] {
        assert_eq!(split_names(text), expected, "{text}");
    }
}

#[test]
fn a_statement_goes_on_until_it_is_whole_or_wrong_or_ended() {
    for text in [
        "SELECT * FROM m",
        "use db",
        "SELECT",
        "SELECT mean(v\n",
        "SELECT mean(v;",
        "SELEC * FROM m",
        "",
    ] {
        let expected = text != "SELECT";
        assert_eq!(is_complete(text), expected, "{text:?}");
    }
    for text in ["SELECT mean(v)", "SELECT v FROM m WHERE", "SHOW TAG"] {
        assert!(!is_complete(text), "{text:?}");
    }
}

#[test]
fn values_of_commands_are_checked() {
    assert_eq!(value_of::<Precision>("MS").unwrap(), Precision::Ms);
    assert_eq!(
        value_of::<Format>("xml").unwrap_err().to_string(),
        "\"xml\" is none of table, column, csv, json"
    );
}
