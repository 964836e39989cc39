//! Work that must not stop half-way because its caller went away.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::fault::{Fault, Kind};

/// The owned work was lost: it panicked, or the runtime shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work was interrupted")]
pub struct Interrupted;

impl Fault for Interrupted {
    fn kind(&self) -> Kind {
        Kind::Unavailable { retry_after: None }
    }

    fn reason(&self) -> &'static str {
        "INTERRUPTED"
    }
}

/// Spawns owned work and keeps count of it, so that an orderly end waits for it.
#[derive(Debug, Clone, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    pub(super) fn of(tracker: TaskTracker) -> Self {
        Self(tracker)
    }

    /// Runs `work` in a task of its own, in the caller's span. Dropping the future that this
    /// returns leaves the work running to its end.
    pub fn spawn_owned<F>(&self, work: F) -> Owned<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        Owned(self.0.spawn(work.in_current_span()))
    }

    /// Waits until no work is left; more may be added while it waits.
    pub async fn drained(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// [`Tasks::spawn_owned`] without the count: an orderly end does not wait for it.
pub fn spawn_owned<F>(work: F) -> Owned<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    Owned(tokio::spawn(work.in_current_span()))
}

/// The result of owned work, some day.
#[derive(Debug)]
#[must_use = "the work goes on without it, but its result is lost"]
pub struct Owned<T>(JoinHandle<T>);

impl<T> Future for Owned<T> {
    type Output = Result<T, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).map_err(|_| Interrupted))
    }
}
