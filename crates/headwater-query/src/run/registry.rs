//! The requests that run or wait, for SHOW QUERIES and KILL QUERY.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Duration,
};

use headwater_catalog::{Action, Authorization, Permission, ResourceType};
use headwater_influxql::ast::{AdminStatement, Statement};
use parking_lot::Mutex;

use super::{QueryRequest, Settings, Statistics};
use crate::{
    Error,
    guard::{Interruption, Signal},
};

/// The name of the statement that lists requests.
pub(crate) const SHOW_QUERIES: &str = "SHOW QUERIES";

/// All requests under way.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    /// The id of the last request; the first one is 1, as the reference counts.
    last_id: u64,
    by_id: BTreeMap<u64, Arc<Task>>,
    /// Those among them that limits count.
    counted: usize,
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: u64,
    pub(crate) request: QueryRequest,
    /// By the monotonic clock.
    pub(crate) arrived: Duration,
    pub(crate) signal: Arc<Signal>,
    is_running: AtomicBool,
    /// SHOW QUERIES and KILL QUERY neither wait nor count, so that they work when nothing else
    /// does.
    is_counted: bool,
}

/// A request in the registry until this is dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Arc<Registry>,
    pub(crate) task: Arc<Task>,
}

impl Registry {
    /// Takes a request in.
    ///
    /// # Errors
    /// [`Error::ConcurrencyLimit`], with the request, when there are too many.
    pub(crate) fn add(
        self: &Arc<Self>,
        request: QueryRequest,
        arrived: Duration,
        settings: &Settings,
    ) -> Result<Registered, Box<(QueryRequest, Error)>> {
        let is_counted = !request.query.statements.iter().all(is_about_queries);
        let mut tasks = self.0.lock();
        if is_counted {
            let limit = match (settings.max_concurrent_queries, settings.max_queued_queries) {
                (0, 0) => usize::MAX,
                (0, queued) => settings.workers.saturating_add(queued),
                (limit, _) => limit,
            };
            if tasks.counted >= limit {
                let count = tasks.counted;
                return Err(Box::new((
                    request,
                    Error::ConcurrencyLimit { count, limit },
                )));
            }
            tasks.counted += 1;
        }
        tasks.last_id += 1;
        let task = Arc::new(Task {
            id: tasks.last_id,
            request,
            arrived,
            signal: Arc::default(),
            is_running: AtomicBool::new(false),
            is_counted,
        });
        tasks.by_id.insert(task.id, Arc::clone(&task));
        Ok(Registered {
            registry: Arc::clone(self),
            task,
        })
    }

    /// The requests that a caller may see, by id.
    pub(crate) fn visible(&self, caller: &Authorization) -> Vec<Arc<Task>> {
        let tasks = self.0.lock();
        let visible = tasks.by_id.values().filter(|task| task.is_visible(caller));
        visible.cloned().collect()
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let tasks = self.0.lock();
        let mut statistics = Statistics::default();
        for task in tasks.by_id.values() {
            if task.is_running.load(Ordering::Relaxed) {
                statistics.running += 1;
            } else {
                statistics.queued += 1;
            }
            statistics.memory_bytes += task.signal.held_bytes();
        }
        statistics
    }

    /// Ends a request. One that the caller may not see is not there.
    pub(crate) fn kill(&self, id: u64, caller: &Authorization) -> Result<(), Error> {
        let tasks = self.0.lock();
        let task = tasks.by_id.get(&id).filter(|task| task.is_visible(caller));
        let Some(task) = task else {
            return Err(Error::statement(format!("no such query id: {id}")));
        };
        if task.signal.raise(Interruption::Killed) {
            Ok(())
        } else {
            Err(Error::statement("already killed"))
        }
    }
}

/// Whether a statement is about requests, and must work while no other one gets a worker.
fn is_about_queries(statement: &Statement) -> bool {
    match statement {
        Statement::KillQuery { .. } => true,
        Statement::Admin(AdminStatement { name, .. }) => *name == SHOW_QUERIES,
        _ => false,
    }
}

impl Task {
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    pub(crate) fn set_running(&self) {
        self.is_running.store(true, Ordering::Relaxed);
    }

    /// As SHOW QUERIES tells it; `queued` is ours, the reference never lets a query wait.
    pub(crate) fn status(&self) -> &'static str {
        if self.signal.raised().is_some() {
            "killed"
        } else if self.is_running.load(Ordering::Relaxed) {
            "running"
        } else {
            "queued"
        }
    }

    /// The own requests, and those of an organization all of whose buckets one may write.
    fn is_visible(&self, caller: &Authorization) -> bool {
        let owner = &self.request.authorization;
        let everything = Permission::new(Action::Write, ResourceType::Buckets).within(owner.org_id);
        caller.id == owner.id || caller.allows(&everything)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // Where the runtime stops, nobody is left to watch the worker, and the runtime waits for it.
        self.task.signal.raise(Interruption::ClientGone);
        let mut tasks = self.registry.0.lock();
        tasks.by_id.remove(&self.task.id);
        tasks.counted -= usize::from(self.task.is_counted);
    }
}
