//! The open streams, and how many there may be.

use super::config::LiveConfig;
use super::fault::LiveFault;
use super::lock;
use super::meters::Meters;
use super::signal::Signal;
use channel_runtime::identity::Identity;
use rand::Rng as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Who opened streams: a tenant's subject.
type User = (Arc<str>, Arc<str>);

/// The open streams.
#[derive(Debug)]
pub(super) struct Streams {
    open: Mutex<Open>,
    none_left: Notify,
    limits: Limits,
    meters: Arc<Meters>,
}

#[derive(Debug)]
struct Limits {
    all: usize,
    each: usize,
    per_second: f64,
}

#[derive(Debug)]
struct Open {
    next: u64,
    by_id: HashMap<u64, Arc<Signal>>,
    by_user: HashMap<User, usize>,
    /// New streams that may open now, refilled with time, at most those of one second.
    tokens: f64,
    refilled: Instant,
    draining: bool,
}

impl Streams {
    pub(super) fn new(config: &LiveConfig, meters: Arc<Meters>) -> Self {
        let per_second = f64::from(config.streams_per_second.max(1));
        Self {
            open: Mutex::new(Open {
                next: 0,
                by_id: HashMap::new(),
                by_user: HashMap::new(),
                tokens: per_second,
                refilled: Instant::now(),
                draining: false,
            }),
            none_left: Notify::new(),
            limits: Limits { all: config.streams, each: config.streams_per_user, per_second },
            meters,
        }
    }

    /// Lets a stream in, or tells why not.
    pub(super) fn enter(self: &Arc<Self>, identity: &Identity) -> Result<Entry, LiveFault> {
        let user = (Arc::clone(&identity.tenant), Arc::clone(&identity.subject));
        let mut open = lock(&self.open);
        open.refill(self.limits.per_second);
        if let Err(refusal) = open.admits(&user, &self.limits) {
            drop(open);
            let name = refusal.limit();
            metrics::counter!("channel_live_streams_refused_total", "limit" => name).increment(1);
            return Err(refusal);
        }
        open.tokens -= 1.0;
        open.next += 1;
        let (id, signal) = (open.next, Arc::new(Signal::default()));
        open.by_id.insert(id, Arc::clone(&signal));
        *open.by_user.entry(user.clone()).or_default() += 1;
        drop(open);
        self.meters.streams.change(1);
        Ok(Entry { id, signal, user, streams: Arc::clone(self) })
    }

    /// Lets nobody in any more, and makes all streams end.
    pub(super) fn shut_down(&self) {
        let mut open = lock(&self.open);
        open.draining = true;
        for signal in open.by_id.values() {
            signal.shut_down();
        }
    }

    /// Waits until no stream is left.
    pub(super) async fn ended(&self) {
        loop {
            let none_left = self.none_left.notified();
            if lock(&self.open).by_id.is_empty() {
                return;
            }
            none_left.await;
        }
    }
}

impl Open {
    fn refill(&mut self, per_second: f64) {
        let now = Instant::now();
        let since = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + since * per_second).min(per_second);
        self.refilled = now;
    }

    fn admits(&self, user: &User, limits: &Limits) -> Result<(), LiveFault> {
        let of_user = self.by_user.get(user).copied().unwrap_or(0);
        let refusal = if self.draining {
            return Err(LiveFault::ShuttingDown { retry_after: between(1_000, 5_000) });
        } else if of_user >= limits.each {
            ("user", between(5_000, 15_000))
        } else if self.by_id.len() >= limits.all {
            ("process", between(5_000, 15_000))
        } else if self.tokens < 1.0 {
            ("rate", between(500, 3_000))
        } else {
            return Ok(());
        };
        Err(LiveFault::Exhausted { limit: refusal.0, retry_after: refusal.1 })
    }
}

fn between(least: u64, most: u64) -> Duration {
    Duration::from_millis(rand::rng().random_range(least..=most))
}

/// The place of one open stream, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) signal: Arc<Signal>,
    user: User,
    streams: Arc<Streams>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = lock(&self.streams.open);
        open.by_id.remove(&self.id);
        if let Some(count) = open.by_user.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.by_user.remove(&self.user);
            }
        }
        if open.by_id.is_empty() {
            self.streams.none_left.notify_waiters();
        }
        drop(open);
        self.streams.meters.streams.change(-1);
    }
}
