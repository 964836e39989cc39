//! The one task that reads the log for all streams.
//!
//! It is woken by hints, by accounts that begin to be watched, and by a poll of the heads that makes lost
//! hints harmless. It reads all accounts that moved in one call, checks that every row follows the one
//! before, and encodes each once. All its state is in the rings, so it can start again at any time.

mod poll;
mod publish;

use super::config::millis;
use super::core::Core;
use channel_runtime::supervise::{Backoff, TaskError};
use channel_store::StoreError;
use channel_store::log::{Moved, Wakeups};
use std::collections::{HashSet, VecDeque};
use std::future::{pending, ready};
use std::sync::Arc;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, MissedTickBehavior};

pub(super) struct Tailer {
    core: Arc<Core>,
    /// None once the store sends no more.
    wakeups: Option<Wakeups>,
    queue: Queue,
    /// What the last poll found before any wake-up told of it.
    unhinted: Vec<(i64, u64)>,
    failures: u32,
    rest_until: Option<Instant>,
}

/// Accounts to read, each once, in the order in which they were found.
#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<i64>,
    members: HashSet<i64>,
}

impl Queue {
    fn push(&mut self, key: i64) {
        if self.members.insert(key) {
            self.order.push_back(key);
        }
    }

    fn take(&mut self, most: usize) -> Vec<i64> {
        let taken: Vec<_> = self.order.drain(..most.min(self.order.len())).collect();
        for key in &taken {
            self.members.remove(key);
        }
        taken
    }
}

/// What ended a wait.
enum Event {
    Finished,
    Poll,
    Hint(Result<Arc<[Moved]>, RecvError>),
    Work,
}

/// Tails until the streams have ended.
pub(super) async fn run(core: Arc<Core>) -> Result<(), TaskError> {
    let mut tailer = Tailer {
        wakeups: Some(core.log.wakeups()),
        core,
        queue: Queue::default(),
        unhinted: Vec::new(),
        failures: 0,
        rest_until: None,
    };
    let mut poll = tokio::time::interval(millis(tailer.core.config.poll_interval_ms.max(1)));
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            biased;
            () = tailer.core.finished.cancelled() => Event::Finished,
            // Before the hints, which may never cease.
            _ = poll.tick() => Event::Poll,
            hint = hint(&mut tailer.wakeups) => Event::Hint(hint),
            () = tailer.core.hub.wake.notified() => Event::Work,
            () = rested(tailer.rest_until), if !tailer.queue.order.is_empty() => Event::Work,
        };
        match event {
            Event::Finished => return Ok(()),
            event => tailer.handle(event).await,
        }
    }
}

async fn hint(wakeups: &mut Option<Wakeups>) -> Result<Arc<[Moved]>, RecvError> {
    match wakeups {
        Some(wakeups) => wakeups.recv().await,
        None => pending().await,
    }
}

async fn rested(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => ready(()).await,
    }
}

impl Tailer {
    async fn handle(&mut self, event: Event) {
        let mut result = Ok(());
        match event {
            Event::Poll => result = self.poll().await,
            // Nothing named means that anything may have moved.
            Event::Hint(Ok(moved)) if moved.is_empty() => result = self.lost().await,
            Event::Hint(Ok(moved)) => self.hinted(&moved),
            Event::Hint(Err(RecvError::Lagged(_))) => result = self.lost().await,
            Event::Hint(Err(RecvError::Closed)) => self.wakeups = None,
            Event::Finished | Event::Work => {}
        }
        if self.drain_hints() && result.is_ok() {
            result = self.lost().await;
        }
        for key in self.core.hub.take_dirty() {
            self.queue.push(key);
        }
        let rests = self.rest_until.is_some_and(|until| Instant::now() < until);
        if result.is_ok() && !rests {
            result = self.read().await;
        }
        self.settle(result);
    }

    /// Takes the hints that wait, so that one read serves them all. Returns whether some were lost.
    fn drain_hints(&mut self) -> bool {
        let mut lost = false;
        while let Some(wakeups) = &mut self.wakeups {
            match wakeups.try_recv() {
                Ok(moved) if moved.is_empty() => lost = true,
                Ok(moved) => self.hinted(&moved),
                Err(TryRecvError::Lagged(_)) => lost = true,
                Err(TryRecvError::Closed) => self.wakeups = None,
                Err(TryRecvError::Empty) => break,
            }
        }
        lost
    }

    fn hinted(&mut self, moved: &[Moved]) {
        self.core.meters.hints.add(1);
        for moved in moved {
            let Some(feed) = self.core.hub.feed(moved.account_key) else {
                continue;
            };
            feed.hint(moved.head);
            if moved.head > feed.end().seq {
                self.queue.push(moved.account_key);
            }
        }
    }

    /// Some wake-ups never came: any account may have moved.
    async fn lost(&mut self) -> Result<(), StoreError> {
        self.core.meters.lost_hints.add(1);
        self.look().await
    }

    fn settle(&mut self, result: Result<(), StoreError>) {
        let Err(error) = result else {
            return;
        };
        self.failures = self.failures.saturating_add(1);
        self.core.meters.store_failures.add(1);
        let wait =
            Backoff { most: millis(self.core.config.poll_interval_ms), ..Backoff::default() }
                .jittered(self.failures);
        self.rest_until = Some(Instant::now() + wait);
        tracing::warn!(
            failures = self.failures,
            wait_ms = wait.as_millis(),
            error = &error as &dyn std::error::Error,
            "the change log cannot be read"
        );
    }
}
