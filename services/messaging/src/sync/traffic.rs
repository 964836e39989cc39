//! Whether anything but history is written: history gives way to it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use channel_store::log::Wakeups;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

/// Other work is thought to go on for so long after the last that was seen.
const LASTS: Duration = Duration::from_millis(250);

/// When other work was seen last.
#[derive(Debug, Default)]
pub(super) struct Traffic(Mutex<Option<Instant>>);

impl Traffic {
    /// Whether other work goes on.
    pub(super) fn is_live(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < LASTS)
    }

    /// Watches until the store closes. What another process reads in looks like any other work.
    pub(super) async fn watch(&self, mut wakeups: Wakeups) {
        loop {
            let is_live = match wakeups.recv().await {
                Ok(moved) => moved.iter().any(|moved| !moved.can_wait),
                // More came than could be looked at.
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            };
            if is_live {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_store::log::Moved;
    use std::sync::Arc;
    use tokio::sync::broadcast;

    #[tokio::test(start_paused = true)]
    async fn only_what_cannot_wait_is_given_way_to_and_not_for_long() {
        let traffic = Arc::new(Traffic::default());
        let (hints, wakeups) = broadcast::channel::<Arc<[Moved]>>(8);
        let watching = Arc::clone(&traffic);
        tokio::spawn(async move { watching.watch(wakeups).await });
        let hint = async |can_wait| {
            hints.send(Arc::new([Moved { account_key: 1, head: 1, can_wait }])).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        assert!(!traffic.is_live());
        hint(true).await;
        assert!(!traffic.is_live(), "history does not give way to itself");
        hint(false).await;
        assert!(traffic.is_live());
        tokio::time::sleep(LASTS).await;
        assert!(!traffic.is_live());
    }
}
