//! Query results as bytes: one encoder a file. They take the pieces of
//! [`headwater_query::series`] in order and append to a buffer that the caller empties whenever it
//! likes; none knows how the rows came about.

mod csv;
mod json;
mod msgpack;
pub(crate) mod number;
pub(crate) mod text;
pub(crate) mod time;

use headwater_query::series::ResultPiece;

use self::{csv::Csv, json::Json, msgpack::MessagePack, text::Rewriter, time::TimeFormat};

/// The formats of results (`spec/query.md` §1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    /// Answered as `application/csv` or `text/csv`, as asked.
    ApplicationCsv,
    TextCsv,
    MessagePack,
}

impl Format {
    /// The exact `Content-Type` of the answer, without a character set.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::ApplicationCsv => "application/csv",
            Self::TextCsv => "text/csv",
            Self::MessagePack => "application/x-msgpack",
        }
    }
}

/// What the request asked of the answer's form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) format: Format,
    /// One document a piece instead of one for the whole answer.
    pub(crate) chunked: bool,
    /// JSON indented by four spaces.
    pub(crate) pretty: bool,
    /// `None` prints RFC 3339 where the format has it.
    pub(crate) epoch: Option<headwater_model::Precision>,
    /// How many cells MessagePack, whose arrays state their length first, may gather.
    pub(crate) gathered_cells_max: usize,
}

/// Whether an encoder wants more pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Piece,
    /// The answer was replaced by an error that ends it.
    Nothing,
}

/// An encoder of one answer.
pub(crate) enum Encoder {
    Json(Json),
    PrettyJson {
        json: Json,
        compact: Vec<u8>,
        rewriter: Rewriter,
    },
    ChunkedJson {
        time: TimeFormat,
        pretty: bool,
    },
    Csv(Csv),
    MessagePack {
        options: Options,
        whole: MessagePack,
    },
}

impl Encoder {
    pub(crate) fn new(options: Options) -> Self {
        let time = options.epoch.map_or(TimeFormat::Rfc3339, TimeFormat::Epoch);
        match (options.format, options.chunked, options.pretty) {
            (Format::Json, true, pretty) => Self::ChunkedJson { time, pretty },
            (Format::Json, false, true) => Self::PrettyJson {
                json: Json::new(time),
                compact: Vec::new(),
                rewriter: Rewriter::new(Some("    ")),
            },
            (Format::Json, false, false) => Self::Json(Json::new(time)),
            (Format::ApplicationCsv | Format::TextCsv, ..) => {
                Self::Csv(Csv::new(options.epoch.unwrap_or_default(), options.chunked))
            }
            (Format::MessagePack, ..) => Self::MessagePack {
                options,
                whole: MessagePack::new(options.epoch, options.gathered_cells_max),
            },
        }
    }

    /// Appends `piece` to `out`.
    pub(crate) fn write(&mut self, piece: ResultPiece, out: &mut Vec<u8>) -> Next {
        match self {
            Self::Json(json) => json.write(&piece, out),
            Self::PrettyJson { json, compact, .. } => json.write(&piece, compact),
            Self::ChunkedJson { time, pretty } => {
                write_chunk(*time, *pretty, &piece, out);
                Next::Piece
            }
            Self::Csv(csv) => {
                csv.write(&piece, out);
                Next::Piece
            }
            Self::MessagePack { options, whole } => {
                whole.gather(piece);
                if options.chunked {
                    whole.finish(out);
                }
                Next::Piece
            }
        }
    }

    /// What was appended so far leaves for the client and can no longer be taken back. Appends
    /// to `out` what the encoder itself still held.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Json(json) => json.flushed(),
            Self::PrettyJson {
                json,
                compact,
                rewriter,
            } => {
                json.flushed();
                rewriter.write(compact, out);
                compact.clear();
            }
            Self::Csv(csv) => csv.flushed(),
            Self::ChunkedJson { .. } | Self::MessagePack { .. } => {}
        }
    }

    /// The bytes held back inside the encoder, beyond those in `out`.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::PrettyJson { compact, .. } => compact.len(),
            _ => 0,
        }
    }

    /// Appends the end of the answer.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        match &mut self {
            Self::Json(json) => json.finish(out),
            Self::PrettyJson {
                json,
                compact,
                rewriter,
            } => {
                json.finish(compact);
                rewriter.write(compact, out);
            }
            Self::MessagePack { options, whole } if !options.chunked => whole.finish(out),
            Self::ChunkedJson { .. } | Self::Csv(_) | Self::MessagePack { .. } => {}
        }
    }
}

fn write_chunk(time: TimeFormat, pretty: bool, piece: &ResultPiece, out: &mut Vec<u8>) {
    let mut json = Json::new(time);
    if pretty {
        let mut compact = Vec::new();
        json.write(piece, &mut compact);
        json.finish(&mut compact);
        Rewriter::new(Some("    ")).write(&compact, out);
    } else {
        let mut chunk = Vec::new();
        json.write(piece, &mut chunk);
        json.finish(&mut chunk);
        out.append(&mut chunk);
    }
}

/// Whether the cell at `row` is not null.
fn is_valid(valid: &Option<Vec<bool>>, row: usize) -> bool {
    valid.as_ref().is_none_or(|valid| valid[row])
}

#[cfg(test)]
mod tests;
