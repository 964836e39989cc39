//! What the streams and the sender share.

use super::{WatchArgs, Watched};
use crate::stats::Times;
use anyhow::{Context as _, bail};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long a delivery may take before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who has sent and seen what.
#[derive(Debug)]
pub(super) struct Board {
    sent: RefCell<Vec<Option<Instant>>>,
    /// For each webhook, the streams that have not seen it.
    unseen: RefCell<Vec<usize>>,
    seen: RefCell<Times>,
    pub(super) answered: RefCell<Times>,
    caught_up: Cell<usize>,
    failure: RefCell<Option<String>>,
    changed: Notify,
}

impl Board {
    pub(super) fn new(args: &WatchArgs) -> Self {
        let watchers =
            |number| (0..args.streams).skip(number % args.accounts).step_by(args.accounts);
        Self {
            sent: vec![None; args.events].into(),
            unseen: RefCell::new((0..args.events).map(|number| watchers(number).count()).collect()),
            seen: RefCell::default(),
            answered: RefCell::default(),
            caught_up: Cell::new(0),
            failure: RefCell::default(),
            changed: Notify::new(),
        }
    }

    pub(super) fn send(&self, number: usize, at: Instant) {
        if let Some(sent) = self.sent.borrow_mut().get_mut(number) {
            *sent = Some(at);
        }
    }

    /// A stream has the event of a webhook.
    pub(super) fn see(&self, number: usize) {
        let now = Instant::now();
        let sent = self.sent.borrow().get(number).copied().flatten();
        let mut unseen = self.unseen.borrow_mut();
        let (Some(sent), Some(left)) = (sent, unseen.get_mut(number)) else { return };
        self.seen.borrow_mut().add(now - sent);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.changed.notify_waiters();
        }
    }

    pub(super) fn catch_up(&self) {
        self.caught_up.set(self.caught_up.get() + 1);
        self.changed.notify_waiters();
    }

    pub(super) fn fail(&self, why: String) {
        self.failure.borrow_mut().get_or_insert(why);
        self.changed.notify_waiters();
    }

    pub(super) async fn until_caught_up(&self, streams: usize) -> anyhow::Result<()> {
        let all = || self.caught_up.get() >= streams;
        self.until(all).await.context("the streams do not catch up")
    }

    pub(super) async fn until_seen(&self, number: usize) -> anyhow::Result<()> {
        self.until(|| self.unseen.borrow().get(number).is_none_or(|left| *left == 0)).await
    }

    pub(super) async fn until_all_seen(&self) -> anyhow::Result<()> {
        self.until(|| self.unseen.borrow().iter().all(|left| *left == 0)).await
    }

    async fn until(&self, reached: impl Fn() -> bool) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let changed = self.changed.notified();
            if let Some(why) = self.failure.borrow().as_ref() {
                bail!("a stream failed: {why}");
            }
            if reached() {
                return Ok(());
            }
            timeout_at(end, changed).await?;
        }
    }

    pub(super) fn watched(&self) -> anyhow::Result<Watched> {
        if let Some(why) = self.failure.borrow().as_ref() {
            bail!("a stream failed: {why}");
        }
        Ok(Watched {
            answered: self.answered.borrow().summary(),
            seen: self.seen.borrow().summary(),
            missing: self.unseen.borrow().iter().sum(),
        })
    }
}
