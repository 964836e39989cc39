//! Applying stored webhooks again, oldest first, or only telling what that would change.

use std::collections::HashSet;
use std::time::Duration;

use channel_store::StoreError;
use channel_store::intake::{Intake, Mode, Outcome, Stored};
use tokio::time::Instant;

use super::select::{CHUNK, rows};
use super::{Selection, oldest};
use crate::worker::Worker;

/// A call answers in time and leaves the rest to the next one.
const BUDGET: Duration = Duration::from_secs(10);

/// What to replay.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    pub(crate) selection: Selection,
    /// Goes on above this id.
    pub(crate) above: i64,
    /// At most this many.
    pub(crate) size: usize,
    /// Only tells.
    pub(crate) dry_run: bool,
}

/// What became of one.
#[derive(Debug)]
pub(crate) struct ReplayedOne {
    pub(crate) inbox: i64,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<&'static str>,
    /// The entities that changed, as `message 0192…`.
    pub(crate) changes: Vec<String>,
}

/// What became of a page.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) results: Vec<ReplayedOne>,
    /// Above which id the next page begins; `None`: nothing is left.
    pub(crate) next: Option<i64>,
}

/// Why nothing was replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// These ids are not, or no longer, kept.
    #[error("entries are not kept")]
    Missing(Vec<i64>),
}

impl Replay {
    /// Replays a page.
    pub(crate) async fn run(&self, worker: &Worker) -> Result<Replayed, ReplayError> {
        self.check_ids(&*worker.store).await?;
        let store = &*worker.store;
        // One more than a page holds, to know whether there is another.
        let mut ids = oldest(store, &self.selection, self.above, self.size + 1).await?;
        let mut more = ids.len() > self.size;
        ids.truncate(self.size);
        let began = Instant::now();
        let mut replayed = Replayed::default();
        let mut last = self.above;
        for chunk in ids.chunks(CHUNK) {
            for stored in rows(store, chunk).await? {
                replayed.results.push(self.one(worker, &stored).await?);
            }
            last = chunk.last().copied().unwrap_or(last);
            if began.elapsed() > BUDGET {
                more |= ids.last() != Some(&last);
                break;
            }
        }
        replayed.next = more.then_some(last);
        Ok(replayed)
    }

    async fn check_ids(&self, store: &dyn Intake) -> Result<(), ReplayError> {
        let mut missing: HashSet<i64> = self.selection.filter.ids.iter().copied().collect();
        missing.retain(|id| *id > self.above);
        let asked: Vec<i64> = missing.iter().copied().collect();
        for chunk in asked.chunks(CHUNK) {
            for stored in rows(store, chunk).await? {
                missing.remove(&stored.stamp.inbox);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let mut missing: Vec<i64> = missing.into_iter().collect();
        missing.sort_unstable();
        Err(ReplayError::Missing(missing))
    }

    async fn one(&self, worker: &Worker, stored: &Stored) -> Result<ReplayedOne, StoreError> {
        let inbox = stored.stamp.inbox;
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Again };
        let cannot = match worker.settle(stored, mode).await? {
            Ok(settled) => {
                return Ok(ReplayedOne {
                    inbox,
                    outcome: settled.verdict.outcome,
                    reason: settled.verdict.reason,
                    changes: settled.changes,
                });
            }
            Err(reason) => reason,
        };
        if !self.dry_run {
            worker.store.postpone(inbox, None, cannot).await?;
        }
        Ok(ReplayedOne {
            inbox,
            outcome: Outcome::Quarantined,
            reason: Some(cannot),
            changes: vec![],
        })
    }
}
