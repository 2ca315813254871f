//! Keeps passwords out of logs.

use std::sync::LazyLock;

use regex::Regex;

/// `text` with `[REDACTED]` in place of what it gives as a password, for logging. Works on
/// anything that looks like a statement, whether it parses or not.
pub fn redact_passwords(text: &str) -> String {
    static PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)(\bpassword\s+(?:for\s+[^=]*=\s*)?)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)"#,
        )
        .expect("a constant pattern that tests compile")
    });
    PASSWORD.replace_all(text, "${1}[REDACTED]").into_owned()
}

#[cfg(test)]
mod tests;
