//! Settings of the live half, with the defaults that the limits of the contract are made of.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of live streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveConfig {
    /// How often the ends of the watched logs are asked for, whatever the wake-ups say.
    pub poll_interval_ms: u64,
    /// How often it is checked what the callers may see.
    pub access_interval_ms: u64,
    /// Silence after which a bookmark is sent.
    pub bookmark_silence_ms: u64,
    /// The most by which that silence is made longer or shorter, at random.
    pub bookmark_jitter_ms: u64,
    /// A bookmark is sent at least this often on a busy stream.
    pub bookmark_interval_ms: u64,
    /// The age at which a stream is asked to move to another server.
    pub rotate_after_ms: u64,
    /// The most by which that age is made longer or shorter, at random.
    pub rotate_jitter_ms: u64,
    /// A stream that left waiting events alone for this long is ended.
    pub slow_after_ms: u64,
    /// The shortest wait that a stopping server asks its clients for before they come back.
    pub shutdown_retry_min_ms: u64,
    /// The longest such wait.
    pub shutdown_retry_max_ms: u64,
    /// How long an orderly end waits for clients to take their goodbye.
    pub drain_ms: u64,
    /// Events kept in memory for one account.
    pub ring_events: usize,
    /// Encoded bytes kept in memory for one account.
    pub ring_bytes: usize,
    /// How long an event is kept in memory.
    pub ring_age_ms: u64,
    /// How long an account is followed after its last stream has left.
    pub ring_linger_ms: u64,
    /// Encoded bytes kept in memory for all accounts; the least recently read ones go first.
    pub rings_bytes: usize,
    /// Rows of one page that a stream reads from the database to catch up.
    pub page_events: usize,
    /// Such pages kept in memory, in encoded bytes, to be shared by streams.
    pub pages_bytes: usize,
    /// Streams that read from the database at once.
    pub database_readers: usize,
    /// A cursor that is further behind than this is reset: reading anew is cheaper.
    pub catch_up_events: u64,
    /// Accounts that one stream may name.
    pub accounts_per_stream: usize,
    /// Streams of one caller.
    pub streams_per_user: usize,
    /// Streams of this process.
    pub streams: usize,
    /// New streams of this process in one second.
    pub streams_per_second: u32,
    /// The longest wait of a poll.
    pub poll_wait_ms: u64,
    /// How long a poll tries to catch up before it answers with what it has.
    pub poll_patience_ms: u64,
    /// Bytes after which the answer to a poll is full.
    pub poll_bytes: usize,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            poll_interval_ms: 1_000,
            access_interval_ms: 5_000,
            bookmark_silence_ms: 15_000,
            bookmark_jitter_ms: 3_000,
            bookmark_interval_ms: 60_000,
            rotate_after_ms: 30 * 60_000,
            rotate_jitter_ms: 6 * 60_000,
            slow_after_ms: 60_000,
            shutdown_retry_min_ms: 5_000,
            shutdown_retry_max_ms: 10_000,
            drain_ms: 10_000,
            ring_events: 1_024,
            ring_bytes: 1024 * 1024,
            ring_age_ms: 10 * 60_000,
            ring_linger_ms: 60_000,
            rings_bytes: 512 * 1024 * 1024,
            page_events: 500,
            pages_bytes: 64 * 1024 * 1024,
            database_readers: 16,
            catch_up_events: 10_000,
            accounts_per_stream: 200,
            streams_per_user: 16,
            streams: 20_000,
            streams_per_second: 500,
            poll_wait_ms: 20_000,
            poll_patience_ms: 5_000,
            poll_bytes: 512 * 1024,
        }
    }
}

impl LiveConfig {
    /// A frame arrives at least this often on a stream that is read.
    #[must_use]
    pub const fn heartbeat(&self) -> Duration {
        millis(self.bookmark_silence_ms.saturating_add(self.bookmark_jitter_ms))
    }
}

/// A setting as a duration; an absurd one is cut to a hundred years, which clocks can still add up.
pub(super) const fn millis(ms: u64) -> Duration {
    const MOST: u64 = 100 * 365 * 86_400_000;
    Duration::from_millis(if ms > MOST { MOST } else { ms })
}

#[cfg(test)]
mod tests {
    use super::LiveConfig;

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = serde_json::from_str::<LiveConfig>(r#"{"ring_event": 1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `ring_event`"), "{error}");
    }
}
