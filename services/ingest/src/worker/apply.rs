//! One stored webhook: apply it, put it off, or set it aside.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use channel_store::StoreError;
use channel_store::intake::{Mode, Settled, Stored};
use futures::FutureExt;
use tracing::warn;

use super::{Worker, backoff};
use crate::counters;

/// The stable reason of a webhook that applying stumbled over in our own code.
pub(crate) const PANICKED: &str = "APPLY_PANICKED";

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It has a verdict.
    Settled,
    /// It is tried again after this.
    PutOff(Duration),
    /// A person has to look.
    SetAside,
}

/// Why a webhook cannot be applied, though the store answers.
pub(crate) type Cannot = &'static str;

impl Worker {
    /// Tries one; an error means that the store is away.
    pub(super) async fn apply(&self, stored: &Stored) -> Result<Applied, StoreError> {
        match self.settle(stored, Mode::First).await {
            Ok(Ok(_)) => Ok(Applied::Settled),
            Ok(Err(reason)) => self.set_aside(stored.stamp.inbox, reason).await,
            Err(problem) => self.put_off(stored, problem).await,
        }
    }

    /// Reads and applies one. The outer error is temporary, the inner one is not.
    pub(crate) async fn settle(
        &self,
        stored: &Stored,
        mode: Mode,
    ) -> Result<Result<Settled, Cannot>, StoreError> {
        let read = self.parser.read(&stored.body);
        let settling = self.store.settle(stored, read.reading, mode);
        let by = match mode {
            Mode::First => "worker",
            Mode::Again => "replay",
            Mode::DryRun => "dry_run",
        };
        match AssertUnwindSafe(settling).catch_unwind().await {
            Ok(Ok(settled)) => {
                counters::settled(by, read.kind, &settled.verdict);
                Ok(Ok(settled))
            }
            Ok(Err(problem)) if problem.is_temporary() => Err(problem),
            Ok(Err(problem)) => {
                warn!(
                    inbox.id = stored.stamp.inbox,
                    reason = problem.reason(),
                    error = &problem as &dyn Error,
                    "a stored webhook cannot be applied"
                );
                Ok(Err(problem.reason()))
            }
            Err(_) => Ok(Err(PANICKED)),
        }
    }

    async fn put_off(&self, stored: &Stored, problem: StoreError) -> Result<Applied, StoreError> {
        let attempts = stored.attempts.saturating_add(1);
        if attempts >= self.max_attempts {
            return self.set_aside(stored.stamp.inbox, problem.reason()).await;
        }
        metrics::counter!("channel_ingest_apply_retries_total").increment(1);
        let wait = backoff::wait(attempts);
        let again_at = self.now().plus(wait);
        let id = stored.stamp.inbox;
        // If not even this can be written, the store is away, and the attempt does not count.
        self.store.postpone(id, Some(again_at), problem.reason()).await?;
        Ok(Applied::PutOff(wait))
    }

    pub(super) async fn set_aside(&self, id: i64, reason: Cannot) -> Result<Applied, StoreError> {
        self.store.postpone(id, None, reason).await?;
        metrics::counter!("channel_ingest_set_aside_total", "reason" => reason).increment(1);
        warn!(inbox.id = id, reason, "a stored webhook was quarantined");
        Ok(Applied::SetAside)
    }
}
