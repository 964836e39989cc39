//! Starts tasks, watches them, and ends them in order.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, error, info, warn};

use super::{Backoff, Cause, Outcome, Signals, Tasks};

/// Why a task failed. Logged, so it holds no secret and no message text.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// How long a task that is cut off gets to notice it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a task's failure (an error or a panic) means. Ending well is never a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing works without it: the process ends, in order, and says so.
    StopTheProcess,
    /// The rest works without it.
    LogAndGoOn,
}

/// Owns the background tasks of a process.
#[derive(Debug, Default)]
pub struct Supervisor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    drain: CancellationToken,
    kill: CancellationToken,
    tracker: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, String>,
    failed: Option<String>,
}

impl Supervisor {
    /// Starts with no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when it is time to finish what is under way and end.
    #[must_use]
    pub fn drain(&self) -> CancellationToken {
        self.0.drain.clone()
    }

    /// Spawns work that the orderly end waits for.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks::of(self.0.tracker.clone())
    }

    /// Runs a task under a name.
    pub fn spawn<F>(&self, name: impl Into<String>, on_failure: OnFailure, task: F)
    where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let (name, shared) = (name.into(), Arc::clone(&self.0));
        self.start(&name.clone(), async move {
            if let Err(failure) = attempt(&name, task).await {
                failure.log();
                if on_failure == OnFailure::StopTheProcess {
                    shared.stop_because_of(&name);
                }
            }
        });
    }

    /// Runs a task under a name, and again when it fails. When it keeps failing past
    /// [`Backoff::give_up_after`], the process stops.
    pub fn spawn_restarting<M, F>(&self, name: impl Into<String>, backoff: Backoff, mut make: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let (name, shared) = (name.into(), Arc::clone(&self.0));
        self.start(&name.clone(), async move {
            let mut failures = 0;
            loop {
                let started = Instant::now();
                let Err(failure) = attempt(&name, make()).await else {
                    return;
                };
                failure.log();
                let steady = started.elapsed() >= backoff.steady_after;
                failures = if steady { 1 } else { failures + 1 };
                if backoff.is_spent(failures) {
                    return shared.stop_because_of(&name);
                }
                let wait = backoff.jittered(failures);
                warn!(task = name, failures, wait_ms = wait.as_millis(), "task starts again");
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shared.drain.cancelled() => return,
                }
            }
        });
    }

    fn start(&self, name: &str, run: impl Future<Output = ()> + Send + 'static) {
        let running = Running::enter(&self.0, name);
        let kill = self.0.kill.clone();
        let span = tracing::info_span!(parent: None, "task", task = name);
        let until_killed = async move {
            let _running = running;
            tokio::select! {
                biased;
                () = kill.cancelled() => {}
                () = run => {}
            }
        };
        self.0.tracker.spawn(until_killed.instrument(span));
    }

    /// Runs until `stop` or a failure that stops the process; then drains, for at most `grace`;
    /// then cuts off what is left.
    pub async fn run(self, stop: impl Future<Output = ()>, grace: Duration) -> Outcome {
        self.run_insisting(stop, std::future::pending(), grace).await
    }

    /// Like [`Self::run`]; `insist` ends the grace early.
    pub async fn run_insisting(
        self,
        stop: impl Future<Output = ()>,
        insist: impl Future<Output = ()>,
        grace: Duration,
    ) -> Outcome {
        tokio::select! {
            biased;
            () = self.0.drain.cancelled() => {}
            () = stop => info!("stopping"),
        }
        self.end(insist, grace).await
    }

    /// Runs until SIGTERM or SIGINT; a second one ends the grace early.
    pub async fn run_until_signal(self, mut signals: Signals, grace: Duration) -> Outcome {
        tokio::select! {
            biased;
            () = self.0.drain.cancelled() => {}
            () = signals.next() => info!("stopping"),
        }
        self.end(signals.next(), grace).await
    }

    async fn end(self, insist: impl Future<Output = ()>, grace: Duration) -> Outcome {
        self.0.drain.cancel();
        self.0.tracker.close();
        tokio::select! {
            biased;
            () = self.0.tracker.wait() => {}
            () = tokio::time::sleep(grace) => warn!("the grace is over"),
            () = insist => warn!("asked again, not waiting any longer"),
        }
        let cut_off = self.0.left();
        self.0.kill.cancel();
        if timeout(LAST_WORDS, self.0.tracker.wait()).await.is_err() {
            error!(tasks = ?cut_off, "tasks hold on past their end");
        }
        let failed = self.0.state().failed.take();
        Outcome { cause: failed.map_or(Cause::Asked, |task| Cause::Failed { task }), cut_off }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What still runs, by name; owned work has none.
    fn left(&self) -> Vec<String> {
        let mut left: Vec<String> = self.state().running.values().cloned().collect();
        if self.tracker.len() > left.len() {
            left.push("owned work".to_owned());
        }
        left
    }

    fn stop_because_of(&self, task: &str) {
        error!(task, "the process stops because a task failed");
        self.state().failed.get_or_insert_with(|| task.to_owned());
        self.drain.cancel();
    }
}

/// Keeps a task's name on the list for as long as it runs.
struct Running {
    shared: Arc<Shared>,
    key: u64,
}

impl Running {
    fn enter(shared: &Arc<Shared>, name: &str) -> Self {
        let mut state = shared.state();
        let key = state.next;
        state.next += 1;
        state.running.insert(key, name.to_owned());
        Self { shared: Arc::clone(shared), key }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.state().running.remove(&self.key);
    }
}

enum Failure {
    Failed(String, TaskError),
    Panicked(String),
}

impl Failure {
    /// A panic's own words may quote data, so only its place is told, by the panic hook.
    fn log(&self) {
        match self {
            Self::Failed(task, error) => {
                error!(task, error = &**error as &dyn std::error::Error, "task failed");
            }
            Self::Panicked(task) => error!(task, "task panicked"),
        }
        let task = match self {
            Self::Failed(task, _) | Self::Panicked(task) => task.clone(),
        };
        metrics::counter!("channel_task_failures_total", "task" => task).increment(1);
    }
}

async fn attempt<F>(name: &str, task: F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), TaskError>>,
{
    match AssertUnwindSafe(task).catch_unwind().await {
        Ok(Ok(())) => {
            debug!(task = name, "task ended");
            Ok(())
        }
        Ok(Err(error)) => Err(Failure::Failed(name.to_owned(), error)),
        Err(_) => Err(Failure::Panicked(name.to_owned())),
    }
}
