//! Expressions (`spec/influxql/grammar.md` §2).

use super::{Parser, Result, too_deep};
use crate::ast::{BinaryExpr, BinaryOp, Call, DataType, Expr, Regex, VarRef, WildcardKind};
use crate::duration::parse_duration;
use crate::error::ParseError;
use crate::keywords::Keyword;
use crate::lexer::{Lexeme, Token};

/// How high a tree may grow. Whoever walks a tree may recurse: this bounds the stack it needs.
const HEIGHT_MAX: usize = 500;
/// Up to how many operands a chain of ANDs or ORs becomes a left-leaning tree. Longer ones, as
/// programs write them, become balanced trees, which mean and print the same.
const LEANING_MAX: usize = 64;

/// An expression with the height of its tree.
struct Tree {
    expr: Expr,
    height: usize,
}

impl Tree {
    fn leaf(expr: Expr) -> Self {
        Self { expr, height: 1 }
    }

    fn binary(op: BinaryOp, left: Self, right: Self) -> Result<Self> {
        let height = 1 + left.height.max(right.height);
        if height > HEIGHT_MAX {
            return too_deep();
        }
        let expr = BinaryExpr {
            op,
            left: left.expr,
            right: right.expr,
        };
        Ok(Self {
            expr: Expr::Binary(Box::new(expr)),
            height,
        })
    }

    /// Joins operands of one associative operator.
    fn joined(op: BinaryOp, mut operands: Vec<Self>) -> Result<Self> {
        if operands.len() > LEANING_MAX {
            let right = operands.split_off(operands.len() / 2);
            return Self::binary(op, Self::joined(op, operands)?, Self::joined(op, right)?);
        }
        let mut operands = operands.into_iter();
        let first = operands.next().expect("a chain has at least one operand");
        operands.try_fold(first, |left, right| Self::binary(op, left, right))
    }
}

/// Operands and operators read so far, joined as far as precedence allows.
struct Chain {
    /// Finished operands of OR.
    disjuncts: Vec<Tree>,
    /// Finished operands of the AND that is being read.
    conjuncts: Vec<Tree>,
    /// The comparison or arithmetic that is being read: operands, and the operators between.
    operands: Vec<Tree>,
    operators: Vec<BinaryOp>,
}

impl Chain {
    fn new(first: Tree) -> Self {
        Self {
            disjuncts: Vec::new(),
            conjuncts: Vec::new(),
            operands: vec![first],
            operators: Vec::new(),
        }
    }

    fn push(&mut self, op: BinaryOp, operand: Tree) -> Result<()> {
        self.reduce(op.precedence())?;
        match op {
            BinaryOp::And => self.end_conjunct(),
            BinaryOp::Or => self.end_disjunct()?,
            _ => self.operators.push(op),
        }
        self.operands.push(operand);
        Ok(())
    }

    /// Joins what operators of at least this precedence bind.
    fn reduce(&mut self, precedence: u8) -> Result<()> {
        while let Some(op) = self.operators.pop_if(|op| op.precedence() >= precedence) {
            let right = self.operands.pop().expect("an operator has two operands");
            let left = self.operands.pop().expect("an operator has two operands");
            self.operands.push(Tree::binary(op, left, right)?);
        }
        Ok(())
    }

    fn end_conjunct(&mut self) {
        self.conjuncts.append(&mut self.operands);
    }

    fn end_disjunct(&mut self) -> Result<()> {
        self.end_conjunct();
        let conjuncts = std::mem::take(&mut self.conjuncts);
        self.disjuncts.push(Tree::joined(BinaryOp::And, conjuncts)?);
        Ok(())
    }

    fn into_tree(mut self) -> Result<Tree> {
        self.reduce(0)?;
        self.end_disjunct()?;
        Tree::joined(BinaryOp::Or, self.disjuncts)
    }
}

impl Parser<'_> {
    pub(super) fn parse_expr(&mut self) -> Result<Expr> {
        self.parse_tree().map(|tree| tree.expr)
    }

    fn parse_tree(&mut self) -> Result<Tree> {
        self.nested(|parser| {
            let mut chain = Chain::new(parser.parse_unary()?);
            loop {
                let lexeme = parser.scan_ignore_whitespace();
                let Some(op) = binary_operator(lexeme.token) else {
                    parser.unscan();
                    return chain.into_tree();
                };
                let operand = if op.is_regex() {
                    Tree::leaf(Expr::Regex(parser.parse_required_regex()?))
                } else {
                    parser.parse_unary()?
                };
                chain.push(op, operand)?;
            }
        })
    }

    fn parse_unary(&mut self) -> Result<Tree> {
        let lexeme = self.scan_ignore_whitespace();
        let leaf = |expr| Ok(Tree::leaf(expr));
        match lexeme.token {
            Token::LeftParen => {
                let inner = self.parse_tree()?;
                self.expect_token(Token::RightParen)?;
                Ok(Tree {
                    expr: Expr::Paren(Box::new(inner.expr)),
                    height: inner.height + 1,
                })
            }
            Token::Ident => {
                if self.scan().token == Token::LeftParen {
                    return self.parse_call(&lexeme.text);
                }
                self.unscan();
                self.unscan();
                leaf(Expr::VarRef(self.parse_var_ref()?))
            }
            Token::Keyword(Keyword::Distinct) => self.parse_distinct(),
            Token::String => leaf(Expr::String(lexeme.text)),
            Token::Number => match lexeme.text.parse::<f64>() {
                Ok(value) if value.is_finite() => leaf(Expr::Number(value)),
                _ => self.error_at(&lexeme, "unable to parse number"),
            },
            Token::Integer => leaf(self.integer(&lexeme)?),
            Token::Keyword(Keyword::True) => leaf(Expr::Boolean(true)),
            Token::Keyword(Keyword::False) => leaf(Expr::Boolean(false)),
            Token::Duration => leaf(Expr::Duration(parse_duration(&lexeme.text)?)),
            Token::Operator(BinaryOp::Mul) => leaf(Expr::Wildcard(self.parse_wildcard_kind()?)),
            Token::Regex => leaf(Expr::Regex(self.compile_regex(&lexeme)?)),
            Token::BoundParam => Err(missing_parameter(&lexeme.text)),
            Token::Operator(BinaryOp::Add) => self.parse_signed(false),
            Token::Operator(BinaryOp::Sub) => self.parse_signed(true),
            _ => self.unexpected(&lexeme, &["identifier", "string", "number", "bool"]),
        }
    }

    fn integer(&self, lexeme: &Lexeme) -> Result<Expr> {
        if let Ok(value) = lexeme.text.parse() {
            return Ok(Expr::Integer(value));
        }
        match lexeme.text.parse() {
            Ok(value) => Ok(Expr::Unsigned(value)),
            Err(_) => self.error_at(lexeme, "unable to parse integer"),
        }
    }

    /// What follows a sign. Literals take it in, anything else becomes a product.
    fn parse_signed(&mut self, negative: bool) -> Result<Tree> {
        let lexeme = self.scan_ignore_whitespace();
        if !matches!(
            lexeme.token,
            Token::Number | Token::Integer | Token::Duration | Token::LeftParen | Token::Ident
        ) {
            return self.unexpected(&lexeme, &["identifier", "number", "duration", "("]);
        }
        self.unscan();
        let mut tree = self.parse_unary()?;
        match &mut tree.expr {
            Expr::Number(value) if negative => *value = -*value,
            Expr::Integer(value) if negative => *value = value.wrapping_neg(),
            Expr::Duration(value) if negative => *value = value.wrapping_neg(),
            Expr::Unsigned(value) if negative => {
                if *value != i64::MIN.unsigned_abs() {
                    let message = format!("constant -{value} underflows int64");
                    return Err(ParseError::Bare(message));
                }
                tree.expr = Expr::Integer(i64::MIN);
            }
            Expr::VarRef(_) | Expr::Call(_) | Expr::Paren(_) => {
                let sign = Expr::Integer(if negative { -1 } else { 1 });
                return Tree::binary(BinaryOp::Mul, Tree::leaf(sign), tree);
            }
            _ => {}
        }
        Ok(tree)
    }

    /// `DISTINCT name` or `distinct(…)`; DISTINCT was read.
    fn parse_distinct(&mut self) -> Result<Tree> {
        let lexeme = self.scan();
        match lexeme.token {
            Token::LeftParen => self.parse_call("distinct"),
            Token::Whitespace => {
                let name = self.parse_ident()?;
                Ok(Tree::leaf(Expr::Distinct(name)))
            }
            _ => self.unexpected(&lexeme, &["(", "identifier"]),
        }
    }

    fn parse_wildcard_kind(&mut self) -> Result<Option<WildcardKind>> {
        if self.scan().token != Token::DoubleColon {
            self.unscan();
            return Ok(None);
        }
        let lexeme = self.scan();
        match lexeme.token {
            Token::Keyword(Keyword::Field) => Ok(Some(WildcardKind::Field)),
            Token::Keyword(Keyword::Tag) => Ok(Some(WildcardKind::Tag)),
            _ => self.unexpected(&lexeme, &["field", "tag"]),
        }
    }

    /// The arguments of a call whose name and opening parenthesis were read.
    fn parse_call(&mut self, name: &str) -> Result<Tree> {
        let mut call = Call {
            name: name.to_lowercase(),
            args: Vec::new(),
        };
        let mut height = 0;
        if let Some(regex) = self.parse_regex()? {
            call.args.push(Expr::Regex(regex));
        } else {
            if self.scan().token == Token::RightParen {
                return Ok(Tree::leaf(Expr::Call(call)));
            }
            self.unscan();
            let argument = self.parse_tree()?;
            height = argument.height;
            call.args.push(argument.expr);
        }
        loop {
            if self.scan_ignore_whitespace().token != Token::Comma {
                self.unscan();
                break;
            }
            if let Some(regex) = self.parse_regex()? {
                call.args.push(Expr::Regex(regex));
                continue;
            }
            let argument = self.parse_tree()?;
            height = height.max(argument.height);
            call.args.push(argument.expr);
        }
        let lexeme = self.scan();
        if lexeme.token != Token::RightParen {
            return self.unexpected(&lexeme, &[")"]);
        }
        Ok(Tree {
            expr: Expr::Call(call),
            height: height + 1,
        })
    }

    fn parse_var_ref(&mut self) -> Result<VarRef> {
        let name = self.parse_segmented_idents()?.join(".");
        if self.scan().token != Token::DoubleColon {
            self.unscan();
            return Ok(VarRef {
                name,
                data_type: None,
            });
        }
        let lexeme = self.scan();
        let data_type = match lexeme.token {
            Token::Ident => match lexeme.text.to_lowercase().as_str() {
                "float" => DataType::Float,
                "integer" => DataType::Integer,
                "unsigned" => DataType::Unsigned,
                "string" => DataType::String,
                "boolean" => DataType::Boolean,
                _ => {
                    return self.unexpected(
                        &lexeme,
                        &[
                            "float", "integer", "unsigned", "string", "boolean", "field", "tag",
                        ],
                    );
                }
            },
            Token::Keyword(Keyword::Field) => DataType::AnyField,
            Token::Keyword(Keyword::Tag) => DataType::Tag,
            _ => {
                return self.unexpected(
                    &lexeme,
                    &["float", "integer", "string", "boolean", "field", "tag"],
                );
            }
        };
        Ok(VarRef {
            name,
            data_type: Some(data_type),
        })
    }

    /// A regular expression, if the next character of the text begins one. That character is
    /// looked for behind tokens that were pushed back; those are then what is found instead.
    pub(super) fn parse_regex(&mut self) -> Result<Option<Regex>> {
        if matches!(self.peek_character(), ' ' | '\t' | '\n') {
            self.consume_whitespace();
        }
        match self.peek_character() {
            '/' => {}
            '$' => {
                // A parameter may stand for a regular expression.
                let is_regex = self.scan().token == Token::Regex;
                self.unscan();
                if !is_regex {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }
        let lexeme = self.scan_with(crate::lexer::Lexer::scan_regex);
        match lexeme.token {
            Token::Regex => self.compile_regex(&lexeme).map(Some),
            Token::BadRegex => self.error_at(&lexeme, "bad regex: "),
            _ => self.unexpected(&lexeme, &["regex"]),
        }
    }

    pub(super) fn parse_required_regex(&mut self) -> Result<Regex> {
        if let Some(regex) = self.parse_regex()? {
            return Ok(regex);
        }
        let lexeme = self.scan_ignore_whitespace();
        self.unexpected(&lexeme, &["regex"])
    }

    fn compile_regex(&self, lexeme: &Lexeme) -> Result<Regex> {
        Regex::new(&lexeme.text).or_else(|message| self.error_at(lexeme, message))
    }
}

fn binary_operator(token: Token) -> Option<BinaryOp> {
    match token {
        Token::Operator(op) => Some(op),
        Token::Keyword(Keyword::And) => Some(BinaryOp::And),
        Token::Keyword(Keyword::Or) => Some(BinaryOp::Or),
        _ => None,
    }
}

/// The error of a parameter without a value; `text` is `$name` or why the value cannot be bound.
fn missing_parameter(text: &str) -> ParseError {
    let name = text.strip_prefix('$').unwrap_or(text);
    ParseError::Bare(if name.is_empty() {
        "empty bound parameter".to_owned()
    } else {
        format!("missing parameter: {name}")
    })
}
