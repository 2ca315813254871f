//! JSON strings and whole JSON documents as the reference writes them: `<`, `>`, `&`, U+2028 and
//! U+2029 escaped (`spec/auth.md` §0), indented or compact.

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean_from = 0;
    let mut at = 0;
    while let Some(ahead) = bytes[at..]
        .iter()
        .position(|&byte| NEEDS_CARE[usize::from(byte)])
    {
        at += ahead;
        let byte = bytes[at];
        if byte == 0xe2 {
            if let Some(escape) = line_separator(&bytes[at..]) {
                out.extend_from_slice(&bytes[clean_from..at]);
                out.extend_from_slice(escape);
                at += 3;
                clean_from = at;
            } else {
                at += 1;
            }
            continue;
        }
        out.extend_from_slice(&bytes[clean_from..at]);
        write_escape(out, byte);
        at += 1;
        clean_from = at;
    }
    out.extend_from_slice(&bytes[clean_from..]);
    out.push(b'"');
}

/// Bytes that are escaped or may begin a character that is.
const NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'&' as usize] = true;
    table[0xe2] = true;
    table
};

/// The escape of U+2028 or U+2029 when `bytes` starts with one.
fn line_separator(bytes: &[u8]) -> Option<&'static [u8]> {
    match bytes {
        [0xe2, 0x80, 0xa8, ..] => Some(b"\\u2028"),
        [0xe2, 0x80, 0xa9, ..] => Some(b"\\u2029"),
        _ => None,
    }
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Rewrites compact JSON piece by piece: escapes inside strings what the reference escapes, and
/// indents if asked. Empty objects and arrays stay on one line.
pub(crate) struct Rewriter {
    indent: Option<&'static str>,
    depth: usize,
    in_string: bool,
    after_backslash: bool,
    /// An object or array was opened and nothing of it was written yet.
    just_opened: bool,
}

impl Rewriter {
    /// `indent` is one step of indentation; `None` writes compact JSON.
    pub(crate) fn new(indent: Option<&'static str>) -> Self {
        Self {
            indent,
            depth: 0,
            in_string: false,
            after_backslash: false,
            just_opened: false,
        }
    }

    /// Appends the rewritten `json`, which need not be a whole document but must not end inside
    /// a character.
    pub(crate) fn write(&mut self, json: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while at < json.len() {
            let byte = json[at];
            if self.in_string {
                at += self.write_in_string(&json[at..], out);
                continue;
            }
            at += 1;
            match byte {
                b'{' | b'[' => {
                    self.before_member(out);
                    out.push(byte);
                    self.depth += 1;
                    self.just_opened = true;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if !std::mem::take(&mut self.just_opened) {
                        self.new_line(out);
                    }
                    out.push(byte);
                }
                b',' => {
                    out.push(byte);
                    self.new_line(out);
                }
                b':' => {
                    out.push(byte);
                    if self.indent.is_some() {
                        out.push(b' ');
                    }
                }
                b'\n' | b' ' => out.push(byte),
                _ => {
                    self.before_member(out);
                    out.push(byte);
                    self.in_string = byte == b'"';
                }
            }
        }
    }

    /// Writes one character of a string; gives its length.
    fn write_in_string(&mut self, json: &[u8], out: &mut Vec<u8>) -> usize {
        let byte = json[0];
        if self.after_backslash {
            self.after_backslash = false;
            out.push(byte);
            return 1;
        }
        match byte {
            b'<' | b'>' | b'&' => write_escape(out, byte),
            b'\\' | b'"' => {
                self.after_backslash = byte == b'\\';
                self.in_string = byte != b'"';
                out.push(byte);
            }
            _ => {
                if let Some(escape) = line_separator(json) {
                    out.extend_from_slice(escape);
                    return 3;
                }
                out.push(byte);
            }
        }
        1
    }

    fn before_member(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.just_opened) {
            self.new_line(out);
        }
    }

    fn new_line(&self, out: &mut Vec<u8>) {
        if let Some(indent) = self.indent {
            out.push(b'\n');
            for _ in 0..self.depth {
                out.extend_from_slice(indent.as_bytes());
            }
        }
    }
}

/// `value` as one JSON document; `indent` as in [`Rewriter::new`].
pub(crate) fn to_json(value: &serde_json::Value, indent: Option<&'static str>) -> Vec<u8> {
    let compact = value.to_string();
    let mut out = Vec::with_capacity(compact.len() * 2);
    Rewriter::new(indent).write(compact.as_bytes(), &mut out);
    out
}

#[cfg(test)]
mod tests;
