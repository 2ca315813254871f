//! Tests of the lexer: kinds, texts and places of tokens.

use super::{Lexer, Token};
use crate::keywords::Keyword;

/// Token kinds with their texts and the columns that an error would print.
fn lex(text: &str) -> Vec<(Token, String, usize)> {
    let mut lexer = Lexer::new(text);
    let mut out = Vec::new();
    loop {
        let lexeme = lexer.scan();
        let column = lexer.position(lexeme.at).column;
        out.push((lexeme.token, lexeme.text, column));
        if lexeme.token == Token::Eof {
            return out;
        }
    }
}

fn check(text: &str, expected: &[(Token, &str, usize)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(token, text, column)| (*token, (*text).to_owned(), *column))
        .collect();
    assert_eq!(lex(text), expected, "{text:?}");
}

#[test]
fn a_bare_prefix_before_a_quote_is_dropped() {
    check(
        r#"abc"x y""#,
        &[(Token::Ident, "x y", 1), (Token::Eof, "", 9)],
    );
    check(
        r#""v"foo"#,
        &[
            (Token::Ident, "v", 1),
            (Token::Ident, "foo", 4),
            (Token::Eof, "", 8),
        ],
    );
}

#[test]
fn the_end_counts_twice_after_a_bare_word() {
    check("5", &[(Token::Integer, "5", 1), (Token::Eof, "", 2)]);
    check("v", &[(Token::Ident, "v", 1), (Token::Eof, "", 3)]);
    check(
        "by",
        &[(Token::Keyword(Keyword::By), "", 1), (Token::Eof, "", 4)],
    );
    check(
        "- -- c",
        &[
            (Token::Operator(crate::ast::BinaryOp::Sub), "", 1),
            (Token::Whitespace, " ", 2),
            (Token::Comment, "", 3),
            (Token::Eof, "", 8),
        ],
    );
}

#[test]
fn a_string_is_placed_before_its_quote() {
    check(
        "('y'",
        &[
            (Token::LeftParen, "", 1),
            (Token::String, "y", 1),
            (Token::Eof, "", 5),
        ],
    );
    check("'y", &[(Token::BadString, "y", 1), (Token::Eof, "", 4)]);
}

#[test]
fn a_bad_escape_is_placed_at_the_escaped_character() {
    let tokens = lex(r"'ab\qc");
    assert_eq!(tokens[0], (Token::BadEscape, r"\q".to_owned(), 5));
}

#[test]
fn numbers_end_where_no_digit_follows_the_point() {
    check("1.", &[(Token::Number, "1", 1), (Token::Eof, "", 3)]);
    check(
        "1.2.3",
        &[
            (Token::Number, "1.2", 1),
            (Token::Number, ".3", 4),
            (Token::Eof, "", 6),
        ],
    );
    check(
        "1..3",
        &[
            (Token::Number, "1", 1),
            (Token::Number, ".3", 3),
            (Token::Eof, "", 5),
        ],
    );
    check("1AND", &[(Token::Duration, "1AND", 1), (Token::Eof, "", 5)]);
    check("3µ2s", &[(Token::Duration, "3µ2s", 1), (Token::Eof, "", 5)]);
}

#[test]
fn line_ends_are_one_character_and_nul_ends_the_text() {
    let mut lexer = Lexer::new("a\r\nb\rc\0d");
    let lines: Vec<_> = std::iter::from_fn(|| {
        let lexeme = lexer.scan();
        (lexeme.token != Token::Eof).then(|| (lexeme.text, lexer.position(lexeme.at).line))
    })
    .collect();
    let expected = [("a", 1), ("\n", 1), ("b", 2), ("\n", 2), ("c", 3)];
    assert_eq!(lines, expected.map(|(text, line)| (text.to_owned(), line)));
}

#[test]
fn bound_parameters_may_be_quoted_and_may_be_keywords() {
    check(
        r#"$"a b"$select$"#,
        &[
            (Token::BoundParam, "$a b", 1),
            (Token::BoundParam, "$select", 7),
            (Token::BoundParam, "$", 14),
            (Token::Eof, "", 16),
        ],
    );
}

#[test]
fn regular_expressions_unescape_only_the_slash() {
    let mut lexer = Lexer::new(r"/a\/b\.c/");
    assert_eq!(lexer.scan_regex().text, r"a/b\.c");
    for text in ["/a", "/a\n/", r"/a\"] {
        assert_eq!(
            Lexer::new(text).scan_regex().token,
            Token::BadRegex,
            "{text:?}"
        );
    }
}

#[test]
fn other_characters_are_illegal() {
    for text in ["é", "#", "\u{a0}", "!", "~", "/* open"] {
        assert_eq!(lex(text)[0].0, Token::Illegal, "{text:?}");
    }
}
