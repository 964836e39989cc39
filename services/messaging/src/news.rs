//! When to look for work: as soon as something was written, but not each time.

use channel_store::Store;
use channel_store::log::Wakeups;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Hints that something was written, by whomever.
pub(crate) struct News(Option<Wakeups>);

impl News {
    /// From now on.
    pub(crate) fn of(store: &dyn Store) -> Self {
        Self(Some(store.wakeups()))
    }

    /// Waits until there is some; for ever, once the store has closed. What came meanwhile is the same news.
    pub(crate) async fn come(&mut self) {
        if let Some(wakeups) = &mut self.0 {
            match wakeups.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    while wakeups.try_recv().is_ok() {}
                    return;
                }
                Err(RecvError::Closed) => self.0 = None,
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Waits until a time or the end of all: each webhook is news, and a few looks a second are enough.
pub(crate) async fn not_before(at: Instant, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep_until(at) => {}
    }
}
