//! Applying stored webhooks again, oldest first, or only telling what that would change.

use std::collections::HashSet;
use std::time::Duration;

use channel_store::StoreError;
use channel_store::intake::{
    InboxFilter, InboxOrder, Inconsistent, Intake, Listed, Mode, Outcome, Stored, id_of,
};
use channel_store::log::LogRow;
use tokio::time::Instant;

use super::Walk;
use super::walk::CHUNK;
use crate::worker::Worker;

/// A call answers in time and leaves the rest to the next one.
const BUDGET: Duration = Duration::from_secs(10);

/// What to replay.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    /// Its order, bounds and limit are not used.
    pub(crate) filter: InboxFilter,
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
    /// The changes that it made, or would make.
    pub(crate) changes: Vec<LogRow>,
}

/// What became of a page.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) results: Vec<ReplayedOne>,
    /// Above which id the next page begins; `None`: nothing is left.
    pub(crate) next: Option<i64>,
    pub(crate) dry_run: bool,
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
        let store = &*worker.store;
        self.check_ids(store).await?;
        let began = Instant::now();
        // An entry that is replayed may leave the filter, and what comes in meanwhile waits for another
        // call: the walk goes up and never comes back.
        let filter = InboxFilter { order: InboxOrder::Oldest, ..self.filter.clone() };
        let mut walk = Walk::begin(store, filter, Some(self.above)).await?;
        let mut replayed = Replayed { dry_run: self.dry_run, ..Replayed::default() };
        let mut last = self.above;
        while let Some(rows) = walk.next().await? {
            for listed in rows {
                if replayed.results.len() == self.size || began.elapsed() > BUDGET {
                    replayed.next = Some(last);
                    return Ok(replayed);
                }
                last = id_of(&listed);
                replayed.results.push(self.one(worker, listed).await?);
            }
            if began.elapsed() > BUDGET && !walk.is_done() {
                replayed.next = Some(walk.passed());
                return Ok(replayed);
            }
        }
        Ok(replayed)
    }

    async fn check_ids(&self, store: &dyn Intake) -> Result<(), ReplayError> {
        let asked: HashSet<i64> = self.filter.ids.iter().copied().collect();
        let mut asked: Vec<i64> = asked.into_iter().filter(|id| *id > self.above).collect();
        asked.sort_unstable();
        let mut missing = vec![];
        for chunk in asked.chunks(CHUNK) {
            let ids = chunk.to_vec();
            let filter = InboxFilter { limit: ids.len(), ids, ..InboxFilter::default() };
            let kept: HashSet<i64> = store.inbox(&filter).await?.iter().map(id_of).collect();
            missing.extend(chunk.iter().filter(|id| !kept.contains(id)));
        }
        if missing.is_empty() { Ok(()) } else { Err(ReplayError::Missing(missing)) }
    }

    async fn one(&self, worker: &Worker, listed: Listed) -> Result<ReplayedOne, StoreError> {
        let inbox = id_of(&listed);
        let (cannot, outcome) = match listed {
            Ok(stored) => match worker.settle(&stored, self.mode()).await? {
                Ok(settled) => {
                    let (verdict, changes) = (settled.verdict, settled.changes);
                    let (outcome, reason) = (verdict.outcome, verdict.reason);
                    return Ok(ReplayedOne { inbox, outcome, reason, changes });
                }
                Err(reason) => (reason, left_as(&stored)),
            },
            Err(_) => (Inconsistent::REASON, Outcome::Quarantined),
        };
        if !self.dry_run {
            worker.store.postpone(inbox, None, cannot).await?;
        }
        Ok(ReplayedOne { inbox, outcome, reason: Some(cannot), changes: vec![] })
    }

    const fn mode(&self) -> Mode {
        if self.dry_run { Mode::DryRun } else { Mode::Again }
    }
}

/// What a webhook that cannot be applied is afterwards: one that was settled before stays so.
const fn left_as(stored: &Stored) -> Outcome {
    if stored.outcome.is_open() { Outcome::Quarantined } else { stored.outcome }
}
