//! SELECT and the clauses that other statements share with it (`spec/influxql/grammar.md` §3.1).

use chrono_tz::Tz;

use super::{Parser, Result};
use crate::ast::{
    BinaryOp, Expr, Fill, FillNumber, Measurement, Order, SelectField, SelectStatement,
};
use crate::error::ParseError;
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::visit;

impl Parser<'_> {
    /// Everything after SELECT.
    pub(super) fn parse_select(&mut self) -> Result<SelectStatement> {
        let fields = self.parse_fields()?;
        let into = self.parse_into()?;
        self.parse_select_rest(fields, into)
    }

    /// The SELECT of a continuous query, which needs a target.
    pub(super) fn parse_select_into(&mut self) -> Result<SelectStatement> {
        let fields = self.parse_fields()?;
        let Some(into) = self.parse_into()? else {
            let lexeme = self.scan_ignore_whitespace();
            return self.unexpected(&lexeme, &["INTO"]);
        };
        self.parse_select_rest(fields, Some(into))
    }

    fn parse_select_rest(
        &mut self,
        fields: Vec<SelectField>,
        into: Option<Measurement>,
    ) -> Result<SelectStatement> {
        self.expect(Keyword::From)?;
        Ok(SelectStatement {
            fields,
            into,
            sources: self.parse_sources()?,
            condition: self.parse_condition()?,
            dimensions: self.parse_dimensions()?,
            fill: self.parse_fill()?,
            order: self.parse_order_by()?,
            limit: self.parse_optional_count(Keyword::Limit)?,
            offset: self.parse_optional_count(Keyword::Offset)?,
            slimit: self.parse_optional_count(Keyword::Slimit)?,
            soffset: self.parse_optional_count(Keyword::Soffset)?,
            timezone: self.parse_timezone()?,
        })
    }

    fn parse_fields(&mut self) -> Result<Vec<SelectField>> {
        let mut fields = vec![self.parse_field()?];
        loop {
            if self.scan().token != Token::Comma {
                self.unscan();
                return Ok(fields);
            }
            fields.push(self.parse_field()?);
        }
    }

    fn parse_field(&mut self) -> Result<SelectField> {
        let expr = match self.parse_regex()? {
            Some(regex) => Expr::Regex(regex),
            None => self.parse_field_expr()?,
        };
        let alias = if self.accept(Keyword::As) {
            Some(self.parse_ident()?)
        } else {
            None
        };
        self.consume_whitespace();
        Ok(SelectField { expr, alias })
    }

    fn parse_field_expr(&mut self) -> Result<Expr> {
        let first = self.scan_ignore_whitespace();
        self.unscan();
        let expr = self.parse_expr()?;
        if let Some(op) = last_condition_operator(&expr) {
            return Err(ParseError::Bare(format!(
                "invalid operator {} in SELECT clause at {}; operator is intended for WHERE clause",
                op.as_str(),
                self.position(&first)
            )));
        }
        Ok(expr)
    }

    /// `[WHERE expr]`.
    pub(super) fn parse_condition(&mut self) -> Result<Option<Expr>> {
        if self.accept(Keyword::Where) {
            self.parse_expr().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `[GROUP BY dim {, dim}]`.
    pub(super) fn parse_dimensions(&mut self) -> Result<Vec<Expr>> {
        if !self.accept(Keyword::Group) {
            return Ok(Vec::new());
        }
        self.expect(Keyword::By)?;
        let mut dimensions = vec![self.parse_dimension()?];
        loop {
            if self.scan().token != Token::Comma {
                self.unscan();
                return Ok(dimensions);
            }
            dimensions.push(self.parse_dimension()?);
        }
    }

    fn parse_dimension(&mut self) -> Result<Expr> {
        if let Some(regex) = self.parse_regex()? {
            return Ok(Expr::Regex(regex));
        }
        let expr = self.parse_expr()?;
        self.consume_whitespace();
        Ok(expr)
    }

    /// The expression that begins with the name `word` in any case, if one is next.
    fn parse_word_expr(&mut self, word: &str) -> Result<Option<Expr>> {
        let lexeme = self.scan_ignore_whitespace();
        self.unscan();
        if lexeme.token == Token::Ident && lexeme.text.eq_ignore_ascii_case(word) {
            self.parse_expr().map(Some)
        } else {
            Ok(None)
        }
    }

    fn parse_fill(&mut self) -> Result<Fill> {
        let Some(expr) = self.parse_word_expr("fill")? else {
            return Ok(Fill::Null);
        };
        let Expr::Call(call) = expr else {
            return bare("fill must be a function call");
        };
        let [argument] = call.args.as_slice() else {
            return bare("fill requires an argument, e.g.: 0, null, none, previous, linear");
        };
        match argument {
            Expr::Integer(value) => Ok(Fill::Number(FillNumber::Integer(*value))),
            Expr::Number(value) => Ok(Fill::Number(FillNumber::Float(*value))),
            other => match other.to_string().as_str() {
                "null" => Ok(Fill::Null),
                "none" => Ok(Fill::None),
                "previous" => Ok(Fill::Previous),
                "linear" => Ok(Fill::Linear),
                _ => bare("expected number argument in fill()"),
            },
        }
    }

    fn parse_timezone(&mut self) -> Result<Option<Tz>> {
        let Some(expr) = self.parse_word_expr("tz")? else {
            return Ok(None);
        };
        let Expr::Call(call) = expr else {
            return bare("tz must be a function call");
        };
        let [argument] = call.args.as_slice() else {
            return bare("tz requires exactly one argument");
        };
        let Expr::String(name) = argument else {
            return bare("expected string argument in tz()");
        };
        match name.as_str() {
            // The server's own zone is UTC, too.
            "" | "Local" => Ok(Some(Tz::UTC)),
            // A zone is a path below a folder, which forgives repeated slashes.
            name => match without_double_slashes(name).parse() {
                Ok(zone) => Ok(Some(zone)),
                Err(_) => bare(format!("unable to find time zone {name}")),
            },
        }
    }

    /// `[ORDER BY …]`. Only the direction is free: nothing but time can be ordered by.
    pub(super) fn parse_order_by(&mut self) -> Result<Option<Order>> {
        const ONLY_TIME: &str = "only ORDER BY time supported at this time";
        if !self.accept(Keyword::Order) {
            return Ok(None);
        }
        self.expect(Keyword::By)?;
        let lexeme = self.scan_ignore_whitespace();
        let order = match lexeme.token {
            Token::Keyword(direction @ (Keyword::Asc | Keyword::Desc)) => Order {
                names_time: false,
                ascending: direction == Keyword::Asc,
            },
            Token::Ident => {
                let ascending = self.parse_direction();
                if lexeme.text != "time" {
                    return bare(ONLY_TIME);
                }
                Order {
                    names_time: true,
                    ascending,
                }
            }
            _ => return self.unexpected(&lexeme, &["identifier", "ASC", "DESC"]),
        };
        let mut is_single = true;
        while self.scan_ignore_whitespace().token == Token::Comma {
            self.parse_ident()?;
            self.parse_direction();
            is_single = false;
        }
        self.unscan();
        if is_single {
            Ok(Some(order))
        } else {
            bare(ONLY_TIME)
        }
    }

    /// `[ASC | DESC]`: whether ascending.
    fn parse_direction(&mut self) -> bool {
        match self.scan_ignore_whitespace().token {
            Token::Keyword(Keyword::Asc) => true,
            Token::Keyword(Keyword::Desc) => false,
            _ => {
                self.unscan();
                true
            }
        }
    }
}

fn bare<T>(message: impl Into<String>) -> Result<T> {
    Err(ParseError::Bare(message.into()))
}

/// The operator with a truth value that the reference would name: the last of the outermost.
fn last_condition_operator(expr: &Expr) -> Option<BinaryOp> {
    let mut last = None;
    visit::walk_if(expr, &mut |node| match node {
        Expr::Binary(binary) if binary.op.is_boolean() => {
            last = Some(binary.op);
            false
        }
        _ => true,
    });
    last
}

fn without_double_slashes(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}
