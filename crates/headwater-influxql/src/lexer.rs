//! Text to tokens (`spec/influxql/grammar.md` §1).
//!
//! The places that error texts name follow from how the reference reads: it looks at characters
//! one by one, pushes back those that it does not want, and does not push back everything. The
//! cursor here moves the same way. It may stand beyond the end of the text, where it reads
//! [`END`]: the end is at one place when it is first read and at the next when it is read again,
//! which makes the two columns that `found EOF` may print.

use crate::ast::BinaryOp;
use crate::error::Position;
use crate::keywords::Keyword;

/// What is read beyond the end of the text. The character itself ends the text as well.
pub(crate) const END: char = '\0';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Eof,
    /// A character that begins no token, or a block comment without an end.
    Illegal,
    Whitespace,
    Comment,
    Ident,
    /// `$name`, while it has no value.
    BoundParam,
    Number,
    Integer,
    Duration,
    String,
    /// A quoted text without an end.
    BadString,
    /// A backslash in a quoted text before a character that may not be escaped.
    BadEscape,
    Regex,
    BadRegex,
    Keyword(Keyword),
    /// An operator that is a symbol; AND and OR are keywords.
    Operator(BinaryOp),
    LeftParen,
    RightParen,
    Comma,
    Colon,
    DoubleColon,
    Semicolon,
    Dot,
}

impl Token {
    /// The spelling of a token that has only one, else the name of the kind.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Eof => "EOF",
            Self::Illegal => "ILLEGAL",
            Self::Whitespace => "WS",
            Self::Comment | Self::BadRegex => "",
            Self::Ident => "IDENT",
            Self::BoundParam => "BOUNDPARAM",
            Self::Number => "NUMBER",
            Self::Integer => "INTEGER",
            Self::Duration => "DURATIONVAL",
            Self::String => "STRING",
            Self::BadString => "BADSTRING",
            Self::BadEscape => "BADESCAPE",
            Self::Regex => "REGEX",
            Self::Keyword(keyword) => keyword.as_str(),
            Self::Operator(operator) => operator.as_str(),
            Self::LeftParen => "(",
            Self::RightParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::DoubleColon => "::",
            Self::Semicolon => ";",
            Self::Dot => ".",
        }
    }
}

/// A token with its text: of names and strings what stands between the quotes, of keywords and
/// symbols nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) text: String,
    /// Where it begins, as a cursor of [`Lexer::position`].
    pub(crate) at: usize,
}

impl Lexeme {
    fn new(token: Token, text: impl Into<String>, at: usize) -> Self {
        Self {
            token,
            text: text.into(),
            at,
        }
    }

    /// How an error text shows the token.
    pub(crate) fn shown(&self) -> &str {
        if self.text.is_empty() {
            self.token.as_str()
        } else {
            &self.text
        }
    }
}

#[derive(Debug)]
pub(crate) struct Lexer {
    /// The text with `\n` for every line end, cut at the first [`END`].
    characters: Vec<char>,
    /// The index that is read next; may pass the length.
    next: usize,
}

impl Lexer {
    pub(crate) fn new(text: &str) -> Self {
        let mut characters = Vec::with_capacity(text.len());
        let mut source = text
            .chars()
            .take_while(|character| *character != END)
            .peekable();
        while let Some(character) = source.next() {
            if character == '\r' {
                source.next_if_eq(&'\n');
                characters.push('\n');
            } else {
                characters.push(character);
            }
        }
        Self {
            characters,
            next: 0,
        }
    }

    /// Line and column of a cursor.
    pub(crate) fn position(&self, at: usize) -> Position {
        let before = &self.characters[..at.min(self.characters.len())];
        let line_start = before
            .iter()
            .rposition(|c| *c == '\n')
            .map_or(0, |index| index + 1);
        let beyond_end = usize::from(at > self.characters.len());
        Position {
            line: 1 + before.iter().filter(|c| **c == '\n').count(),
            column: 1 + before.len() - line_start + beyond_end,
        }
    }

    fn read(&mut self) -> char {
        let character = self.characters.get(self.next).copied().unwrap_or(END);
        self.next += 1;
        character
    }

    fn unread(&mut self) {
        self.next -= 1;
    }

    /// Reads on if `wanted` is next.
    fn accept(&mut self, wanted: char) -> bool {
        let accepted = self.read() == wanted;
        if !accepted {
            self.unread();
        }
        accepted
    }

    /// The next character. The end is not pushed back after it was looked at.
    pub(crate) fn peek(&mut self) -> char {
        let character = self.read();
        if character != END {
            self.unread();
        }
        character
    }

    /// Reads a token. Regular expressions are never among them: see [`Lexer::scan_regex`].
    pub(crate) fn scan(&mut self) -> Lexeme {
        let at = self.next;
        let first = self.read();
        match first {
            END => Lexeme::new(Token::Eof, "", at),
            ' ' | '\t' | '\n' => {
                self.unread();
                self.scan_whitespace()
            }
            'a'..='z' | 'A'..='Z' | '_' | '"' => {
                self.unread();
                self.scan_ident(true)
            }
            '0'..='9' => self.scan_number(at),
            '\'' => self.scan_string(),
            '$' => self.scan_bound_param(at),
            '.' => {
                let digit_follows = self.read().is_ascii_digit();
                self.unread();
                if digit_follows {
                    self.scan_number(at)
                } else {
                    Lexeme::new(Token::Dot, "", at)
                }
            }
            _ => self.scan_symbol(first, at),
        }
    }

    fn scan_symbol(&mut self, first: char, at: usize) -> Lexeme {
        let operator = Token::Operator;
        let token = match first {
            '+' => operator(BinaryOp::Add),
            '-' if self.accept('-') => {
                self.skip_line();
                Token::Comment
            }
            '-' => operator(BinaryOp::Sub),
            '*' => operator(BinaryOp::Mul),
            '/' if self.accept('*') => {
                if self.skip_block() {
                    Token::Comment
                } else {
                    Token::Illegal
                }
            }
            '/' => operator(BinaryOp::Div),
            '%' => operator(BinaryOp::Mod),
            '&' => operator(BinaryOp::BitAnd),
            '|' => operator(BinaryOp::BitOr),
            '^' => operator(BinaryOp::BitXor),
            '=' if self.accept('~') => operator(BinaryOp::EqRegex),
            '=' => operator(BinaryOp::Eq),
            '!' if self.accept('=') => operator(BinaryOp::NotEq),
            '!' if self.accept('~') => operator(BinaryOp::NotEqRegex),
            '>' if self.accept('=') => operator(BinaryOp::GtEq),
            '>' => operator(BinaryOp::Gt),
            '<' if self.accept('=') => operator(BinaryOp::LtEq),
            '<' if self.accept('>') => operator(BinaryOp::NotEq),
            '<' => operator(BinaryOp::Lt),
            '(' => Token::LeftParen,
            ')' => Token::RightParen,
            ',' => Token::Comma,
            ';' => Token::Semicolon,
            ':' if self.accept(':') => Token::DoubleColon,
            ':' => Token::Colon,
            other => return Lexeme::new(Token::Illegal, other, at),
        };
        Lexeme::new(token, "", at)
    }

    fn scan_whitespace(&mut self) -> Lexeme {
        let at = self.next;
        let mut text = String::new();
        loop {
            match self.read() {
                END => break,
                character @ (' ' | '\t' | '\n') => text.push(character),
                _ => {
                    self.unread();
                    break;
                }
            }
        }
        Lexeme::new(Token::Whitespace, text, at)
    }

    /// A bare or quoted name. A bare prefix that touches a quote is dropped, as the reference
    /// does: `foo"v"` is the name `v`.
    fn scan_ident(&mut self, may_be_keyword: bool) -> Lexeme {
        let at = self.next;
        let mut text = String::new();
        loop {
            match self.read() {
                END => break,
                '"' => {
                    let quoted = self.scan_string();
                    if quoted.token != Token::String {
                        return quoted;
                    }
                    return Lexeme::new(Token::Ident, quoted.text, at);
                }
                character if is_name_character(character) => {
                    text.push(character);
                    self.scan_bare_name(&mut text);
                }
                _ => {
                    self.unread();
                    break;
                }
            }
        }
        match Keyword::lookup(&text).filter(|_| may_be_keyword) {
            Some(keyword) => Lexeme::new(Token::Keyword(keyword), "", at),
            None => Lexeme::new(Token::Ident, text, at),
        }
    }

    fn scan_bare_name(&mut self, text: &mut String) {
        loop {
            let character = self.read();
            if is_name_character(character) {
                text.push(character);
            } else {
                if character != END {
                    self.unread();
                }
                break;
            }
        }
    }

    /// A quoted text whose opening quote was just read. Its place is that of the character
    /// before the quote.
    fn scan_string(&mut self) -> Lexeme {
        let quote = self.next - 1;
        let at = quote.saturating_sub(1);
        let ending = self.characters[quote];
        let mut text = String::new();
        loop {
            match self.read() {
                character if character == ending => return Lexeme::new(Token::String, text, at),
                END | '\n' => return Lexeme::new(Token::BadString, text, at),
                '\\' => match self.read() {
                    'n' => text.push('\n'),
                    escaped @ ('\\' | '"' | '\'') => text.push(escaped),
                    other => {
                        let escape = ['\\', other].iter().collect::<String>();
                        return Lexeme::new(Token::BadEscape, escape, self.next - 1);
                    }
                },
                character => text.push(character),
            }
        }
    }

    /// `$name` or `$"any text"`; `$` was just read.
    fn scan_bound_param(&mut self, at: usize) -> Lexeme {
        let name = self.scan_ident(false);
        let text = format!("${}", name.text);
        if name.token == Token::Ident {
            Lexeme::new(Token::BoundParam, text, at)
        } else {
            Lexeme::new(name.token, text, name.at)
        }
    }

    /// A number, integer or duration that begins at `at`.
    fn scan_number(&mut self, at: usize) -> Lexeme {
        self.next = at;
        let mut text = String::new();
        self.scan_while(&mut text, |c| c.is_ascii_digit());
        if self.accept('.') {
            if self.read().is_ascii_digit() {
                self.unread();
                text.push('.');
                self.scan_while(&mut text, |c| c.is_ascii_digit());
            } else {
                self.unread();
            }
            return Lexeme::new(Token::Number, text, at);
        }
        let is_unit = |c: char| c.is_ascii_alphabetic() || c == 'µ';
        let unit_follows = is_unit(self.read());
        self.unread();
        if !unit_follows {
            return Lexeme::new(Token::Integer, text, at);
        }
        self.scan_while(&mut text, |c| is_unit(c) || c.is_ascii_digit());
        Lexeme::new(Token::Duration, text, at)
    }

    fn scan_while(&mut self, text: &mut String, wanted: impl Fn(char) -> bool) {
        loop {
            let character = self.read();
            if !wanted(character) {
                self.unread();
                return;
            }
            text.push(character);
        }
    }

    /// Leaves out the rest of the line and its end; at the end of the text, the end as well.
    fn skip_line(&mut self) {
        while !matches!(self.read(), '\n' | END) {}
    }

    /// Leaves out a block comment; false when it has no end.
    fn skip_block(&mut self) -> bool {
        let mut after_star = false;
        loop {
            match self.read() {
                END => return false,
                '/' if after_star => return true,
                character => after_star = character == '*',
            }
        }
    }

    /// Reads `/pattern/`. `\/` becomes `/`, every other backslash is the pattern's own.
    pub(crate) fn scan_regex(&mut self) -> Lexeme {
        let at = self.next.saturating_sub(1);
        let bad = || Lexeme::new(Token::BadRegex, "", at);
        if self.read() != '/' {
            return bad();
        }
        let mut pattern = String::new();
        loop {
            match self.read() {
                '/' => return Lexeme::new(Token::Regex, pattern, at),
                END | '\n' => return bad(),
                '\\' => match self.read() {
                    '/' => pattern.push('/'),
                    END => return bad(),
                    _ => {
                        self.unread();
                        pattern.push('\\');
                    }
                },
                character => pattern.push(character),
            }
        }
    }
}

/// Whether a character may stand in a bare name, apart from its beginning.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests;
