//! One writer: a batch at a time, from the queue into the store.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use channel_domain::Micros;
use channel_store::StoreError;
use channel_store::intake::{Delivery, Intake, Taken};
use futures::FutureExt;
use rand::Rng;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::job::Job;
use super::lane::Waiting;
use crate::counters::Counters;
use crate::error::Refusal;

/// The longest pause between two tries.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// What all writers share.
#[derive(Clone)]
pub(crate) struct WriterParts {
    pub(crate) store: Arc<dyn Intake>,
    pub(crate) counters: Arc<Counters>,
    /// Wakes the worker when webhooks were stored without being applied.
    pub(crate) kept: Arc<Notify>,
    /// Cancelled when there is no time left to wait for a store that is away.
    pub(crate) ending: CancellationToken,
    /// Cancelled when what waits is to be written and no more is let in.
    pub(crate) closing: CancellationToken,
    pub(crate) retry_after: Duration,
}

/// One writer.
pub(crate) struct Writer {
    parts: WriterParts,
    waiting: Waiting,
}

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Stored and applied.
    Take,
    /// Only stored; the worker applies it.
    Keep,
}

impl Writer {
    pub(crate) const fn new(parts: WriterParts, waiting: Waiting) -> Self {
        Self { parts, waiting }
    }

    /// Writes until nothing waits and nothing more is let in.
    pub(crate) async fn run(mut self) {
        let closing = self.parts.closing.clone();
        loop {
            let batch = tokio::select! {
                biased;
                () = closing.cancelled(), if !self.waiting.is_closed() => {
                    self.waiting.close();
                    continue;
                }
                batch = self.waiting.batch() => batch,
            };
            if batch.is_empty() {
                return;
            }
            self.parts.write_somehow(batch).await;
        }
    }
}

impl WriterParts {
    /// Applies the batch; if it is refused, only stores it; if that is refused, stores each by itself.
    async fn write_somehow(&self, batch: Vec<Job>) {
        record_size(batch.len());
        let refused = self.write(Way::Take, batch).await;
        let mut refused = self.write(Way::Keep, refused).await;
        if refused.len() > 1 {
            let mut still_refused = vec![];
            for job in refused {
                still_refused.append(&mut self.write(Way::Keep, vec![job]).await);
            }
            refused = still_refused;
        }
        for job in refused {
            error!(
                received_at_micros = job.delivery.received_at.0,
                body_bytes = job.bytes(),
                "a webhook cannot be stored"
            );
            let retry_after = self.retry_after;
            job.answer(Err(Refusal::NotStored { retry_after }));
        }
    }

    /// Tries until it is written, refused for good, or nobody waits for it any more. Hands back what
    /// was refused.
    async fn write(&self, way: Way, mut batch: Vec<Job>) -> Vec<Job> {
        let mut failures = 0;
        let mut waiting = None;
        loop {
            batch = self.without_overdue(batch);
            if batch.is_empty() {
                return vec![];
            }
            let deliveries = batch.iter().map(|job| job.delivery.clone()).collect();
            match self.attempt(way, deliveries).await {
                Ok(taken) => {
                    let now = batch.iter().map(|job| job.delivery.received_at).max();
                    self.answer(way, batch, taken);
                    self.ask_for_missed(now.unwrap_or_default()).await;
                    return vec![];
                }
                Err(Failure::Temporary) if self.ending.is_cancelled() && failures > 0 => {
                    self.give_up(batch);
                    return vec![];
                }
                Err(Failure::Temporary) => {
                    failures += 1;
                    waiting.get_or_insert_with(|| self.counters.waiting());
                    self.pause(failures).await;
                }
                Err(Failure::Lasting) => return batch,
            }
        }
    }

    async fn attempt(&self, way: Way, batch: Vec<Delivery>) -> Result<Taken, Failure> {
        let size = batch.len();
        let writing = match way {
            Way::Take => self.store.take(batch),
            Way::Keep => self.store.keep(batch),
        };
        match AssertUnwindSafe(writing).catch_unwind().await {
            Ok(Ok(taken)) => Ok(taken),
            Ok(Err(problem)) => Err(Failure::of(way, size, &problem)),
            Err(_) => {
                error!(way = way.name(), batch.size = size, "writing a batch panicked");
                Err(Failure::Lasting)
            }
        }
    }

    fn answer(&self, way: Way, batch: Vec<Job>, taken: Taken) {
        self.counters.batch_written(way == Way::Keep);
        let mut verdicts = taken.verdicts.into_iter();
        for job in batch {
            let retry_after = self.retry_after;
            let verdict = verdicts.next().ok_or(Refusal::NotStored { retry_after });
            job.answer(verdict);
        }
        if way == Way::Keep {
            self.kept.notify_one();
        }
    }

    /// The store is there again: UniPile is asked for what could not be stored.
    async fn ask_for_missed(&self, now: Micros) {
        if !self.counters.may_have_missed() {
            return;
        }
        match AssertUnwindSafe(self.store.ask_for_missed(now)).catch_unwind().await {
            Ok(Ok(accounts)) => info!(accounts, "it is asked what was missed"),
            Ok(Err(problem)) => {
                self.counters.turned_away();
                warn!(error = &problem as &dyn Error, "it will be asked what was missed");
            }
            Err(_) => error!("asking what was missed panicked"),
        }
    }

    /// Keeps those in time; the others are told to come again.
    fn without_overdue(&self, batch: Vec<Job>) -> Vec<Job> {
        let (overdue, in_time) = batch.into_iter().partition(Job::is_overdue);
        self.give_up(overdue);
        in_time
    }

    fn give_up(&self, batch: Vec<Job>) {
        for job in batch {
            let retry_after = self.retry_after;
            job.answer(Err(Refusal::StoreAway { retry_after }));
        }
    }

    /// Not at all after the first failure, which may have been a broken connection.
    async fn pause(&self, failures: u32) {
        if failures < 2 {
            return;
        }
        let doubled = Duration::from_millis(50).saturating_mul(1 << failures.min(10));
        let share = rand::rng().random_range(0.5..=1.0);
        let pause = tokio::time::sleep(doubled.min(MOST_PAUSE).mul_f64(share));
        tokio::select! {
            () = pause => {}
            () = self.ending.cancelled() => {}
        }
    }
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Keep => "keep",
        }
    }
}

enum Failure {
    Temporary,
    Lasting,
}

impl Failure {
    fn of(way: Way, size: usize, problem: &StoreError) -> Self {
        let reason = problem.reason();
        metrics::counter!("channel_ingest_write_failures_total", "way" => way.name(), "reason" => reason)
            .increment(1);
        warn!(
            way = way.name(),
            batch.size = size,
            reason,
            error = problem as &dyn Error,
            "a batch was not written"
        );
        match problem {
            // Somebody holds an account: only storing needs nobody's leave.
            StoreError::Contended(_) if way == Way::Take => Self::Lasting,
            problem if problem.is_temporary() => Self::Temporary,
            _ => Self::Lasting,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a histogram takes floats")]
fn record_size(size: usize) {
    metrics::histogram!("channel_ingest_batch_size").record(size as f64);
}
