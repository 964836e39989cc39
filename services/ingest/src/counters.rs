//! What this process counts, for the metrics and for `GetIngestStatus`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use channel_domain::Micros;
use channel_runtime::fault::Fault;
use channel_store::intake::{InboxCounts, Outcome, Verdict};

use crate::error::Refusal;
use crate::reading::Read;

/// A sender may invent names, so no more than this many are told apart.
const MOST_NAMES: usize = 1_000;

/// How the intake is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntakeMode {
    /// Webhooks are applied as they are stored.
    Normal,
    /// The last batch could only be stored, and is applied later.
    StoreOnly,
    /// The store is away.
    StoreAway,
}

/// Numbers since the process started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    last_received: AtomicI64,
    unknown: Mutex<HashMap<String, u64>>,
    store_only: AtomicBool,
    writers_waiting: AtomicUsize,
    /// No webhook that was pushed was turned away, since it was last asked what was missed.
    complete: AtomicBool,
}

impl Counters {
    pub(crate) fn accepted(&self, read: &Read, verdict: &Verdict, took: Duration) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        if verdict.outcome == Outcome::Duplicate {
            self.duplicates.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(name) = &read.unknown_event {
            self.unknown_event(name);
        }
        metrics::histogram!("channel_ingest_ack_seconds").record(took.as_secs_f64());
        settled("webhook", read.kind, verdict);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(reason = refusal.reason(), "webhook refused");
        metrics::counter!("channel_ingest_refused_total", "reason" => refusal.reason())
            .increment(1);
    }

    pub(crate) fn received(&self, at: Micros) {
        self.last_received.fetch_max(at.0, Ordering::Relaxed);
    }

    pub(crate) fn last_received(&self) -> Option<Micros> {
        let at = self.last_received.load(Ordering::Relaxed);
        (at != 0).then_some(Micros(at))
    }

    fn unknown_event(&self, name: &str) {
        let mut names = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = names.get_mut(name) {
            *count += 1;
        } else if names.len() < MOST_NAMES {
            names.insert(name.to_owned(), 1);
        }
    }

    /// The most frequent names first.
    pub(crate) fn unknown_events(&self, most: usize) -> Vec<(String, u64)> {
        let names = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = names.iter().map(|(name, n)| (name.clone(), *n)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(most);
        all
    }

    /// Notes that a webhook was turned away that would have been stored.
    pub(crate) fn turned_away(&self) {
        self.complete.store(false, Ordering::Relaxed);
    }

    /// Whether it is to be asked what was missed: once after webhooks were turned away, and once after the
    /// beginning, for nobody was here before.
    pub(crate) fn may_have_missed(&self) -> bool {
        !self.complete.swap(true, Ordering::Relaxed)
    }

    /// Notes how the last batch was written.
    pub(crate) fn batch_written(&self, only_stored: bool) {
        self.store_only.store(only_stored, Ordering::Relaxed);
    }

    /// Notes that a writer waits for the store for as long as the guard lives.
    pub(crate) fn waiting(&self) -> impl Drop + '_ {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.writers_waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.writers_waiting)
    }

    pub(crate) fn mode(&self) -> IntakeMode {
        if self.writers_waiting.load(Ordering::Relaxed) > 0 {
            IntakeMode::StoreAway
        } else if self.store_only.load(Ordering::Relaxed) {
            IntakeMode::StoreOnly
        } else {
            IntakeMode::Normal
        }
    }
}

/// Counts what became of a webhook, by what it came through: the door, the worker, a replay.
pub(crate) fn settled(by: &'static str, kind: &'static str, verdict: &Verdict) {
    metrics::counter!(
        "channel_ingest_webhooks_total",
        "by" => by,
        "kind" => kind,
        "outcome" => outcome_name(verdict.outcome),
        "reason" => verdict.reason.unwrap_or(""),
    )
    .increment(1);
}

pub(crate) fn inbox(counts: &InboxCounts) {
    let states = [
        ("pending", counts.pending),
        ("quarantined", counts.quarantined),
        ("held", counts.held),
        ("inconsistent", counts.inconsistent),
    ];
    for (state, count) in states {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("channel_ingest_inbox", "state" => state).set(count as f64);
    }
}

/// The name in metrics and answers.
pub(crate) const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Applied => "applied",
        Outcome::NoOp => "no_op",
        Outcome::Quarantined => "quarantined",
        Outcome::Held => "held",
        Outcome::Duplicate => "duplicate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_event_names_take_a_bounded_memory() {
        let counters = Counters::default();
        for n in 0..2 * MOST_NAMES {
            counters.unknown_event(&format!("e{n}"));
        }
        counters.unknown_event("e7");
        assert_eq!(counters.unknown_events(usize::MAX).len(), MOST_NAMES);
        assert_eq!(counters.unknown_events(1), [("e7".to_owned(), 2)]);
    }

    #[test]
    fn the_mode_tells_the_worst_that_holds() {
        let counters = Counters::default();
        counters.batch_written(true);
        assert_eq!(counters.mode(), IntakeMode::StoreOnly);
        let waiting = counters.waiting();
        assert_eq!(counters.mode(), IntakeMode::StoreAway);
        drop(waiting);
        counters.batch_written(false);
        assert_eq!(counters.mode(), IntakeMode::Normal);
    }
}
