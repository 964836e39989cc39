//! Applies webhooks that were only stored, each by itself.
//!
//! A webhook that cannot be applied never blocks its account: facts may be applied in any order.

mod apply;
mod backoff;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use channel_domain::{AccountId, Micros};
use channel_runtime::clock::Clock;
use channel_store::StoreError;
use channel_store::intake::{InboxFilter, InboxOrder, Inconsistent, Intake, Outcome, id_of};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::IngestConfig;
use crate::counters;
use crate::quarantine::Walk;
use crate::reading::Parser;
use apply::Applied;

/// Few at a time: a row may hold a mebibyte.
const PAGE: usize = 32;

/// Applies stored webhooks.
pub(crate) struct Worker {
    pub(crate) store: Arc<dyn Intake>,
    pub(crate) parser: Parser,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told when webhooks were stored without being applied.
    pub(crate) kept: Arc<Notify>,
    tick: Duration,
    max_attempts: u32,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Nothing is due now; something of what was put off is due after this.
    Done { next: Option<Duration> },
    /// There may be more.
    More,
}

impl Worker {
    pub(crate) fn new(
        config: &IngestConfig,
        store: Arc<dyn Intake>,
        parser: Parser,
        clock: Arc<dyn Clock>,
        kept: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            parser,
            clock,
            kept,
            tick: config.worker_tick(),
            max_attempts: config.max_attempts,
        }
    }

    /// Works until `stop`; what is begun is finished.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut wake = Instant::now();
        // Accounts may have found an owner while nobody worked.
        match self.held(None).await {
            Ok(0) => {}
            Ok(applied) => info!(applied, "webhooks that were held are applied"),
            Err(problem) => warn!(reason = problem.reason(), "held webhooks wait for a restart"),
        }
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.kept.notified() => {}
                () = sleep_until(wake) => {}
            }
            let pause = match self.round(&stop).await {
                Ok(Round::More) => Duration::ZERO,
                Ok(Round::Done { next }) => next.unwrap_or(self.tick).min(self.tick),
                Err(problem) => {
                    // The store is away, which costs no webhook an attempt.
                    warn!(reason = problem.reason(), "the inbox cannot be worked on");
                    self.tick
                }
            };
            wake = Instant::now() + pause;
        }
    }

    async fn round(&self, stop: &CancellationToken) -> Result<Round, StoreError> {
        let due = InboxFilter {
            due_at: Some(self.now()),
            outcomes: vec![Outcome::Pending],
            limit: PAGE,
            ..InboxFilter::default()
        };
        let rows = self.store.inbox(&due).await?;
        let full = rows.len() == PAGE;
        let (mut next, mut moved): (Option<Duration>, bool) = (None, false);
        for listed in rows {
            if stop.is_cancelled() {
                break;
            }
            let applied = match &listed {
                Ok(stored) => self.apply(stored).await,
                Err(inconsistent) => self.set_aside(inconsistent.inbox, Inconsistent::REASON).await,
            };
            match applied {
                Ok(Applied::PutOff(wait)) => next = Some(next.map_or(wait, |it| it.min(wait))),
                Ok(Applied::Settled | Applied::SetAside) => moved = true,
                Err(problem) if problem.is_temporary() => return Err(problem),
                // Not even set aside: the others must not wait for it.
                Err(problem) => warn!(
                    inbox.id = id_of(&listed),
                    reason = problem.reason(),
                    "a stored webhook cannot be set aside"
                ),
            }
        }
        counters::inbox(&self.store.inbox_counts().await?);
        let more = full && moved;
        Ok(if more { Round::More } else { Round::Done { next } })
    }

    /// Applies what was held for an account, now that somebody owns it. Returns how many were applied.
    pub(crate) async fn adopted(&self, account: &AccountId) -> Result<usize, StoreError> {
        self.held(Some(account.clone())).await
    }

    async fn held(&self, account: Option<AccountId>) -> Result<usize, StoreError> {
        let held = InboxFilter {
            outcomes: vec![Outcome::Held],
            account,
            order: InboxOrder::Oldest,
            ..InboxFilter::default()
        };
        let mut applied = 0;
        let mut walk = Walk::begin(&*self.store, held, None).await?;
        while let Some(rows) = walk.next().await? {
            for stored in rows.iter().flatten() {
                if self.apply(stored).await? == Applied::Settled {
                    applied += 1;
                }
            }
        }
        Ok(applied)
    }

    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }
}
