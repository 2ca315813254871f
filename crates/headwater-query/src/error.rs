//! Why a statement has no answer. The texts are the reference's, since clients match on them.

/// The failure of one statement; `Display` is the statement's `error`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The statement cannot be answered as it is written, or against the data there is. The
    /// text is the reference's.
    #[error("{0}")]
    Statement(String),
    /// The statement is well formed and not offered (`spec/query.md` §9).
    #[error("not implemented: {0}")]
    NotImplemented(&'static str),
    /// Storage could not read or write.
    #[error(transparent)]
    Storage(#[from] headwater_storage::Error),
    /// Nobody waits for the answer any longer.
    #[error("query interrupted")]
    Interrupted,
}

impl Error {
    /// A failure with the reference's text.
    pub(crate) fn statement(text: impl Into<String>) -> Self {
        Self::Statement(text.into())
    }
}
