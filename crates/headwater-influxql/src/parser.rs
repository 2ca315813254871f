//! Tokens to syntax tree (`spec/influxql/grammar.md` §2 and §3): the entry points, the token
//! stream that all statements read from, and the choice of the statement.
//!
//! Like the lexer, the stream looks ahead and pushes back as the reference does, because what an
//! error text names depends on it. Regular expressions in particular are looked for in the text
//! behind the tokens that were already read.

mod admin;
mod continuous_query;
mod data;
mod expr;
mod retention_policy;
mod select;
mod show;
mod source;

use crate::ast::{Expr, Query, Statement};
use crate::error::{ParseError, Position};
use crate::keywords::Keyword;
use crate::lexer::{Lexeme, Lexer, Token};
use crate::params::Params;

type Result<T> = std::result::Result<T, ParseError>;

/// How deep parentheses, calls and signs may nest.
const NESTING_MAX: usize = 200;
/// How deep subqueries may nest.
const SUBQUERY_DEPTH_MAX: usize = 100;

/// Parses the statements of one request, trimmed of white space by the caller.
///
/// # Errors
/// The first error of the text in the reference's words, without any envelope.
pub fn parse_query(text: &str, params: &Params) -> Result<Query> {
    let mut parser = Parser::new(text, params);
    let mut query = Query::default();
    let mut separated = true;
    loop {
        let lexeme = parser.scan_ignore_whitespace();
        match lexeme.token {
            Token::Eof => return Ok(query),
            Token::Semicolon => separated = true,
            _ if !separated => return parser.unexpected(&lexeme, &[";"]),
            _ => {
                parser.unscan();
                query.statements.push(parser.parse_statement()?);
                separated = false;
            }
        }
    }
}

/// Parses a single statement, which may end with `;`.
///
/// # Errors
/// As [`parse_query`]; a second statement is an error, too.
pub fn parse_statement(text: &str) -> Result<Statement> {
    let params = Params::default();
    let mut parser = Parser::new(text, &params);
    let statement = parser.parse_statement()?;
    loop {
        let lexeme = parser.scan_ignore_whitespace();
        match lexeme.token {
            Token::Eof => return Ok(statement),
            Token::Semicolon => {}
            _ => return parser.unexpected(&lexeme, &[";"]),
        }
    }
}

/// Parses an expression as it may stand in WHERE.
///
/// # Errors
/// As [`parse_query`]; anything after the expression is an error, too.
pub fn parse_expr(text: &str) -> Result<Expr> {
    let params = Params::default();
    let mut parser = Parser::new(text, &params);
    let expr = parser.parse_expr()?;
    let lexeme = parser.scan_ignore_whitespace();
    if lexeme.token == Token::Eof {
        Ok(expr)
    } else {
        parser.unexpected(&lexeme, &["EOF"])
    }
}

/// How many tokens can be pushed back, as in the reference.
const RING: usize = 3;

struct Parser<'a> {
    lexer: Lexer,
    params: &'a Params,
    /// The tokens read last.
    ring: [Lexeme; RING],
    /// Where in `ring` the newest token is.
    newest: usize,
    /// How many of the newest tokens were pushed back.
    pushed_back: usize,
    nesting: usize,
    subquery_depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &str, params: &'a Params) -> Self {
        let blank = || Lexeme {
            token: Token::Eof,
            text: String::new(),
            at: 0,
        };
        Self {
            lexer: Lexer::new(text),
            params,
            ring: [blank(), blank(), blank()],
            newest: 0,
            pushed_back: 0,
            nesting: 0,
            subquery_depth: 0,
        }
    }

    fn scan_with(&mut self, scan: impl FnOnce(&mut Lexer) -> Lexeme) -> Lexeme {
        if self.pushed_back > 0 {
            self.pushed_back -= 1;
            return self.ring[(self.newest + RING - self.pushed_back) % RING].clone();
        }
        let mut lexeme = scan(&mut self.lexer);
        if lexeme.token == Token::BoundParam {
            let name = lexeme.text.strip_prefix('$').unwrap_or(&lexeme.text);
            if let Some(bound) = self.params.get(name).filter(|_| !name.is_empty()) {
                lexeme.token = bound.token;
                lexeme.text.clone_from(&bound.text);
            }
        }
        self.newest = (self.newest + 1) % RING;
        self.ring[self.newest] = lexeme.clone();
        lexeme
    }

    /// The next token, white space and comments included.
    fn scan(&mut self) -> Lexeme {
        self.scan_with(Lexer::scan)
    }

    fn scan_ignore_whitespace(&mut self) -> Lexeme {
        loop {
            let lexeme = self.scan();
            if !matches!(lexeme.token, Token::Whitespace | Token::Comment) {
                return lexeme;
            }
        }
    }

    /// Pushes back one more token. A fourth one would be lost; none of the rules reads so far.
    fn unscan(&mut self) {
        self.pushed_back = (self.pushed_back + 1).min(RING);
    }

    /// The next character of the text, behind the tokens that were pushed back.
    fn peek_character(&mut self) -> char {
        self.lexer.peek()
    }

    fn consume_whitespace(&mut self) {
        if self.scan().token != Token::Whitespace {
            self.unscan();
        }
    }

    fn position(&self, lexeme: &Lexeme) -> Position {
        self.lexer.position(lexeme.at)
    }

    /// `found …, expected …` about a token that was read.
    fn unexpected<T>(&self, found: &Lexeme, expected: &[&str]) -> Result<T> {
        Err(ParseError::Unexpected {
            found: found.shown().to_owned(),
            expected: expected.join(", "),
            at: self.position(found),
        })
    }

    /// A message about a token that was read.
    fn error_at<T>(&self, lexeme: &Lexeme, message: impl Into<String>) -> Result<T> {
        Err(ParseError::At {
            message: message.into(),
            at: self.position(lexeme),
        })
    }

    /// Puts an error that names no place at a token.
    fn place<T>(&self, lexeme: &Lexeme, result: Result<T>) -> Result<T> {
        result.or_else(|error| self.error_at(lexeme, error.to_string()))
    }

    /// Reads `keyword` if it is next.
    fn accept(&mut self, keyword: Keyword) -> bool {
        let accepted = self.scan_ignore_whitespace().token == Token::Keyword(keyword);
        if !accepted {
            self.unscan();
        }
        accepted
    }

    fn expect(&mut self, keyword: Keyword) -> Result<()> {
        self.expect_token(Token::Keyword(keyword))
    }

    fn expect_token(&mut self, token: Token) -> Result<()> {
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token == token {
            Ok(())
        } else {
            self.unexpected(&lexeme, &[token.as_str()])
        }
    }

    fn parse_ident(&mut self) -> Result<String> {
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token == Token::Ident {
            Ok(lexeme.text)
        } else {
            self.unexpected(&lexeme, &["identifier"])
        }
    }

    fn parse_string(&mut self) -> Result<String> {
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token == Token::String {
            Ok(lexeme.text)
        } else {
            self.unexpected(&lexeme, &["string"])
        }
    }

    /// One or more of what `parse` reads, with commas between.
    fn parse_list<T>(&mut self, parse: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut list = vec![parse(self)?];
        loop {
            if self.scan_ignore_whitespace().token != Token::Comma {
                self.unscan();
                return Ok(list);
            }
            list.push(parse(self)?);
        }
    }

    fn parse_integer_token(&mut self) -> Result<Lexeme> {
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token == Token::Integer {
            Ok(lexeme)
        } else {
            self.unexpected(&lexeme, &["integer"])
        }
    }

    fn parse_u64(&mut self) -> Result<u64> {
        let lexeme = self.parse_integer_token()?;
        let text = &lexeme.text;
        text.parse().or_else(|_| {
            let reason = if text.starts_with('-') {
                "invalid syntax"
            } else {
                "value out of range"
            };
            self.error_at(
                &lexeme,
                format!("strconv.ParseUint: parsing \"{text}\": {reason}"),
            )
        })
    }

    /// `keyword` and a count, or nothing, which is 0. Too large a count is the largest.
    fn parse_optional_count(&mut self, keyword: Keyword) -> Result<u64> {
        if !self.accept(keyword) {
            return Ok(0);
        }
        let lexeme = self.parse_integer_token()?;
        if lexeme.text.starts_with('-') {
            return self.error_at(&lexeme, format!("{} must be >= 0", keyword.as_str()));
        }
        let count: i64 = lexeme.text.parse().unwrap_or(i64::MAX);
        Ok(count.unsigned_abs())
    }

    /// Runs `parse` one level deeper, up to the bound that keeps the stack safe.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= NESTING_MAX {
            return too_deep();
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    /// As [`Parser::nested`], for a subquery.
    fn nested_subquery<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.subquery_depth >= SUBQUERY_DEPTH_MAX {
            return too_deep();
        }
        self.subquery_depth += 1;
        let result = self.nested(parse);
        self.subquery_depth -= 1;
        result
    }

    fn parse_statement(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Select) => self
                .parse_select()
                .map(|select| Statement::Select(Box::new(select))),
            Token::Keyword(Keyword::Delete) => self.parse_delete(),
            Token::Keyword(Keyword::Show) => self.parse_show(),
            Token::Keyword(Keyword::Create) => self.parse_create(),
            Token::Keyword(Keyword::Drop) => self.parse_drop(),
            Token::Keyword(Keyword::Explain) => self.parse_explain(),
            Token::Keyword(Keyword::Grant) => self.parse_grant(),
            Token::Keyword(Keyword::Revoke) => self.parse_revoke(),
            Token::Keyword(Keyword::Alter) => {
                self.expect(Keyword::Retention)?;
                self.expect(Keyword::Policy)?;
                self.parse_alter_retention_policy()
            }
            Token::Keyword(Keyword::Set) => {
                self.expect(Keyword::Password)?;
                self.expect(Keyword::For)?;
                self.parse_set_password()
            }
            Token::Keyword(Keyword::Kill) => {
                self.expect(Keyword::Query)?;
                self.parse_kill_query()
            }
            _ => self.unexpected(
                &lexeme,
                &[
                    "SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE",
                    "ALTER", "SET", "KILL",
                ],
            ),
        }
    }
}

fn too_deep<T>() -> Result<T> {
    Err(ParseError::Bare(
        "expression is nested too deeply".to_owned(),
    ))
}

#[cfg(test)]
mod tests;
