//! Values of bound parameters (`spec/influxql/grammar.md` §1.6, `spec/query.md` §1.3).
//!
//! A parameter stands for one token. What cannot be bound is kept as its message, which the
//! parser reports where the parameter is used; a bad number is refused at once.

mod json;

use std::collections::HashMap;

use crate::duration::format_duration;
use crate::keywords::Keyword;
use crate::lexer::Token;
use json::Json;

/// The value of `$name` for every name that a request supplies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    values: HashMap<String, Bound>,
}

/// The token that stands in for a parameter. A value that cannot be bound keeps the kind
/// [`Token::BoundParam`] and carries its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) token: Token,
    pub(crate) text: String,
}

/// Why the `params` of a request are refused. `Display` is the whole text of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Not a JSON object.
    #[error("error parsing query parameters: {0}")]
    Json(String),
    /// A number that is neither an integer nor a float of the language.
    #[error("error parsing json value: {0}")]
    Number(String),
}

impl Params {
    /// Reads the JSON object of the request parameter `params`. What follows the object is
    /// ignored, and `null` is an empty object.
    ///
    /// # Errors
    /// The text is no JSON object, or a number in it fits no literal.
    pub fn from_json(text: &str) -> Result<Self, ParamsError> {
        let members = match json::parse(text).map_err(ParamsError::Json)? {
            Json::Object(members) => members,
            Json::Null => Vec::new(),
            other => {
                let kind = other.kind();
                return Err(ParamsError::Json(format!(
                    "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
                )));
            }
        };
        let mut values = HashMap::with_capacity(members.len());
        for (name, value) in members {
            values.insert(name, Bound::new(value)?);
        }
        Ok(Self { values })
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Bound> {
        self.values.get(name)
    }
}

impl Bound {
    fn new(value: Json) -> Result<Self, ParamsError> {
        Ok(match value {
            Json::Number(text) => number(&text)?,
            Json::String(text) => Self {
                token: Token::String,
                text,
            },
            Json::Bool(value) => Self::boolean(value),
            Json::Object(members) => Self::object(members),
            Json::Null => Self::unbindable("unable to bind parameter with type <nil>"),
            Json::Array => Self::unbindable("unable to bind parameter with type []interface {}"),
        })
    }

    fn unbindable(message: impl Into<String>) -> Self {
        Self {
            token: Token::BoundParam,
            text: message.into(),
        }
    }

    fn boolean(value: bool) -> Self {
        let keyword = if value { Keyword::True } else { Keyword::False };
        Self {
            token: Token::Keyword(keyword),
            text: String::new(),
        }
    }

    /// `{"kind": payload}`.
    fn object(members: Vec<(String, Json)>) -> Self {
        let Ok([(kind, payload)]) = <[_; 1]>::try_from(members) else {
            return Self::unbindable("bound object parameter value must have exactly one entry");
        };
        let bound = match (kind.as_str(), payload) {
            ("ident" | "identifier", Json::String(text)) => Ok((Token::Ident, text)),
            ("ident" | "identifier", _) => Err("identifier must be a string value"),
            ("regex", Json::String(text)) => Ok((Token::Regex, text)),
            ("regex", _) => Err("regex literal must be a string value"),
            ("string", Json::String(text)) => Ok((Token::String, text)),
            ("string", _) => Err("string literal must be a string value"),
            ("float" | "number", Json::Number(text)) => text
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
                .map(|value| (Token::Number, value.to_string()))
                .ok_or("number literal must be a float value"),
            ("float" | "number", _) => Err("number literal must be a float value"),
            ("int" | "integer", payload) => integer_of(&payload)
                .map(|value| (Token::Integer, value.to_string()))
                .ok_or("integer literal must be an integer value"),
            ("duration", Json::String(text)) => Ok((Token::Duration, text)),
            ("duration", payload) => integer_of(&payload)
                .map(|nanoseconds| (Token::Duration, format_duration(nanoseconds)))
                .ok_or("duration literal must be a string or integer value"),
            (kind, _) => return Self::unbindable(format!("unknown bind object type: {kind}")),
        };
        match bound {
            Ok((token, text)) => Self { token, text },
            Err(message) => Self::unbindable(message),
        }
    }
}

fn integer_of(value: &Json) -> Option<i64> {
    match value {
        Json::Number(text) => text.parse().ok(),
        _ => None,
    }
}

/// A number that is a value by itself: with a point a float, without one an integer.
fn number(text: &str) -> Result<Bound, ParamsError> {
    let error = |function: &str, reason: &str| {
        ParamsError::Number(format!("strconv.{function}: parsing \"{text}\": {reason}"))
    };
    if text.contains('.') {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        let value = value.ok_or_else(|| error("ParseFloat", "value out of range"))?;
        return Ok(Bound {
            token: Token::Number,
            text: value.to_string(),
        });
    }
    match text.parse::<i64>() {
        Ok(value) => Ok(Bound {
            token: Token::Integer,
            text: value.to_string(),
        }),
        Err(_) if text.contains(['e', 'E']) => Err(error("ParseInt", "invalid syntax")),
        Err(_) => Err(error("ParseInt", "value out of range")),
    }
}

#[cfg(test)]
mod tests;
