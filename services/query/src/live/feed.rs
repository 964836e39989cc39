//! One watched account: its ring and those who listen to it.

use super::event::Event;
use super::lock;
use super::meters::Meters;
use super::ring::{Capacity, Ring};
use super::signal::Signal;
use channel_proto::query::v1::ResetReason;
use channel_store::log::Position;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// One watched account.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) key: i64,
    /// Its public id.
    pub(super) id: Arc<str>,
    ring: Mutex<Ring>,
    listeners: Mutex<Listeners>,
    /// The furthest head that a wake-up told of.
    hinted: AtomicU64,
    /// Held by the one reader of the database.
    pub(super) flight: tokio::sync::Mutex<()>,
    meters: Arc<Meters>,
}

#[derive(Debug)]
struct Listeners {
    /// By stream: its signal, and the account's place in the stream.
    by_stream: HashMap<u64, (Arc<Signal>, u32)>,
    idle_since: Instant,
}

impl Feed {
    pub(super) fn new(key: i64, id: Arc<str>, head: Position, meters: Arc<Meters>) -> Self {
        meters.accounts.change(1);
        Self {
            key,
            id,
            ring: Mutex::new(Ring::new(head)),
            listeners: Mutex::new(Listeners {
                by_stream: HashMap::new(),
                idle_since: Instant::now(),
            }),
            hinted: AtomicU64::new(0),
            flight: tokio::sync::Mutex::new(()),
            meters,
        }
    }

    /// The ring, for reading. Hold it briefly: the tailer waits.
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        let mut ring = lock(&self.ring);
        ring.read_at = Instant::now();
        ring
    }

    /// The last event in the ring.
    pub(super) fn end(&self) -> Position {
        lock(&self.ring).segment.end()
    }

    pub(super) fn read_at(&self) -> Instant {
        lock(&self.ring).read_at
    }

    /// Notes a head that a wake-up told of.
    pub(super) fn hint(&self, head: u64) {
        self.hinted.fetch_max(head, Ordering::Relaxed);
    }

    pub(super) fn hinted(&self) -> u64 {
        self.hinted.load(Ordering::Relaxed)
    }

    pub(super) fn listen(&self, stream: u64, signal: &Arc<Signal>, slot: u32) {
        let listener = (Arc::clone(signal), slot);
        lock(&self.listeners).by_stream.insert(stream, listener);
    }

    pub(super) fn leave(&self, stream: u64) {
        let mut listeners = lock(&self.listeners);
        listeners.by_stream.remove(&stream);
        if listeners.by_stream.is_empty() {
            listeners.idle_since = Instant::now();
        }
    }

    /// Whether nobody has listened for so long.
    pub(super) fn is_idle(&self, now: Instant, linger: Duration) -> bool {
        let listeners = lock(&self.listeners);
        let since = now.saturating_duration_since(listeners.idle_since);
        listeners.by_stream.is_empty() && since >= linger
    }

    /// Adds events that follow the last one, and tells everyone.
    pub(super) fn publish(&self, events: Vec<Event>, capacity: Capacity) {
        self.change(|ring| ring.extend(events, capacity));
        self.tell();
    }

    /// Gives the history up, and tells everyone.
    pub(super) fn reset(&self, head: Position, reason: ResetReason) {
        self.change(|ring| ring.reset(head, reason));
        self.hinted.store(0, Ordering::Relaxed);
        self.tell();
    }

    pub(super) fn expire(&self, now: Instant, capacity: Capacity) {
        self.change(|ring| ring.expire(now, capacity));
    }

    /// Forgets the events, to free memory.
    pub(super) fn evict(&self) {
        self.change(Ring::clear);
    }

    fn change(&self, change: impl FnOnce(&mut Ring)) {
        let mut ring = lock(&self.ring);
        let before = ring.segment.bytes();
        change(&mut ring);
        let grown = bytes(ring.segment.bytes()) - bytes(before);
        if grown != 0 {
            self.meters.ring_bytes.change(grown);
        }
    }

    fn tell(&self) {
        for (signal, slot) in lock(&self.listeners).by_stream.values() {
            signal.moved(*slot);
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.evict();
        self.meters.accounts.change(-1);
    }
}

fn bytes(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
