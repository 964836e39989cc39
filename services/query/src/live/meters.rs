//! What the live half counts.

use super::event::Violation;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Their counters exist from the start, so that an alert on them can fire.
const VIOLATIONS: [Violation; 2] = [Violation::Density, Violation::Chain];

/// A counter that can be read back.
#[derive(Debug)]
pub(super) struct Tally(AtomicU64, Counter);

impl Tally {
    fn new(counter: Counter) -> Self {
        Self(AtomicU64::new(0), counter)
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
        self.1.increment(count);
    }

    #[cfg(test)]
    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A gauge that can be read back.
#[derive(Debug)]
pub(super) struct Level(AtomicI64, Gauge);

impl Level {
    fn new(gauge: Gauge) -> Self {
        Self(AtomicI64::new(0), gauge)
    }

    pub(super) fn change(&self, by: i64) -> i64 {
        let now = self.0.fetch_add(by, Ordering::Relaxed) + by;
        self.1.set(f64::from(i32::try_from(now).unwrap_or(i32::MAX)));
        now
    }

    pub(super) fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The meters of one [`Live`](super::Live).
#[derive(Debug)]
pub(super) struct Meters {
    /// From a commit to the moment when a stream takes the event, in seconds; live events only.
    pub(super) lag: Histogram,
    pub(super) encoded: Tally,
    pub(super) hints: Tally,
    pub(super) lost_hints: Tally,
    pub(super) polls: Tally,
    /// Events that no wake-up told of, even a poll later.
    pub(super) poll_only: Tally,
    /// Exported by kind or reason; the same for the next two.
    pub(super) violations: Tally,
    pub(super) resets: Tally,
    pub(super) goodbyes: Tally,
    pub(super) slow: Tally,
    pub(super) page_reads: Tally,
    pub(super) store_failures: Tally,
    pub(super) streams: Level,
    pub(super) accounts: Level,
    pub(super) database_readers: Level,
    pub(super) ring_bytes: Level,
}

impl Meters {
    pub(super) fn new() -> Self {
        let wakeups =
            |source| Tally::new(counter!("channel_live_wakeups_total", "source" => source));
        for kind in VIOLATIONS {
            counter!("channel_live_violations_total", "kind" => kind.name()).increment(0);
        }
        Self {
            lag: histogram!("channel_live_commit_to_send_seconds"),
            encoded: Tally::new(counter!("channel_live_events_encoded_total")),
            hints: wakeups("hint"),
            lost_hints: wakeups("lost"),
            polls: wakeups("poll"),
            poll_only: Tally::new(counter!("channel_live_poll_only_finds_total")),
            violations: Tally::new(Counter::noop()),
            resets: Tally::new(Counter::noop()),
            goodbyes: Tally::new(Counter::noop()),
            slow: Tally::new(counter!("channel_live_slow_streams_total")),
            page_reads: Tally::new(counter!("channel_live_page_reads_total")),
            store_failures: Tally::new(counter!("channel_live_store_failures_total")),
            streams: Level::new(gauge!("channel_live_streams")),
            accounts: Level::new(gauge!("channel_live_accounts")),
            database_readers: Level::new(gauge!("channel_live_database_readers")),
            ring_bytes: Level::new(gauge!("channel_live_ring_bytes")),
        }
    }

    /// The number of the history that is read; its lower half, which a gauge can hold exactly.
    #[expect(clippy::unused_self, reason = "a gauge is set where all others are")]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub(super) fn epoch(&self, epoch: u64) {
        gauge!("channel_live_epoch").set(f64::from(epoch as u32));
    }

    pub(super) fn reset(&self, reason: &'static str) {
        self.resets.add(1);
        counter!("channel_live_resets_total", "reason" => reason).increment(1);
    }

    pub(super) fn goodbye(&self, reason: &'static str) {
        self.goodbyes.add(1);
        counter!("channel_live_goodbyes_total", "reason" => reason).increment(1);
    }

    pub(super) fn violation(&self, kind: &'static str) {
        self.violations.add(1);
        counter!("channel_live_violations_total", "kind" => kind).increment(1);
    }
}
