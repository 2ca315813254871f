//! Which format the client wants: the `Accept` list by weight, then by order; JSON when nothing
//! in it is known (`spec/query.md` §1.4).

use axum::http::{HeaderMap, header};

use crate::encode::Format;

pub(super) fn format(headers: &HeaderMap) -> Format {
    let mut best = (0.0, Format::Json);
    let ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let Some(format) = parts.next().and_then(known) else {
            continue;
        };
        let weight = parts
            .find_map(|parameter| parameter.strip_prefix("q="))
            .and_then(|weight| weight.trim().parse::<f32>().ok())
            .unwrap_or(1.0);
        if weight > best.0 {
            best = (weight, format);
        }
    }
    best.1
}

fn known(range: &str) -> Option<Format> {
    Some(match range.to_ascii_lowercase().as_str() {
        "application/json" | "application/*" | "*/*" => Format::Json,
        "application/csv" => Format::ApplicationCsv,
        "text/csv" | "text/*" => Format::TextCsv,
        "application/x-msgpack" => Format::MessagePack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
