//! The pieces of one statement on their way to the receiver.

use std::{cell::RefCell, sync::Arc};

use headwater_influxql::ast::Query;
use tokio::{runtime::Handle, sync::mpsc};

use super::Run;
use crate::{
    Error,
    execute::Stop,
    guard::Signal,
    series::{ResultPiece, Series},
};

/// Where pieces go.
pub(super) enum Sink {
    /// To a receiver that is waited for; the signal ends the wait.
    Receiver {
        sender: mpsc::Sender<ResultPiece>,
        signal: Arc<Signal>,
        runtime: Handle,
    },
    /// Kept until the request is done.
    Kept(RefCell<Vec<ResultPiece>>),
}

impl Sink {
    fn send(&self, piece: ResultPiece) -> Result<(), Stop> {
        let (sender, signal, runtime) = match self {
            Self::Receiver {
                sender,
                signal,
                runtime,
            } => (sender, signal, runtime),
            Self::Kept(pieces) => {
                pieces.borrow_mut().push(piece);
                return Ok(());
            }
        };
        let piece = match sender.try_send(piece) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Stop),
            Err(mpsc::error::TrySendError::Full(piece)) => piece,
        };
        runtime.block_on(async {
            tokio::select! {
                sent = sender.send(piece) => sent.map_err(|_| Stop),
                () = signal.wait() => Err(Stop),
            }
        })
    }
}

/// Sends the pieces of one statement. A piece is held until it is known whether another follows.
pub(crate) struct Output<'a> {
    sink: &'a Sink,
    statement_id: i64,
    held: Option<ResultPiece>,
    held_cells: usize,
    /// Each series is a piece.
    is_chunked: bool,
    has_sent: bool,
}

/// Cells that small series gather in one piece, so that the receiver is not woken for each.
const PIECE_CELLS: usize = 16 * 1024;

impl<'a> Output<'a> {
    pub(super) fn new(run: &'a Run<'_>, statement: usize) -> Self {
        Self {
            sink: &run.sink,
            statement_id: statement_id(statement),
            held: None,
            held_cells: 0,
            is_chunked: run.task.request.is_chunked,
            has_sent: false,
        }
    }

    /// Takes rows of a series.
    pub(crate) fn emit(&mut self, series: Series) -> Result<(), Stop> {
        let cells = series.row_count() * series.columns.len();
        self.held_cells += cells;
        if let Some(held) = &mut self.held
            && !self.is_chunked
            && self.held_cells <= PIECE_CELLS
            && held.series.last().is_some_and(|last| !last.partial)
        {
            held.series.push(series);
            return Ok(());
        }
        self.held_cells = cells;
        let piece = ResultPiece {
            statement_id: self.statement_id,
            series: vec![series],
            ..ResultPiece::default()
        };
        match self.held.replace(piece) {
            None => Ok(()),
            Some(earlier) => self.send(ResultPiece {
                partial: true,
                ..earlier
            }),
        }
    }

    /// Takes a series that is a piece of its own, never flagged as one of several: SHOW TAG KEYS
    /// and SHOW TAG VALUES (`spec/query.md` §4.2).
    pub(crate) fn emit_whole(&mut self, series: Series) -> Result<(), Stop> {
        let piece = ResultPiece {
            statement_id: self.statement_id,
            series: vec![series],
            ..ResultPiece::default()
        };
        self.send(piece)
    }

    fn send(&mut self, piece: ResultPiece) -> Result<(), Stop> {
        self.has_sent = true;
        self.sink.send(piece)
    }

    /// Sends what is held, or an empty piece if there was none.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        let last = match self.held.take() {
            Some(held) => held,
            None if self.has_sent => return Ok(()),
            None => ResultPiece {
                statement_id: self.statement_id,
                ..ResultPiece::default()
            },
        };
        self.send(last)
    }

    /// Sends an error in place of what is held; the request goes on.
    pub(super) fn error(&mut self, error: String) -> Result<(), Stop> {
        self.held = None;
        self.send(ResultPiece {
            statement_id: self.statement_id,
            error: Some(error),
            ..ResultPiece::default()
        })
    }
}

/// What a failed request ends with: the error of the statement at a position, and for each later
/// one that it was not executed (`spec/decisions.md` 3).
pub(super) fn last_pieces(query: &Query, failed: usize, error: &Error) -> Vec<ResultPiece> {
    let piece = |statement: usize, error: String| ResultPiece {
        statement_id: statement_id(statement),
        error: Some(error),
        ..ResultPiece::default()
    };
    let others = (failed + 1..query.statements.len())
        .map(|statement| piece(statement, "not executed".to_owned()));
    std::iter::once(piece(failed, error.to_string()))
        .chain(others)
        .collect()
}

fn statement_id(statement: usize) -> i64 {
    i64::try_from(statement).unwrap_or(i64::MAX)
}
