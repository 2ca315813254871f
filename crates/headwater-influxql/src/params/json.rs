//! JSON as far as bound parameters need it, with the error texts of the reference's decoder:
//! numbers stay as written, and what lies deeper than the payload of a bind object is only
//! checked.

/// How deep arrays and objects may nest.
const DEPTH_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    /// Its elements are of no use to anyone.
    Array,
    /// Members in order, of equal names only the last.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The name that decoding errors give the kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array => "array",
            Self::Object(_) => "object",
        }
    }
}

/// The first value of `text`; what follows it is ignored.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    let mut reader = Reader { text, next: 0 };
    reader.skip_whitespace();
    if reader.peek().is_none() {
        return Err("EOF".to_owned());
    }
    reader.value(0)
}

struct Reader<'a> {
    text: &'a str,
    /// Index of the byte that is read next.
    next: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.next).copied()
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.next += 1;
        }
    }

    /// The error about the byte that is next, or about the end of the text.
    fn unexpected<T>(&self, context: &str) -> Result<T, String> {
        match self.peek() {
            None => Err("unexpected EOF".to_owned()),
            Some(byte) => Err(format!("invalid character {} {context}", quoted(byte))),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        self.skip_whitespace();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Json::Number(self.number()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.unexpected("looking for beginning of value"),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                let expected = char::from(expected);
                return self.unexpected(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.next += 1;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.next += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        self.skip_whitespace();
        if self.peek() == Some(b'}') {
            self.next += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'"') {
                return self.unexpected("looking for beginning of object key string");
            }
            let name = self.string()?;
            self.skip_whitespace();
            if self.peek() != Some(b':') {
                return self.unexpected("after object key");
            }
            self.next += 1;
            let value = self.value(depth + 1)?;
            members.retain(|(earlier, _)| *earlier != name);
            members.push((name, value));
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.next += 1,
                Some(b'}') => {
                    self.next += 1;
                    return Ok(Json::Object(members));
                }
                _ => return self.unexpected("after object key:value pair"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        self.next += 1;
        self.skip_whitespace();
        if self.peek() == Some(b']') {
            self.next += 1;
            return Ok(Json::Array);
        }
        loop {
            self.value(depth + 1)?;
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.next += 1,
                Some(b']') => {
                    self.next += 1;
                    return Ok(Json::Array);
                }
                _ => return self.unexpected("after array element"),
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.next;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.next += 1;
        }
        self.next > start
    }

    fn number(&mut self) -> Result<String, String> {
        let start = self.next;
        if self.peek() == Some(b'-') {
            self.next += 1;
        }
        if self.peek() == Some(b'0') {
            self.next += 1;
        } else if !self.digits() {
            return self.unexpected("in numeric literal");
        }
        if self.peek() == Some(b'.') {
            self.next += 1;
            if !self.digits() {
                return self.unexpected("after decimal point in numeric literal");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.next += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.next += 1;
            }
            if !self.digits() {
                return self.unexpected("in exponent of numeric literal");
            }
        }
        Ok(self.text[start..self.next].to_owned())
    }

    fn string(&mut self) -> Result<String, String> {
        self.next += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.next..];
            let plain = rest
                .bytes()
                .take_while(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f))
                .count();
            out.push_str(&rest[..plain]);
            self.next += plain;
            match self.peek() {
                Some(b'"') => {
                    self.next += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.unexpected("in string literal"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        self.next += 1;
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.next += 1;
                return self.unicode_escape();
            }
            _ => return self.unexpected("in string escape code"),
        };
        self.next += 1;
        Ok(character)
    }

    /// `XXXX` after `\u`, with the second half of a surrogate pair; half a pair is U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, String> {
        let first = self.hexadecimal()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let before_second = self.next;
        if (0xd800..0xdc00).contains(&first) && self.text[self.next..].starts_with("\\u") {
            self.next += 2;
            let second = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.next = before_second;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.unexpected("in \\u hexadecimal character escape");
            };
            code = code * 16 + digit;
            self.next += 1;
        }
        Ok(code)
    }
}

/// A byte between single quotes, as the reference's decoder shows it.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}
