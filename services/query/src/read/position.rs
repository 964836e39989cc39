//! Waiting until the log has come as far as a caller has seen it.

use super::Queries;
use crate::error::QueryError;
use channel_store::log::Wakeups;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// How long a question waits for events that its caller has seen elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the log is looked at when no hint comes.
const LOOK: Duration = Duration::from_millis(100);

impl Queries {
    /// Waits until the logs of these accounts include these numbers.
    pub(super) async fn reach(&self, wanted: &HashMap<i64, u64>) -> Result<(), QueryError> {
        let keys: Vec<i64> = wanted.keys().copied().collect();
        // Listening begins before the first look, so that nothing falls between.
        let mut hints = self.store.wakeups();
        let end = Instant::now() + PATIENCE;
        loop {
            let heads = self.store.heads(&keys).await?;
            let reached =
                heads.iter().filter(|head| wanted.get(&head.account_key) <= Some(&head.head.seq));
            if reached.count() == keys.len() {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(QueryError::PositionNotReached);
            }
            let look = end.min(Instant::now() + LOOK);
            // No hint in time is the same as a hint: look.
            let _ = timeout_at(look, hinted(&mut hints, wanted)).await;
        }
    }
}

/// Ends with the first hint about one of the accounts, or when hints were lost.
async fn hinted(hints: &mut Wakeups, wanted: &HashMap<i64, u64>) {
    loop {
        match hints.recv().await {
            Ok(moved) if moved.iter().any(|it| wanted.contains_key(&it.account_key)) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
