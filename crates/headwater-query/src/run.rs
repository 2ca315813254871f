//! Requests: their statements one after the other on a worker thread, apart from the runtime
//! that serves HTTP; or at once on the thread that took the request, as long as that is little
//! work, since waking a worker costs more than what most dashboards ask for. Answers leave
//! through a bounded channel; when the receiver is dropped, the request ends.
//!
//! After a statement that fails nothing else runs: each later one gets `not executed` under its
//! own id (`spec/decisions.md` 3). Some failures are merely reported, and the next statement runs
//! (`spec/query.md` §4.3).

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use headwater_catalog::{Authorization, Catalog};
use headwater_env::{SeededRandom, SharedClock, SharedRandom};
use headwater_influxql::ast::{ExplainStatement, Query, Statement};
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
    guard::{Guard, Interruption, Limits},
    plan::SelectPlan,
    resolve::{ResolveContext, resolve_select},
    series::{ResultPiece, Series},
    show,
    snapshots::Snapshots,
};

mod output;
mod queries;
mod registry;
mod settings;

pub(crate) use output::Output;
pub use settings::Settings;

use output::{Sink, last_pieces};
use registry::{Registered, Registry, SHOW_QUERIES, Task};

/// Statements up to which a request may run on the thread that took it.
const ATTEMPT_STATEMENTS: usize = 4;

/// A parsed request and who makes it.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    pub authorization: Arc<Authorization>,
    /// The parameters `db` and `rp`.
    pub database: Option<String>,
    pub retention_policy: Option<String>,
    pub query: Query,
    /// Rows of a series in a piece, at most.
    pub chunk_size: usize,
    /// Each piece has rows of one series only; otherwise small series share one, so that the
    /// receiver need not be woken for each.
    pub is_chunked: bool,
}

/// Figures for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Requests that have a worker.
    pub running: usize,
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Bytes that statements hold, as far as they account for them.
    pub memory_bytes: u64,
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
    registry: Arc<Registry>,
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
            registry: Arc::default(),
            workers,
        }))
    }

    /// Figures for metrics.
    pub fn statistics(&self) -> Statistics {
        self.0.registry.statistics()
    }

    /// Runs the statements of a request. Each yields at least one piece; dropping the receiver
    /// ends the request. Must be called on a tokio runtime, whose blocking threads are the
    /// workers.
    pub fn execute(&self, request: QueryRequest) -> mpsc::Receiver<ResultPiece> {
        let inner = Arc::clone(&self.0);
        let arrived = inner.clock.monotonic();
        let registered = match inner.registry.add(request, arrived, &inner.settings) {
            Ok(registered) => registered,
            Err(refused) => {
                let (request, error) = *refused;
                return ready(last_pieces(&request.query, 0, &error));
            }
        };
        if let Some(pieces) = attempt(&inner, &registered.task) {
            return ready(pieces);
        }
        let (sender, receiver) = mpsc::channel(inner.settings.pieces_buffered.max(1));
        tokio::spawn(supervise(inner, registered, sender));
        receiver
    }
}

/// A receiver of pieces that are all there.
fn ready(pieces: Vec<ResultPiece>) -> mpsc::Receiver<ResultPiece> {
    let (sender, receiver) = mpsc::channel(pieces.len().max(1));
    for piece in pieces {
        sender.try_send(piece).expect("there is room for each");
    }
    receiver
}

/// Runs a request on this thread if that turns out to be little work; `None` if it does not, and
/// then nothing of it counts.
fn attempt(inner: &Inner, task: &Task) -> Option<Vec<ResultPiece>> {
    let statements = &task.request.query.statements;
    if statements.len() > ATTEMPT_STATEMENTS || !statements.iter().all(may_be_attempted) {
        return None;
    }
    let _permit = inner.workers.try_acquire().ok()?;
    task.set_running();
    let run = Run {
        inner,
        task,
        sink: Sink::Kept(RefCell::default()),
        runtime: Handle::current(),
        has_given_up: Cell::new(false),
    };
    let last = run.statements();
    let Sink::Kept(pieces) = run.sink else {
        return None;
    };
    let mut pieces = pieces.into_inner();
    pieces.extend(last);
    (!run.has_given_up.get()).then_some(pieces)
}

/// Whether a statement may be begun twice: it changes nothing, and waits for nothing.
fn may_be_attempted(statement: &Statement) -> bool {
    !matches!(
        statement,
        Statement::Explain(_)
            | Statement::Delete(_)
            | Statement::DropMeasurement { .. }
            | Statement::Admin(_)
            | Statement::KillQuery { .. }
    )
}

/// Runs a request on a worker, and raises its signal when its client is gone or its time over.
async fn supervise(inner: Arc<Inner>, registered: Registered, sender: mpsc::Sender<ResultPiece>) {
    let task = Arc::clone(&registered.task);
    let timeout = inner.settings.query_timeout;
    let watched = sender.clone();
    let work = work(inner, Arc::clone(&task), sender);
    tokio::pin!(work);
    let reason = tokio::select! {
        () = &mut work => None,
        () = watched.closed() => Some(Interruption::ClientGone),
        () = tokio::time::sleep(timeout), if timeout > Duration::ZERO => {
            Some(Interruption::TimedOut)
        }
    };
    if let Some(reason) = reason {
        task.signal.raise(reason);
        work.await;
    }
    // Who has the whole answer, which ends with the last sender, no longer sees the request.
    drop(registered);
    drop(watched);
}

async fn work(inner: Arc<Inner>, task: Arc<Task>, sender: mpsc::Sender<ResultPiece>) {
    let permit = if task.is_counted() {
        tokio::select! {
            permit = Arc::clone(&inner.workers).acquire_owned() => permit.ok(),
            () = task.signal.wait() => {
                let error = task.signal.error();
                return deliver(last_pieces(&task.request.query, 0, &error), sender).await;
            }
        }
    } else {
        None
    };
    task.set_running();
    let runtime = Handle::current();
    let to_last = sender.clone();
    let worker = tokio::task::spawn_blocking(move || {
        let signal = Arc::clone(&task.signal);
        Run {
            inner: &inner,
            task: &task,
            sink: Sink::Receiver {
                sender,
                signal,
                runtime: runtime.clone(),
            },
            runtime,
            has_given_up: Cell::new(false),
        }
        .statements()
    });
    // A worker that panics outside a statement has nobody to tell it to.
    let last = worker.await.unwrap_or_default();
    // Nobody must have to take them for the worker to be free again.
    drop(permit);
    tokio::spawn(deliver(last, to_last));
}

/// Sends pieces as the receiver takes them, without a worker.
async fn deliver(pieces: Vec<ResultPiece>, sender: mpsc::Sender<ResultPiece>) {
    for piece in pieces {
        if sender.send(piece).await.is_err() {
            return;
        }
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
    fn from(Stop: Stop) -> Self {
        Self::Raised(Error::Interrupted)
    }
}

/// A request on its worker.
struct Run<'a> {
    inner: &'a Inner,
    task: &'a Task,
    sink: Sink,
    runtime: Handle,
    /// An attempt was more work than it may be.
    has_given_up: Cell<bool>,
}

impl Run<'_> {
    /// Sends the answers of all statements, and returns what is left to send when one fails.
    fn statements(&self) -> Vec<ResultPiece> {
        let query = &self.task.request.query;
        for (at, statement) in query.statements.iter().enumerate() {
            if let Err(error) = self.answer(at, statement) {
                return last_pieces(query, at, &error);
            }
            if self.has_given_up.get() {
                break;
            }
        }
        Vec::new()
    }

    /// Runs a statement and sends its answer; an error ends the request.
    fn answer(&self, at: usize, statement: &Statement) -> Result<(), Error> {
        let signal = &*self.task.signal;
        let mut out = Output::new(self, at);
        // State is shared only by values that a panic cannot leave half changed.
        let result = catch_unwind(AssertUnwindSafe(|| self.statement(statement, &mut out)));
        let sent = match result {
            Ok(Ok(())) => out.finish(),
            Ok(Err(Failure::Reported(error))) => out.error(error.to_string()),
            // The reason is the signal's, wherever it was noticed.
            Ok(Err(Failure::Raised(Error::Interrupted))) => Err(Stop),
            Ok(Err(Failure::Raised(error))) => return Err(error),
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                tracing::error!("{statement} panicked: {text}");
                return Err(Error::statement(format!("{statement} [panic:{text}]")));
            }
        };
        sent.map_err(|Stop| signal.error())
    }

    fn statement(&self, statement: &Statement, out: &mut Output<'_>) -> Result<(), Failure> {
        let settings = &self.inner.settings;
        let limits = Limits {
            points: settings.max_select_point,
            series: settings.max_select_series,
            memory_bytes: settings.query_memory_bytes as u64,
        };
        let mut guard = Guard::new(Arc::clone(&self.task.signal), limits);
        if let Sink::Kept(_) = self.sink {
            guard = guard.attempt();
        }
        if let Statement::Explain(ExplainStatement { analyze: true, .. }) = statement {
            guard = guard.profiled(Arc::clone(&self.inner.clock));
        }
        let guard = Rc::new(guard);
        let result = self.guarded(statement, &guard, out);
        self.has_given_up.set(guard.has_given_up());
        result
    }

    fn guarded(
        &self,
        statement: &Statement,
        guard: &Rc<Guard>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let request = &self.task.request;
        guard.check()?;
        let state = self.inner.catalog.state();
        let context = StatementContext {
            request,
            databases: VisibleDatabases::new(&state, &request.authorization),
            snapshots: Snapshots::new(self.inner.engine.clone(), guard),
            now: self.inner.clock.now(),
            guard: Rc::clone(guard),
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
            Statement::Admin(statement) if statement.name == SHOW_QUERIES => {
                queries::show(&context, out)
            }
            Statement::KillQuery { id, .. } => queries::kill(*id, &context),
            Statement::Admin(statement) => admin::run(statement, &context),
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
    pub guard: Rc<Guard>,
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

    /// Fails when the statement is to end.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.guard.check()
    }

    fn registry(&self) -> &Registry {
        &self.run.inner.registry
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
            guard: self.guard,
            chunk_size: self.request.chunk_size,
        };
        Ok(run_select(plan, &context, emit)?)
    }
}
