//! The newest events of one account, in memory.

use super::config::{LiveConfig, millis};
use super::event::Event;
use super::segment::Segment;
use channel_proto::query::v1::ResetReason;
use channel_store::log::Position;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How much a ring may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    events: usize,
    bytes: usize,
    age: Duration,
}

impl Capacity {
    pub(super) const fn of(config: &LiveConfig) -> Self {
        Self {
            events: config.ring_events,
            bytes: config.ring_bytes,
            age: millis(config.ring_age_ms),
        }
    }
}

/// The newest events of one account.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) segment: Segment,
    /// How many events were added at once, and when.
    batches: VecDeque<(Instant, usize)>,
    /// The number of the history that is followed; readers of another one are reset. No two rings of the
    /// process ever have the same, so that what was kept of an older one cannot pass for this one's.
    pub(super) generation: u32,
    /// Why the last history was given up, whose readers may only now be coming.
    pub(super) reason: ResetReason,
    pub(super) read_at: Instant,
}

impl Ring {
    pub(super) fn new(start: Position) -> Self {
        Self {
            segment: Segment::new(start),
            batches: VecDeque::new(),
            generation: next_generation(),
            reason: ResetReason::Epoch,
            read_at: Instant::now(),
        }
    }

    /// Adds events and forgets the oldest ones that are too many. The newest event always stays.
    pub(super) fn extend(&mut self, events: Vec<Event>, capacity: Capacity) {
        let now = Instant::now();
        self.batches.push_back((now, events.len()));
        for event in events {
            self.segment.push(event);
        }
        while self.segment.len() > capacity.events.max(1)
            || (self.segment.len() > 1 && self.segment.bytes() > capacity.bytes)
        {
            self.shift();
        }
        self.expire(now, capacity);
    }

    /// Forgets events that are too old.
    pub(super) fn expire(&mut self, now: Instant, capacity: Capacity) {
        while let Some((added, left)) = self.batches.front().copied() {
            if now.saturating_duration_since(added) < capacity.age {
                break;
            }
            for _ in 0..left {
                self.shift();
            }
        }
    }

    fn shift(&mut self) {
        if self.segment.shift().is_none() {
            self.batches.clear();
        } else if let Some((_, left)) = self.batches.front_mut() {
            *left -= 1;
        }
        while self.batches.front().is_some_and(|(_, left)| *left == 0) {
            self.batches.pop_front();
        }
    }

    /// Forgets all events; readers go on from the database.
    pub(super) fn clear(&mut self) {
        self.segment = Segment::new(self.segment.end());
        self.batches.clear();
    }

    /// Gives this history up and starts again at the present head.
    pub(super) fn reset(&mut self, head: Position, reason: ResetReason) {
        self.segment = Segment::new(head);
        self.batches.clear();
        self.generation = next_generation();
        self.reason = reason;
    }
}

fn next_generation() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
