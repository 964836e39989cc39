use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::event::Event;

/// Every event that was sent, and what became of it. The ground truth for "nothing acknowledged
/// is lost".
#[derive(Debug)]
pub struct Ledger {
    keep: bool,
    entries: Mutex<Vec<Entry>>,
    counts: watch::Sender<Counts>,
}

/// One event that was sent.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was sent.
    pub event: Event,
    /// Requests made so far, the one under way included.
    pub attempts: u32,
    /// How it ended, or that it has not.
    pub outcome: Outcome,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still being sent, or waiting for another attempt. The receiver may have it.
    Pending,
    /// The receiver answered 200: it has to have it for good.
    Acked,
    /// Given up after the last attempt, or when the simulator was stopped. The receiver may have
    /// it.
    Failed,
}

/// How many events there are of each outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Events taken up.
    pub sent: u64,
    /// Requests made.
    pub attempts: u64,
    /// Events answered with 200.
    pub acked: u64,
    /// Events given up.
    pub failed: u64,
}

impl Counts {
    /// Events whose outcome is still open.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.sent - self.acked - self.failed
    }
}

/// An event's place in the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize);

impl Ledger {
    pub(crate) fn new(keep: bool) -> Self {
        let (counts, _) = watch::channel(Counts::default());
        Self { keep, entries: Mutex::new(Vec::new()), counts }
    }

    /// Events that the receiver acknowledged, in the order in which they were first sent.
    #[must_use]
    pub fn acked(&self) -> Vec<Event> {
        self.with_outcome(Outcome::Acked)
    }

    /// Events that were given up.
    #[must_use]
    pub fn failed(&self) -> Vec<Event> {
        self.with_outcome(Outcome::Failed)
    }

    /// Every event that was sent, in the order in which they were first sent.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// The numbers as they are now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the numbers are as wanted, and returns them.
    pub async fn until(&self, wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut reader = self.counts.subscribe();
        // The sender lives as long as `self`, so the wait ends only by the condition.
        reader.wait_for(wanted).await.map(|counts| *counts).unwrap_or_default()
    }

    /// Tells of every change of the numbers.
    pub(crate) fn changes(&self) -> watch::Receiver<Counts> {
        self.counts.subscribe()
    }

    fn with_outcome(&self, outcome: Outcome) -> Vec<Event> {
        let entries = self.lock();
        let matching = entries.iter().filter(|entry| entry.outcome == outcome);
        matching.map(|entry| entry.event.clone()).collect()
    }

    pub(super) fn open(&self, event: &Event) -> Place {
        let mut place = Place(usize::MAX);
        if self.keep {
            let mut entries = self.lock();
            place = Place(entries.len());
            let event = event.clone();
            entries.push(Entry { event, attempts: 0, outcome: Outcome::Pending });
        }
        self.counts.send_modify(|counts| counts.sent += 1);
        place
    }

    pub(super) fn attempt(&self, place: Place) {
        self.update(place, |entry| entry.attempts += 1);
        self.counts.send_modify(|counts| counts.attempts += 1);
    }

    pub(super) fn settle(&self, place: Place, outcome: Outcome) {
        self.update(place, |entry| entry.outcome = outcome);
        self.counts.send_modify(|counts| match outcome {
            Outcome::Acked => counts.acked += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::Pending => {}
        });
    }

    fn update(&self, place: Place, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().get_mut(place.0) {
            change(entry);
        }
    }

    /// Every change is complete in itself, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
