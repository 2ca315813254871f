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
    /// Killed, or nobody waits for the answer any longer.
    #[error("query interrupted")]
    Interrupted,
    /// `query_timeout` is over.
    #[error("query-timeout limit exceeded")]
    TimeLimit,
    /// More requests at a time than are allowed.
    #[error("max-concurrent-queries limit exceeded({count}, {limit})")]
    ConcurrencyLimit { count: usize, limit: usize },
    /// More rows read than are allowed. The reference misspells the word, and clients match it.
    #[error("max-select-point limit exceeed: ({count}/{limit})")]
    PointLimit { count: u64, limit: u64 },
    /// More series of a measurement in a time partition than are allowed.
    #[error("max-select-series limit exceeded: ({count}/{limit})")]
    SeriesLimit { count: u64, limit: u64 },
    /// More windows than are allowed.
    #[error("max-select-buckets limit exceeded: ({count}/{limit})")]
    BucketLimit { count: i128, limit: u64 },
    /// Execution would have to hold more than a statement may.
    #[error("query memory limit exceeded: {held} of {limit} bytes (setting query_memory_bytes)")]
    MemoryLimit { held: u64, limit: u64 },
}

impl Error {
    /// Whether nothing of the request is to run after it, even where failures are merely told.
    pub(crate) fn ends_request(&self) -> bool {
        matches!(
            self,
            Self::Interrupted | Self::TimeLimit | Self::MemoryLimit { .. }
        )
    }

    /// A failure with the reference's text.
    pub(crate) fn statement(text: impl Into<String>) -> Self {
        Self::Statement(text.into())
    }
}
