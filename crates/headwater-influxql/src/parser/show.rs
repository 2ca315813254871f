//! SHOW … (`spec/influxql/grammar.md` §3.2).

use super::{Parser, Result};
use crate::ast::{
    AdminDetail, CardinalityOf, OnName, ShowCardinalityStatement, ShowMeasurementsStatement,
    ShowStatement, Statement, WithKey,
};
use crate::ast::{AdminStatement, BinaryOp};
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::print::{quote_ident, quote_string};

impl Parser<'_> {
    /// Everything after SHOW.
    pub(super) fn parse_show(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        let Token::Keyword(keyword) = lexeme.token else {
            return self.unexpected(&lexeme, SHOW_EXPECTED);
        };
        match keyword {
            Keyword::Continuous => {
                self.expect(Keyword::Queries)?;
                Ok(plain("SHOW CONTINUOUS QUERIES"))
            }
            Keyword::Databases => Ok(Statement::ShowDatabases),
            Keyword::Diagnostics => self.parse_show_module("SHOW DIAGNOSTICS"),
            Keyword::Field => self.parse_show_field(),
            Keyword::Grants => self.parse_show_grants(),
            Keyword::Measurement => self.parse_show_cardinality(CardinalityOf::Measurement),
            Keyword::Measurements => self.parse_show_measurements(),
            Keyword::Queries => Ok(plain("SHOW QUERIES")),
            Keyword::Retention => {
                self.expect(Keyword::Policies)?;
                Ok(Statement::ShowRetentionPolicies {
                    database: self.parse_on()?,
                })
            }
            Keyword::Series => self.parse_show_series(),
            Keyword::Shard => {
                self.expect(Keyword::Groups)?;
                Ok(plain("SHOW SHARD GROUPS"))
            }
            Keyword::Shards => Ok(plain("SHOW SHARDS")),
            Keyword::Stats => self.parse_show_module("SHOW STATS"),
            Keyword::Subscriptions => Ok(plain("SHOW SUBSCRIPTIONS")),
            Keyword::Tag => self.parse_show_tag(),
            Keyword::Users => Ok(plain("SHOW USERS")),
            _ => self.unexpected(&lexeme, SHOW_EXPECTED),
        }
    }

    /// `[FOR 'module']`.
    fn parse_show_module(&mut self, name: &'static str) -> Result<Statement> {
        let text = if self.accept(Keyword::For) {
            format!("{name} FOR {}", quote_string(&self.parse_string()?))
        } else {
            name.to_owned()
        };
        Ok(admin(name, text, AdminDetail::Other))
    }

    fn parse_show_grants(&mut self) -> Result<Statement> {
        self.expect(Keyword::For)?;
        let user = self.parse_ident()?;
        let text = format!("SHOW GRANTS FOR {}", quote_ident(&user));
        Ok(admin("SHOW GRANTS", text, AdminDetail::Other))
    }

    fn parse_show_field(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Key) => self.parse_show_cardinality(CardinalityOf::FieldKey),
            Token::Keyword(Keyword::Keys) => Ok(Statement::ShowFieldKeys(ShowStatement {
                database: self.parse_on()?,
                sources: self.parse_from()?,
                order: self.parse_order_by()?,
                limit: self.parse_optional_count(Keyword::Limit)?,
                offset: self.parse_optional_count(Keyword::Offset)?,
                ..ShowStatement::default()
            })),
            _ => self.unexpected(&lexeme, &["KEY", "KEYS"]),
        }
    }

    fn parse_show_tag(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Key) => self.parse_show_cardinality(CardinalityOf::TagKey),
            Token::Keyword(Keyword::Keys) => self.parse_show_tag_keys(),
            Token::Keyword(Keyword::Values) => self.parse_show_tag_values(),
            _ => self.unexpected(&lexeme, &["KEY", "KEYS", "VALUES"]),
        }
    }

    fn parse_show_tag_keys(&mut self) -> Result<Statement> {
        let database = self.parse_on()?;
        let sources = self.parse_from()?;
        // The reference reads WITH KEY here and forgets it.
        let with_key_follows = self.accept(Keyword::With);
        if with_key_follows {
            self.unscan();
            self.parse_with_key()?;
        }
        Ok(Statement::ShowTagKeys(ShowStatement {
            database,
            sources,
            with_key: None,
            condition: self.parse_condition()?,
            order: self.parse_order_by()?,
            limit: self.parse_optional_count(Keyword::Limit)?,
            offset: self.parse_optional_count(Keyword::Offset)?,
            slimit: self.parse_optional_count(Keyword::Slimit)?,
            soffset: self.parse_optional_count(Keyword::Soffset)?,
        }))
    }

    fn parse_show_tag_values(&mut self) -> Result<Statement> {
        let exact = self.accept(Keyword::Exact);
        if exact {
            self.expect(Keyword::Cardinality)?;
        }
        if exact || self.accept(Keyword::Cardinality) {
            return self.parse_cardinality_tail(CardinalityOf::TagValues, exact);
        }
        Ok(Statement::ShowTagValues(ShowStatement {
            database: self.parse_on()?,
            sources: self.parse_from()?,
            with_key: Some(self.parse_with_key()?),
            condition: self.parse_condition()?,
            order: self.parse_order_by()?,
            limit: self.parse_optional_count(Keyword::Limit)?,
            offset: self.parse_optional_count(Keyword::Offset)?,
            ..ShowStatement::default()
        }))
    }

    /// SHOW SERIES, or its cardinality. EXACT alone changes nothing.
    fn parse_show_series(&mut self) -> Result<Statement> {
        let exact = self.accept(Keyword::Exact);
        if self.accept(Keyword::Cardinality) {
            return self.parse_cardinality_tail(CardinalityOf::Series, exact);
        }
        Ok(Statement::ShowSeries(ShowStatement {
            database: self.parse_on()?,
            sources: self.parse_from()?,
            condition: self.parse_condition()?,
            order: self.parse_order_by()?,
            limit: self.parse_optional_count(Keyword::Limit)?,
            offset: self.parse_optional_count(Keyword::Offset)?,
            ..ShowStatement::default()
        }))
    }

    /// `[EXACT] CARDINALITY …`.
    fn parse_show_cardinality(&mut self, of: CardinalityOf) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Exact) => {
                self.expect(Keyword::Cardinality)?;
                self.parse_cardinality_tail(of, true)
            }
            Token::Keyword(Keyword::Cardinality) => self.parse_cardinality_tail(of, false),
            _ => self.unexpected(&lexeme, &["EXACT", "CARDINALITY"]),
        }
    }

    fn parse_cardinality_tail(&mut self, of: CardinalityOf, exact: bool) -> Result<Statement> {
        let database = self.parse_on()?;
        let sources = self.parse_from()?;
        let with_key = if of == CardinalityOf::TagValues {
            Some(self.parse_with_key()?)
        } else {
            None
        };
        Ok(Statement::ShowCardinality(ShowCardinalityStatement {
            of,
            exact,
            database,
            sources,
            with_key,
            condition: self.parse_condition()?,
            dimensions: self.parse_dimensions()?,
            limit: self.parse_optional_count(Keyword::Limit)?,
            offset: self.parse_optional_count(Keyword::Offset)?,
        }))
    }

    fn parse_show_measurements(&mut self) -> Result<Statement> {
        let mut statement = ShowMeasurementsStatement::default();
        if self.accept(Keyword::On) {
            statement.database = Some(self.parse_on_name()?);
            if self.scan_ignore_whitespace().token == Token::Dot {
                statement.retention_policy = Some(self.parse_on_name()?);
            } else {
                self.unscan();
            }
        }
        if self.accept(Keyword::With) {
            self.expect(Keyword::Measurement)?;
            let lexeme = self.scan_ignore_whitespace();
            // Whether the source is a regular expression counts, not the operator.
            if !matches!(
                lexeme.token,
                Token::Operator(BinaryOp::Eq | BinaryOp::EqRegex)
            ) {
                return self.unexpected(&lexeme, &["=", "=~"]);
            }
            statement.with_measurement = Some(self.parse_measurement()?);
        }
        statement.condition = self.parse_condition()?;
        statement.order = self.parse_order_by()?;
        statement.limit = self.parse_optional_count(Keyword::Limit)?;
        statement.offset = self.parse_optional_count(Keyword::Offset)?;
        Ok(Statement::ShowMeasurements(statement))
    }

    fn parse_on_name(&mut self) -> Result<OnName> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Ident => Ok(OnName::Name(lexeme.text)),
            Token::Operator(BinaryOp::Mul) => Ok(OnName::Wildcard),
            _ => self.unexpected(&lexeme, &["identifier or *"]),
        }
    }

    /// `[ON database]`.
    fn parse_on(&mut self) -> Result<Option<String>> {
        if self.accept(Keyword::On) {
            self.parse_ident().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `[FROM sources]`, without subqueries.
    pub(super) fn parse_from(&mut self) -> Result<Vec<crate::ast::Measurement>> {
        if self.accept(Keyword::From) {
            self.parse_measurements()
        } else {
            Ok(Vec::new())
        }
    }

    /// `WITH KEY …`.
    fn parse_with_key(&mut self) -> Result<WithKey> {
        self.expect(Keyword::With)?;
        self.expect(Keyword::Key)?;
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::In) => {
                self.expect_token(Token::LeftParen)?;
                let keys = self.parse_list(Self::parse_ident)?;
                self.expect_token(Token::RightParen)?;
                Ok(WithKey::In(keys))
            }
            Token::Operator(BinaryOp::Eq) => self.parse_ident().map(WithKey::Eq),
            Token::Operator(BinaryOp::NotEq) => self.parse_ident().map(WithKey::NotEq),
            Token::Operator(BinaryOp::EqRegex) => self.parse_required_regex().map(WithKey::EqRegex),
            Token::Operator(BinaryOp::NotEqRegex) => {
                self.parse_required_regex().map(WithKey::NotEqRegex)
            }
            _ => self.unexpected(&lexeme, &["IN", "=", "=~"]),
        }
    }
}

const SHOW_EXPECTED: &[&str] = &[
    "CONTINUOUS",
    "DATABASES",
    "DIAGNOSTICS",
    "FIELD",
    "GRANTS",
    "MEASUREMENT",
    "MEASUREMENTS",
    "QUERIES",
    "RETENTION",
    "SERIES",
    "SHARD",
    "SHARDS",
    "STATS",
    "SUBSCRIPTIONS",
    "TAG",
    "USERS",
];

/// A statement that consists of nothing but its name.
fn plain(name: &'static str) -> Statement {
    admin(name, name.to_owned(), AdminDetail::Other)
}

pub(super) fn admin(name: &'static str, text: String, detail: AdminDetail) -> Statement {
    Statement::Admin(AdminStatement { name, text, detail })
}
