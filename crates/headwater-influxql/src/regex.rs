//! Regular expressions: RE2 syntax as the reference's language knows it, matched by the `regex`
//! crate, with the reference's error texts (`spec/influxql/grammar.md` §1.4).

mod translate;

use std::sync::Arc;

use regex_syntax::ast::ErrorKind;

use crate::ast::Regex;

impl Regex {
    /// Compiles the text between the slashes, in which `\/` stands as `/`.
    ///
    /// # Errors
    /// The reference's text, `error parsing regexp: …`.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let translated = translate::translate(pattern)?;
        match regex::Regex::new(&translated) {
            Ok(compiled) => Ok(Self {
                pattern: Arc::from(pattern),
                compiled: Arc::new(compiled),
            }),
            Err(regex::Error::CompiledTooBig(_)) => Err(error("expression too large", pattern)),
            Err(_) => Err(error(reason(&translated), pattern)),
        }
    }
}

/// Why the engine refuses what [`translate`] let pass.
fn reason(translated: &str) -> &'static str {
    let kind = match regex_syntax::parse(translated) {
        Err(regex_syntax::Error::Parse(error)) => Some(error.kind().clone()),
        _ => None,
    };
    match kind {
        Some(ErrorKind::NestLimitExceeded(_)) => "expression nests too deeply",
        Some(ErrorKind::RepetitionMissing) => "missing argument to repetition operator",
        _ => "internal error",
    }
}

/// An error text about a part of a pattern.
fn error(reason: &str, part: &str) -> String {
    format!("error parsing regexp: {reason}: `{part}`")
}

#[cfg(test)]
mod tests;
