//! RE2 syntax to the syntax of the `regex` crate.
//!
//! The two differ in what they refuse and in a few meanings: RE2's `\d`, `\s`, `\w` and `\b` are
//! ASCII, its classes know neither nesting nor set operations, `{` that begins no repetition is
//! literal, `\Q…\E` and octal escapes exist, and flags may repeat. Groups capture nothing here:
//! nobody asks for captures.

use super::error;

const MISSING_BRACKET: &str = "missing closing ]";
const MISSING_PAREN: &str = "missing closing )";
const UNEXPECTED_PAREN: &str = "unexpected )";
const MISSING_ARGUMENT: &str = "missing argument to repetition operator";
const NESTED_REPETITION: &str = "invalid nested repetition operator";
const REPEAT_COUNT: &str = "invalid repeat count";
const ESCAPE: &str = "invalid escape sequence";
const TRAILING_BACKSLASH: &str = "trailing backslash at end of expression";
const CLASS_RANGE: &str = "invalid character class range";
const NAMED_CAPTURE: &str = "invalid named capture";
const PERL_SYNTAX: &str = "invalid or unsupported Perl syntax";

/// The largest count of a repetition, nested ones multiplied.
const REPEAT_MAX: u32 = 1000;

type Result<T> = std::result::Result<T, String>;

/// The pattern in the other syntax.
///
/// # Errors
/// What RE2 refuses, in the reference's words.
pub(super) fn translate(pattern: &str) -> Result<String> {
    let mut translator = Translator {
        pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() + 8),
        enclosing: Vec::new(),
        operand: None,
        weight: 1,
    };
    translator.run()?;
    Ok(translator.out)
}

struct Translator<'a> {
    pattern: &'a str,
    /// What has not been read yet; always a tail of `pattern`.
    rest: &'a str,
    out: String,
    /// The weights of the groups that are open around the current one.
    enclosing: Vec<u32>,
    /// The weight of what a repetition would repeat, if there is something.
    operand: Option<u32>,
    /// The weight of the current group: the largest product of repetition counts in it.
    weight: u32,
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Result<()> {
        // Where the repetition that was read last begins, if it was the last thing read.
        let mut last_repetition = None;
        while let Some(first) = self.rest.chars().next() {
            let start = self.rest;
            let mut repetition = None;
            match first {
                '(' if start.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.advance(1);
                    self.open("(?:");
                }
                '|' => {
                    self.advance(1);
                    self.out.push('|');
                    self.operand = None;
                }
                ')' => self.close()?,
                '^' | '$' | '.' => {
                    self.advance(1);
                    self.out.push(first);
                    self.end_operand(1);
                }
                '[' => {
                    self.class()?;
                    self.end_operand(1);
                }
                '*' | '+' | '?' => {
                    self.advance(1);
                    self.repeat(start, last_repetition, 1)?;
                    repetition = Some(start);
                }
                '{' => match repeat_counts(start) {
                    Some((counts, length)) => {
                        self.advance(length);
                        let factor = self.check_counts(counts, start)?;
                        self.repeat(start, last_repetition, factor)?;
                        repetition = Some(start);
                    }
                    None => self.literal(first),
                },
                '\\' => self.escape()?,
                _ => self.literal(first),
            }
            last_repetition = repetition;
        }
        if self.enclosing.is_empty() {
            Ok(())
        } else {
            Err(error(MISSING_PAREN, self.pattern))
        }
    }

    /// Reads past bytes.
    fn advance(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// What was read since `start`.
    fn since(&self, start: &'a str) -> &'a str {
        &start[..start.len() - self.rest.len()]
    }

    fn end_operand(&mut self, weight: u32) {
        self.operand = Some(weight);
        self.weight = self.weight.max(weight);
    }

    fn literal(&mut self, character: char) {
        self.advance(character.len_utf8());
        self.push_escaped(character);
        self.end_operand(1);
    }

    fn push_escaped(&mut self, character: char) {
        if regex_syntax::is_meta_character(character) {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.enclosing.push(self.weight);
        self.weight = 1;
        self.operand = None;
    }

    fn close(&mut self) -> Result<()> {
        let Some(enclosing) = self.enclosing.pop() else {
            return Err(error(UNEXPECTED_PAREN, self.pattern));
        };
        self.advance(1);
        self.out.push(')');
        let weight = std::mem::replace(&mut self.weight, enclosing);
        self.end_operand(weight);
        Ok(())
    }

    /// A repetition that began at `start` and was read up to a `?`, which makes it lazy.
    fn repeat(&mut self, start: &'a str, last: Option<&'a str>, factor: u32) -> Result<()> {
        if self.rest.starts_with('?') {
            self.advance(1);
        }
        if let Some(last) = last {
            return Err(error(NESTED_REPETITION, self.since(last)));
        }
        let Some(operand) = self.operand else {
            return Err(error(MISSING_ARGUMENT, self.since(start)));
        };
        let weight = operand.saturating_mul(factor);
        if weight > REPEAT_MAX && factor > 1 {
            return Err(error(REPEAT_COUNT, self.since(start)));
        }
        self.out.push_str(self.since(start));
        self.end_operand(weight);
        Ok(())
    }

    /// The factor that `{least,most}` contributes to a weight.
    fn check_counts(&self, (least, most): (u32, Option<u32>), start: &'a str) -> Result<u32> {
        let largest = most.unwrap_or(least);
        if least > REPEAT_MAX || largest > REPEAT_MAX || least > largest {
            return Err(error(REPEAT_COUNT, self.since(start)));
        }
        Ok(largest.max(1))
    }

    /// `(?flags)`, `(?flags:…)` or a named group.
    fn perl_group(&mut self) -> Result<()> {
        let start = self.rest;
        for prefix in ["(?P<", "(?<"] {
            if start.starts_with(prefix) {
                let Some(end) = start.find('>') else {
                    return Err(error(NAMED_CAPTURE, start));
                };
                let name = &start[prefix.len()..end];
                if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    return Err(error(NAMED_CAPTURE, &start[..=end]));
                }
                self.advance(end + 1);
                self.open("(?:");
                return Ok(());
            }
        }
        self.advance(2);
        let (mut on, mut off) = (String::new(), String::new());
        let mut negated = false;
        while let Some(character) = self.rest.chars().next() {
            self.advance(character.len_utf8());
            match character {
                'i' | 'm' | 's' | 'U' => {
                    on.retain(|flag| flag != character);
                    off.retain(|flag| flag != character);
                    if negated { &mut off } else { &mut on }.push(character);
                }
                '-' if !negated => negated = true,
                ':' | ')' if !negated || !off.is_empty() => {
                    let minus = if off.is_empty() { "" } else { "-" };
                    let flags = format!("(?{on}{minus}{off}{character}");
                    match character {
                        ':' => self.open(&flags),
                        _ if on.is_empty() && off.is_empty() => {}
                        _ => self.out.push_str(&flags),
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(error(PERL_SYNTAX, self.since(start)))
    }

    /// Anything that begins with a backslash, outside of a class.
    fn escape(&mut self) -> Result<()> {
        let start = self.rest;
        let simple = match start.chars().nth(1) {
            Some('A') => Some("\\A"),
            Some('z') => Some("\\z"),
            Some('b') => Some("(?-u:\\b)"),
            Some('B') => Some("(?-u:\\B)"),
            _ => None,
        };
        if let Some(text) = simple {
            self.advance(2);
            self.out.push_str(text);
        } else if start.starts_with("\\C") {
            return Err(error(ESCAPE, "\\C"));
        } else if let Some(quoted) = start.strip_prefix("\\Q") {
            let (text, length) = match quoted.find("\\E") {
                Some(end) => (&quoted[..end], end + 4),
                None => (quoted, start.len()),
            };
            for character in text.chars() {
                self.push_escaped(character);
                self.end_operand(1);
            }
            self.advance(length);
            return Ok(());
        } else if !self.unicode_class()? && !self.perl_class() {
            let character = self.character_escape()?;
            self.push_escaped(character);
        }
        self.end_operand(1);
        Ok(())
    }

    /// `\d` and the like; false when something else is next.
    fn perl_class(&mut self) -> bool {
        let class = match self.rest.as_bytes() {
            [b'\\', b'd', ..] => "[0-9]",
            [b'\\', b'D', ..] => "[^0-9]",
            [b'\\', b's', ..] => r"[\t\n\f\r ]",
            [b'\\', b'S', ..] => r"[^\t\n\f\r ]",
            [b'\\', b'w', ..] => "[0-9A-Za-z_]",
            [b'\\', b'W', ..] => "[^0-9A-Za-z_]",
            _ => return false,
        };
        self.advance(2);
        self.out.push_str(class);
        true
    }

    /// `\pN`, `\p{Name}` and their negations; false when something else is next.
    fn unicode_class(&mut self) -> Result<bool> {
        let start = self.rest;
        let mut negated = match start.as_bytes() {
            [b'\\', b'p', ..] => false,
            [b'\\', b'P', ..] => true,
            _ => return Ok(false),
        };
        let mut name = match start[2..].chars().next() {
            Some('{') => {
                let Some(end) = start.find('}') else {
                    return Err(error(CLASS_RANGE, start));
                };
                self.advance(end + 1);
                &start[3..end]
            }
            next => {
                let length = next.map_or(0, char::len_utf8);
                self.advance(2 + length);
                &start[2..2 + length]
            }
        };
        if let Some(positive) = name.strip_prefix('^') {
            negated = !negated;
            name = positive;
        }
        let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        let is_name = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        if !is_name || regex_syntax::parse(&class).is_err() {
            return Err(error(CLASS_RANGE, self.since(start)));
        }
        self.out.push_str(&class);
        Ok(true)
    }

    /// The character that an escape such as `\n`, `\.`, `\x41` or `\101` stands for.
    fn character_escape(&mut self) -> Result<char> {
        let start = self.rest;
        self.advance(1);
        let Some(kind) = self.next() else {
            return Err(error(TRAILING_BACKSLASH, ""));
        };
        let code = match kind {
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            'x' => self.hexadecimal(),
            // A single digit other than 0 would be a back reference.
            '0'..='7' if kind == '0' || self.rest.starts_with(|c| matches!(c, '0'..='7')) => {
                let mut code = u32::from(kind) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.advance(1);
                    code = code * 8 + digit;
                }
                Some(code)
            }
            _ if kind.is_ascii() && !kind.is_ascii_alphanumeric() => Some(u32::from(kind)),
            _ => None,
        };
        match code {
            // Half of a surrogate pair stands in no text.
            Some(code) => Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
            None => Err(error(ESCAPE, self.since(start))),
        }
    }

    /// The code after `\x`: two digits, or any number in braces. `None` leaves what was read
    /// read, for the error text.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let mut code = None;
        loop {
            match self.next()? {
                '}' => return code,
                digit => {
                    let next = code.unwrap_or(0) * 16 + digit.to_digit(16)?;
                    code = Some(next).filter(|code| *code <= u32::from(char::MAX));
                    code?;
                }
            }
        }
    }

    /// Reads a character.
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.advance(character.len_utf8());
        Some(character)
    }

    /// `[…]`.
    fn class(&mut self) -> Result<()> {
        let whole = self.rest;
        self.advance(1);
        self.out.push('[');
        if self.rest.starts_with('^') {
            self.advance(1);
            self.out.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if self.posix_class()? || self.unicode_class()? || self.perl_class() {
                continue;
            }
            let range = self.rest;
            let low = self.class_character(whole)?;
            let mut high = low;
            if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
                self.advance(1);
                high = self.class_character(whole)?;
                if high < low {
                    return Err(error(CLASS_RANGE, self.since(range)));
                }
            }
            self.push_escaped(low);
            if high != low {
                self.out.push('-');
                self.push_escaped(high);
            }
        }
        self.advance(1);
        self.out.push(']');
        Ok(())
    }

    fn class_character(&mut self, whole: &str) -> Result<char> {
        if self.rest.starts_with('\\') {
            return self.character_escape();
        }
        self.next().ok_or_else(|| error(MISSING_BRACKET, whole))
    }

    /// `[:name:]` inside a class; false when something else is next.
    fn posix_class(&mut self) -> Result<bool> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let start = self.rest;
        let Some(end) = start.strip_prefix("[:").and_then(|name| name.find(":]")) else {
            return Ok(false);
        };
        let name = &start[2..2 + end];
        self.advance(end + 4);
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(error(CLASS_RANGE, self.since(start)));
        }
        self.out.push_str(self.since(start));
        Ok(true)
    }
}

/// The counts of `{n}`, `{n,}` or `{n,m}`, without the second where it is open, and the length
/// of the whole; `None` when the text is none of these.
fn repeat_counts(text: &str) -> Option<((u32, Option<u32>), usize)> {
    let end = text.find('}')?;
    let inner = &text[1..end];
    let (least, most) = match inner.split_once(',') {
        None => (count(inner)?, Some(count(inner)?)),
        Some((least, "")) => (count(least)?, None),
        Some((least, most)) => (count(least)?, Some(count(most)?)),
    };
    Some(((least, most), end + 1))
}

/// A decimal without leading zeros; what is too large for the type is the largest.
fn count(digits: &str) -> Option<u32> {
    let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
    if digits.is_empty() || has_leading_zero || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}
