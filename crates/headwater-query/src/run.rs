//! Requests: their statements one after the other on a worker thread, apart from the runtime
//! that serves HTTP. Answers leave through a bounded channel; when the receiver is dropped, the
//! request ends.
//!
//! After a statement that fails nothing else runs: each later one gets `not executed` under its
//! own id (`spec/decisions.md` 3). Some failures are merely reported, and the next statement runs
//! (`spec/query.md` §4.3).

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use headwater_catalog::{Authorization, Catalog};
use headwater_env::{SeededRandom, SharedClock, SharedRandom};
use headwater_influxql::ast::{Query, Statement};
use headwater_storage::Engine;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use crate::{
    Error, admin,
    databases::VisibleDatabases,
    delete,
    execute::{ExecuteContext, Stop, StoredSource, run_select},
    explain,
    plan::SelectPlan,
    resolve::{ResolveContext, resolve_select},
    series::{ResultPiece, Series},
    show,
    snapshots::Snapshots,
};

/// Limits of queries.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Requests that run at the same time; others wait.
    pub workers: usize,
    /// Pieces of an answer that may wait for the client.
    pub pieces_buffered: usize,
    /// `max-select-buckets`: windows that a statement with a lower time bound may have; 0 is no
    /// limit (`spec/influxql/fill_and_windows.md` §7).
    pub max_select_buckets: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 32,
            pieces_buffered: 4,
            max_select_buckets: 0,
        }
    }
}

/// A parsed request and who makes it.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    pub authorization: Arc<Authorization>,
    /// The parameters `db` and `rp`.
    pub database: Option<String>,
    pub retention_policy: Option<String>,
    pub query: Query,
    /// Rows a piece.
    pub chunk_size: usize,
}

/// Runs requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryEngine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    engine: Engine,
    clock: SharedClock,
    /// For `sample()`, which only has to be fair.
    random: SharedRandom,
    settings: Settings,
    /// A permit is a running request.
    workers: Arc<Semaphore>,
}

impl QueryEngine {
    pub fn new(catalog: Catalog, engine: Engine, clock: SharedClock, settings: Settings) -> Self {
        let random = Arc::new(SeededRandom::new(clock.now().cast_unsigned()));
        let workers = Arc::new(Semaphore::new(settings.workers.max(1)));
        Self(Arc::new(Inner {
            catalog,
            engine,
            clock,
            random,
            settings,
            workers,
        }))
    }

    /// Runs the statements of a request. Each yields at least one piece; dropping the receiver
    /// ends the request. Must be called on a tokio runtime, whose blocking threads are the
    /// workers.
    pub fn execute(&self, request: QueryRequest) -> mpsc::Receiver<ResultPiece> {
        let (sender, receiver) = mpsc::channel(self.0.settings.pieces_buffered.max(1));
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let permit = tokio::select! {
                permit = Arc::clone(&inner.workers).acquire_owned() => permit,
                () = sender.closed() => return,
            };
            let cancelled = Arc::new(AtomicBool::new(false));
            let mut worker = {
                let (sender, cancelled) = (sender.clone(), Arc::clone(&cancelled));
                let runtime = Handle::current();
                tokio::task::spawn_blocking(move || {
                    Run {
                        inner: &inner,
                        request: &request,
                        sender,
                        cancelled: &cancelled,
                        runtime,
                    }
                    .statements();
                })
            };
            tokio::select! {
                _ = &mut worker => {}
                () = sender.closed() => {
                    cancelled.store(true, Ordering::Relaxed);
                    // A worker that panics outside a statement has nobody to tell it to.
                    worker.await.ok();
                }
            }
            drop(permit);
        });
        receiver
    }
}

/// How a statement fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The statements after it do not run.
    Raised(Error),
    /// The statements after it run.
    Reported(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Raised(error)
    }
}

impl From<headwater_storage::Error> for Failure {
    fn from(error: headwater_storage::Error) -> Self {
        Self::Raised(error.into())
    }
}

impl From<headwater_catalog::Error> for Failure {
    fn from(error: headwater_catalog::Error) -> Self {
        Self::Raised(Error::statement(error.to_string()))
    }
}

impl From<Stop> for Failure {
    fn from(_: Stop) -> Self {
        Self::Raised(Error::Interrupted)
    }
}

/// A request on its worker.
struct Run<'a> {
    inner: &'a Inner,
    request: &'a QueryRequest,
    sender: mpsc::Sender<ResultPiece>,
    cancelled: &'a AtomicBool,
    runtime: Handle,
}

impl Run<'_> {
    fn statements(&self) {
        let mut has_failed = false;
        for (at, statement) in self.request.query.statements.iter().enumerate() {
            let mut out = Output::new(&self.sender, at);
            if has_failed {
                out.error("not executed".to_owned());
                continue;
            }
            // State is shared only by values that a panic cannot leave half changed.
            let result = catch_unwind(AssertUnwindSafe(|| self.statement(statement, &mut out)));
            match result {
                Ok(Ok(())) => out.finish(),
                Ok(Err(Failure::Reported(error))) => out.error(error.to_string()),
                Ok(Err(Failure::Raised(Error::Interrupted))) if out.is_closed() => return,
                Ok(Err(Failure::Raised(error))) => {
                    out.error(error.to_string());
                    has_failed = true;
                }
                Err(panic) => {
                    let text = panic_text(panic.as_ref());
                    tracing::error!("{statement} panicked: {text}");
                    out.error(format!("{statement} [panic:{text}]"));
                    has_failed = true;
                }
            }
            if out.is_closed() {
                return;
            }
        }
    }

    fn statement(&self, statement: &Statement, out: &mut Output<'_>) -> Result<(), Failure> {
        let state = self.inner.catalog.state();
        let context = StatementContext {
            request: self.request,
            databases: VisibleDatabases::new(&state, &self.request.authorization),
            snapshots: Snapshots::new(self.inner.engine.clone()),
            now: self.inner.clock.now(),
            run: self,
        };
        match statement {
            Statement::Select(select) => {
                let plan = resolve_select(select, &context.resolve_context())?;
                context.select(&plan, out)
            }
            Statement::Explain(statement) => explain::run(statement, context, out),
            Statement::Delete(statement) => delete::delete(statement, &context),
            Statement::DropMeasurement { name } => delete::drop_measurement(name, &context),
            Statement::Admin(statement) => admin::run(statement, &context),
            Statement::KillQuery { .. } => Err(Error::NotImplemented("SHOW QUERIES").into()),
            _ => show::run(statement, &context, out),
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}

/// What a statement is run against.
pub(crate) struct StatementContext<'a> {
    pub request: &'a QueryRequest,
    pub databases: VisibleDatabases,
    pub snapshots: Snapshots,
    /// `now()`.
    pub now: i64,
    run: &'a Run<'a>,
}

impl StatementContext<'_> {
    pub(crate) fn resolve_context(&self) -> ResolveContext<'_> {
        ResolveContext {
            databases: &self.databases,
            schema: &self.snapshots,
            database: self.request.database.as_deref(),
            retention_policy: self.request.retention_policy.as_deref(),
            now: self.now,
            max_select_buckets: self.run.inner.settings.max_select_buckets,
        }
    }

    /// The database that a statement names, or the request's; empty when there is none.
    pub(crate) fn database<'b>(&'b self, named: Option<&'b String>) -> &'b str {
        named
            .filter(|name| !name.is_empty())
            .or(self.request.database.as_ref())
            .map_or("", String::as_str)
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.run.inner.catalog
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.run.inner.engine
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.run.inner.clock
    }

    /// Waits for a change of the catalog or of storage.
    pub(crate) fn wait<T>(&self, change: impl Future<Output = T>) -> T {
        self.run.runtime.block_on(change)
    }

    /// Fails when nobody waits for the answer any longer.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.run.cancelled.load(Ordering::Relaxed) {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Runs a plan for its answer.
    pub(crate) fn select(self, plan: &SelectPlan, out: &mut Output<'_>) -> Result<(), Failure> {
        self.execute(plan, &mut |series| out.emit(series))
    }

    /// Runs a plan for what can be seen of it.
    pub(crate) fn run_quietly(
        self,
        plan: &SelectPlan,
        look: &mut dyn FnMut(&Series),
    ) -> Result<(), Failure> {
        self.execute(plan, &mut |series| {
            look(&series);
            Ok(())
        })
    }

    fn execute(
        self,
        plan: &SelectPlan,
        emit: &mut dyn FnMut(Series) -> Result<(), Stop>,
    ) -> Result<(), Failure> {
        let source = StoredSource::new(self.snapshots.into_taken());
        let context = ExecuteContext {
            source: &source,
            random: Arc::clone(&self.run.inner.random),
            cancelled: self.run.cancelled,
            chunk_size: self.request.chunk_size,
        };
        Ok(run_select(plan, &context, emit)?)
    }
}

/// Sends the pieces of one statement. A piece is held until it is known whether another follows.
pub(crate) struct Output<'a> {
    sender: &'a mpsc::Sender<ResultPiece>,
    statement_id: i64,
    held: Option<ResultPiece>,
    has_sent: bool,
}

impl<'a> Output<'a> {
    fn new(sender: &'a mpsc::Sender<ResultPiece>, statement: usize) -> Self {
        let statement_id = i64::try_from(statement).unwrap_or(i64::MAX);
        Self {
            sender,
            statement_id,
            held: None,
            has_sent: false,
        }
    }

    /// Takes rows of a series.
    pub(crate) fn emit(&mut self, series: Series) -> Result<(), Stop> {
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
        self.sender.blocking_send(piece).map_err(|_| Stop)
    }

    fn finish(&mut self) {
        let last = match self.held.take() {
            Some(held) => held,
            None if self.has_sent => return,
            None => ResultPiece {
                statement_id: self.statement_id,
                ..ResultPiece::default()
            },
        };
        // A receiver that is gone is noticed before the next statement.
        self.send(last).ok();
    }

    fn error(&mut self, error: String) {
        self.held = None;
        let piece = ResultPiece {
            statement_id: self.statement_id,
            error: Some(error),
            ..ResultPiece::default()
        };
        self.send(piece).ok();
    }

    fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
