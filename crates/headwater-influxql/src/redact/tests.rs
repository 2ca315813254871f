//! Tests of redaction.

use super::redact_passwords;

#[test]
fn both_statements_lose_their_password() {
    let cases = [
        (
            r#"CREATE USER u WITH PASSWORD 'a b'; SHOW USERS"#,
            "CREATE USER u WITH PASSWORD [REDACTED]; SHOW USERS",
        ),
        (
            r#"set  password for "u" = 'x'"#,
            r#"set  password for "u" = [REDACTED]"#,
        ),
        (
            r"set password for u = 'it\'s'",
            "set password for u = [REDACTED]",
        ),
        (
            "create user u with password 'open",
            "create user u with password [REDACTED]",
        ),
        ("SELECT password FROM 'x'", "SELECT password FROM 'x'"),
    ];
    for (text, expected) in cases {
        assert_eq!(redact_passwords(text), expected);
    }
}
