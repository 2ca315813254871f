//! The predicate of `/api/v2/delete`: `key = value` rules joined by AND, with the reference's
//! complaints (`spec/v2_management.md` §8). Its tokens are InfluxQL's.

mod token;

use self::token::{Kind, Scanner, Token};
use crate::error::Error;

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 100;

/// A condition on one tag, or on `_measurement` or `_field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) value: String,
    /// `=` rather than `!=`.
    pub(super) equal: bool,
}

/// The rules of `text`, all of which must hold. An empty text has none.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut parser = Parser {
        scanner: Scanner::new(text),
        open: 0,
        rules: Vec::new(),
    };
    parser
        .logical(0)
        .map_err(|complaint| Error::invalid(format!("error decoding json body: {complaint}")))?;
    // The reference reads it as an InfluxQL expression too, which is stricter in places.
    headwater_influxql::parse_expr(text).map_err(|error| {
        Error::invalid(format!("invalid request; error parsing predicate: {error}"))
    })?;
    Ok(parser.rules)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// Parentheses opened and not closed.
    open: i64,
    rules: Vec<Rule>,
}

impl Parser<'_> {
    /// Conditions up to a closing parenthesis or the end.
    fn logical(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err("the predicate is nested too deeply".to_owned());
        }
        let mut conditions = 0;
        loop {
            let token = self.scanner.next();
            match token.kind {
                Kind::Number | Kind::Name | Kind::Identifier => {
                    self.rule(token)?;
                    conditions += 1;
                }
                Kind::And if conditions < 2 => {}
                Kind::And if self.scanner.peek() == Kind::LeftParenthesis => {
                    self.logical(depth + 1)?;
                }
                Kind::And => {
                    let key = self.scanner.next();
                    self.rule(key)?;
                }
                Kind::Or => {
                    return Err(format!(
                        "the logical operator OR is not supported yet at position {}",
                        token.position
                    ));
                }
                Kind::LeftParenthesis => {
                    self.open += 1;
                    let before = self.open - 1;
                    self.logical(depth + 1)?;
                    if self.open != before {
                        return Err("extra ( seen".to_owned());
                    }
                    conditions += 1;
                }
                Kind::RightParenthesis | Kind::End => {
                    if token.kind == Kind::RightParenthesis {
                        self.open -= 1;
                    }
                    if self.open < 0 {
                        return Err("extra ) seen".to_owned());
                    }
                    return Ok(());
                }
                _ => {
                    return Err(format!(
                        "bad logical expression, at position {}",
                        token.position
                    ));
                }
            }
        }
    }

    fn rule(&mut self, key: Token) -> Result<(), String> {
        let key = match key.kind {
            Kind::Identifier => key.text,
            Kind::Name => "name".to_owned(),
            _ => return Err(format!("bad tag key, at position {}", key.position)),
        };
        let operator = self.scanner.next();
        let equal = match operator.kind {
            Kind::Equal => true,
            Kind::NotEqual => false,
            Kind::Matches | Kind::NotMatches => {
                return Err(format!(
                    "operator: {:?} at position: {} is not supported yet",
                    operator.name(),
                    operator.position
                ));
            }
            _ => {
                return Err(format!(
                    "invalid operator {:?} at position: {}",
                    operator.name(),
                    operator.position
                ));
            }
        };
        let value = self.value()?;
        self.rules.push(Rule { key, value, equal });
        Ok(())
    }

    fn value(&mut self) -> Result<String, String> {
        let token = self.scanner.next();
        let bad = |token: &Token| {
            Err(format!(
                "bad tag value: {:?}, at position {}",
                token.text, token.position
            ))
        };
        match token.kind {
            Kind::Identifier | Kind::Number => Ok(token.text),
            Kind::True => Ok("true".to_owned()),
            Kind::False => Ok("false".to_owned()),
            Kind::Minus => {
                let number = self.scanner.next();
                if number.kind == Kind::Number {
                    Ok(format!("-{}", number.text))
                } else {
                    bad(&number)
                }
            }
            _ => bad(&token),
        }
    }
}

#[cfg(test)]
mod tests;
