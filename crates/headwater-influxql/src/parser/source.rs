//! Names with dots, and the sources and targets made of them.

use super::{Parser, Result};
use crate::ast::{Measurement, Source};
use crate::error::{ParseError, Position};
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::print::quote_idents;

impl Parser<'_> {
    /// One to three names with dots between. Stops behind a dot that `/` or `:` follows; an
    /// empty middle name is written as two dots.
    pub(super) fn parse_segmented_idents(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.parse_ident()?];
        loop {
            if self.scan().token != Token::Dot {
                self.unscan();
                break;
            }
            match self.peek_character() {
                '/' | ':' => break,
                '.' => names.push(String::new()),
                _ => names.push(self.parse_ident()?),
            }
        }
        if names.len() > 3 {
            return Err(ParseError::At {
                message: format!("too many segments in {}", quote_idents(&names)),
                at: Position::START,
            });
        }
        Ok(names)
    }

    /// The list after FROM in a SELECT.
    pub(super) fn parse_sources(&mut self) -> Result<Vec<Source>> {
        self.parse_list(Self::parse_source)
    }

    fn parse_source(&mut self) -> Result<Source> {
        if let Some(regex) = self.parse_regex()? {
            let measurement = Measurement {
                regex: Some(regex),
                ..Measurement::default()
            };
            return Ok(Source::Measurement(measurement));
        }
        if self.scan_ignore_whitespace().token == Token::LeftParen {
            self.expect(Keyword::Select)?;
            let select = self.nested_subquery(Self::parse_select)?;
            self.expect_token(Token::RightParen)?;
            return Ok(Source::Subquery(Box::new(select)));
        }
        self.unscan();
        self.parse_named_measurement().map(Source::Measurement)
    }

    /// The list after FROM in a statement that takes no subqueries.
    pub(super) fn parse_measurements(&mut self) -> Result<Vec<Measurement>> {
        self.parse_list(Self::parse_measurement)
    }

    pub(super) fn parse_measurement(&mut self) -> Result<Measurement> {
        match self.parse_regex()? {
            Some(regex) => Ok(Measurement {
                regex: Some(regex),
                ..Measurement::default()
            }),
            None => self.parse_named_measurement(),
        }
    }

    fn parse_named_measurement(&mut self) -> Result<Measurement> {
        let mut names = self.parse_segmented_idents()?;
        let regex = if names.len() < 3 {
            self.parse_regex()?
        } else {
            None
        };
        if regex.is_some() {
            names.push(String::new());
        }
        Ok(Measurement {
            regex,
            ..measurement_of(names)
        })
    }

    /// `[INTO target]`.
    pub(super) fn parse_into(&mut self) -> Result<Option<Measurement>> {
        if !self.accept(Keyword::Into) {
            return Ok(None);
        }
        let mut names = self.parse_segmented_idents()?;
        if names.len() < 3 && self.peek_character() == ':' {
            self.expect_token(Token::Colon)?;
            self.expect(Keyword::Measurement)?;
            names.push(String::new());
        }
        Ok(Some(Measurement {
            is_target: true,
            ..measurement_of(names)
        }))
    }
}

/// A measurement of `[database] [retention_policy] name`.
fn measurement_of(mut names: Vec<String>) -> Measurement {
    let name = names.pop().unwrap_or_default();
    let retention_policy = names.pop().unwrap_or_default();
    let database = names.pop().unwrap_or_default();
    Measurement {
        database,
        retention_policy,
        name,
        ..Measurement::default()
    }
}
