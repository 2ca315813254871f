//! DELETE, DROP SERIES, DROP MEASUREMENT, EXPLAIN and KILL QUERY (`spec/influxql/grammar.md`
//! §3.3).

use super::{Parser, Result};
use crate::ast::{DeleteStatement, ExplainStatement, Statement};
use crate::error::{ParseError, Position};
use crate::keywords::Keyword;

impl Parser<'_> {
    pub(super) fn parse_delete(&mut self) -> Result<Statement> {
        self.parse_delete_tail(false).map(Statement::Delete)
    }

    /// `[FROM sources] [WHERE expr]`, of which one has to be there. A source may not name a
    /// database, nor, of DROP SERIES, a retention policy.
    pub(super) fn parse_delete_tail(&mut self, of_drop_series: bool) -> Result<DeleteStatement> {
        let lexeme = self.scan_ignore_whitespace();
        self.unscan();
        let sources = self.parse_from()?;
        let mut refused = None;
        for source in &sources {
            if !source.database.is_empty() {
                refused = Some("database not supported");
            }
            if of_drop_series && !source.retention_policy.is_empty() {
                refused = Some("retention policy not supported");
            }
        }
        if let Some(message) = refused {
            let message = message.to_owned();
            return Err(ParseError::At {
                message,
                at: Position::START,
            });
        }
        let condition = self.parse_condition()?;
        if sources.is_empty() && condition.is_none() {
            return self.unexpected(&lexeme, &["FROM", "WHERE"]);
        }
        Ok(DeleteStatement { sources, condition })
    }

    pub(super) fn parse_drop_measurement(&mut self) -> Result<Statement> {
        Ok(Statement::DropMeasurement {
            name: self.parse_ident()?,
        })
    }

    /// `[ANALYZE] [VERBOSE] SELECT …`.
    pub(super) fn parse_explain(&mut self) -> Result<Statement> {
        let analyze = self.accept(Keyword::Analyze);
        let verbose = self.accept(Keyword::Verbose);
        self.expect(Keyword::Select)?;
        let select = Box::new(self.parse_select()?);
        Ok(Statement::Explain(ExplainStatement {
            analyze,
            verbose,
            select,
        }))
    }

    /// `id [ON host]`.
    pub(super) fn parse_kill_query(&mut self) -> Result<Statement> {
        let id = self.parse_u64()?;
        let host = if self.accept(Keyword::On) {
            Some(self.parse_ident()?)
        } else {
            None
        };
        Ok(Statement::KillQuery { id, host })
    }
}
