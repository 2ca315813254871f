//! The tokens of a delete predicate.

use std::{iter::Peekable, str::Chars};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Identifier,
    /// The keyword that may be a tag key.
    Name,
    /// An integer, a decimal number or a duration.
    Number,
    /// In single quotes.
    String,
    And,
    Or,
    True,
    False,
    /// Any other keyword.
    Keyword,
    Equal,
    NotEqual,
    Matches,
    NotMatches,
    Minus,
    LeftParenthesis,
    RightParenthesis,
    /// An operator or character without a meaning here.
    Other,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Of identifiers, numbers and strings what they stand for, else empty.
    pub(super) text: String,
    /// Characters before it in its line, as the reference counts.
    pub(super) position: usize,
    /// As complaints name it where that is not the kind's name.
    symbol: String,
}

impl Token {
    /// What complaints about an operator call the token.
    pub(super) fn name(&self) -> &str {
        match self.kind {
            Kind::Identifier => "IDENT",
            Kind::Number => "NUMBER",
            Kind::String => "STRING",
            Kind::End => "EOF",
            _ => &self.symbol,
        }
    }
}

pub(super) struct Scanner<'a> {
    characters: Peekable<Chars<'a>>,
    position: usize,
    peeked: Option<Token>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            characters: text.chars().peekable(),
            position: 0,
            peeked: None,
        }
    }

    /// The kind of the token that comes next.
    pub(super) fn peek(&mut self) -> Kind {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.scan(),
        };
        self.peeked.insert(token).kind
    }

    pub(super) fn next(&mut self) -> Token {
        match self.peeked.take() {
            Some(token) => token,
            None => self.scan(),
        }
    }

    fn read(&mut self) -> Option<char> {
        let character = self.characters.next()?;
        self.position = if character == '\n' {
            0
        } else {
            self.position + 1
        };
        Some(character)
    }

    fn read_if(&mut self, wanted: char) -> bool {
        let found = self.characters.peek() == Some(&wanted);
        if found {
            self.read();
        }
        found
    }

    fn read_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(&character) = self.characters.peek()
            && wanted(character)
        {
            text.push(character);
            self.read();
        }
        text
    }

    fn scan(&mut self) -> Token {
        self.read_while(|character| matches!(character, ' ' | '\t' | '\n'));
        let position = self.position;
        let token = |kind, text: String, symbol: &str| Token {
            kind,
            text,
            position,
            symbol: symbol.to_owned(),
        };
        let Some(&first) = self.characters.peek() else {
            return token(Kind::End, String::new(), "");
        };
        match first {
            '"' => {
                let text = self.quoted('"');
                token(Kind::Identifier, text, "")
            }
            // The reference places strings one character early.
            '\'' => Token {
                position: position.saturating_sub(1),
                ..token(Kind::String, self.quoted('\''), "")
            },
            '0'..='9' | '.' => {
                let text = self.read_while(|c| c.is_alphanumeric() || c == '.');
                token(Kind::Number, text, "")
            }
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let word = self.read_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let (kind, text) = word_kind(&word);
                token(kind, text, &word.to_ascii_uppercase())
            }
            _ => {
                let (kind, symbol) = self.operator();
                token(kind, String::new(), &symbol)
            }
        }
    }

    /// The content between quotes; an unclosed one ends with the text.
    fn quoted(&mut self, quote: char) -> String {
        self.read();
        let mut text = String::new();
        while let Some(character) = self.read() {
            match character {
                '\\' => match self.read() {
                    Some('n') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => break,
                },
                _ if character == quote => break,
                _ => text.push(character),
            }
        }
        text
    }

    fn operator(&mut self) -> (Kind, String) {
        let first = self.read().unwrap_or_default();
        let (kind, symbol) = match first {
            '=' if self.read_if('~') => (Kind::Matches, "=~"),
            '=' => (Kind::Equal, "="),
            '!' if self.read_if('=') => (Kind::NotEqual, "!="),
            '!' if self.read_if('~') => (Kind::NotMatches, "!~"),
            '<' if self.read_if('>') => (Kind::NotEqual, "!="),
            '<' if self.read_if('=') => (Kind::Other, "<="),
            '>' if self.read_if('=') => (Kind::Other, ">="),
            '-' => (Kind::Minus, "-"),
            '(' => (Kind::LeftParenthesis, "("),
            ')' => (Kind::RightParenthesis, ")"),
            _ => return (Kind::Other, first.to_string()),
        };
        (kind, symbol.to_owned())
    }
}

fn word_kind(word: &str) -> (Kind, String) {
    let keyword = match word.to_ascii_uppercase().as_str() {
        "AND" => Kind::And,
        "OR" => Kind::Or,
        "TRUE" => Kind::True,
        "FALSE" => Kind::False,
        "NAME" => Kind::Name,
        _ if headwater_influxql::is_keyword(word) => Kind::Keyword,
        _ => return (Kind::Identifier, word.to_owned()),
    };
    (keyword, String::new())
}
