//! Background work: flush, then compaction; retention once in a while. A failure is logged and
//! tried again, later each time: the log still has the rows. A panic refuses further writes.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    engine::Inner,
    flush::{Choice, choose},
};

/// How often age is looked at, and how long a failed flush waits at first.
const TICK: Duration = Duration::from_secs(1);
/// How long a flush that goes on failing waits at most.
const FLUSH_RETRY_MAX: Duration = Duration::from_secs(15);
/// How often retention is enforced and compaction looked for without a flush.
const SLOW_TICK: Duration = Duration::from_secs(5 * 60);

/// Starts the tasks; they end with [`Inner::shutdown`].
pub(crate) fn start(inner: &Arc<Inner>) -> Vec<JoinHandle<()>> {
    vec![
        watched("flush", inner, flush_task),
        watched("compact", inner, compact_task),
    ]
}

/// Spawns a task whose panic poisons the engine.
fn watched<F>(
    name: &'static str,
    inner: &Arc<Inner>,
    task: impl FnOnce(Arc<Inner>, watch::Receiver<bool>) -> F,
) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let poison = inner.poison.clone();
    let running = tokio::spawn(task(inner.clone(), inner.shutdown.subscribe()));
    tokio::spawn(async move {
        if let Err(error) = running.await
            && error.is_panic()
        {
            poison.set(format!("the background task {name} panicked"));
        }
    })
}

async fn flush_task(inner: Arc<Inner>, mut shutdown: watch::Receiver<bool>) {
    let mut retry = TICK;
    loop {
        tokio::select! {
            _ = shutdown.changed() => return,
            () = inner.flush_wanted.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        if inner.poison.is_set() {
            return;
        }
        let choice = {
            let state = inner.state.lock();
            let active = &state.active;
            let is_frozen = !state.frozen.is_empty();
            let now = inner.clock.monotonic();
            choose(&inner.settings, active, is_frozen, now)
        };
        let is_full = !inner.has_room();
        if choice == Choice::Nothing && !is_full {
            continue;
        }
        let Err(error) = inner.flush().await else {
            retry = TICK;
            continue;
        };
        tracing::error!(%error, ?retry, "flush failed and will be tried again");
        tokio::select! {
            _ = shutdown.changed() => return,
            () = tokio::time::sleep(retry) => {}
        }
        retry = (2 * retry).min(FLUSH_RETRY_MAX);
    }
}

async fn compact_task(inner: Arc<Inner>, mut shutdown: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = shutdown.changed() => return,
            () = inner.flushed.notified() => {}
            () = tokio::time::sleep(SLOW_TICK) => {}
        }
        if let Err(error) = inner.expire().await {
            tracing::error!(%error, "retention could not be enforced");
        }
        if let Err(error) = inner.compact_all(false).await {
            tracing::error!(%error, "compaction failed and will be tried again");
        }
    }
}
