//! How the client behaves.

use crate::breaker::BreakerOptions;
use channel_runtime::supervise::Backoff;
use std::sync::Arc;
use std::time::Duration;

/// Limits and patience of the client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The limit for connecting, TLS included.
    pub connect_timeout: Duration,
    /// The limit for a call without files, answer included. UniPile documents none of its own.
    pub json_timeout: Duration,
    /// The limit for a call that sends or fetches files, bytes included.
    pub transfer_timeout: Duration,
    /// How often a read is tried, the first time included. What changes something is tried once.
    pub attempts: u32,
    /// The waits between; only `first` and `most` count.
    pub backoff: Backoff,
    /// The longest wait that a `Retry-After` may ask for; after a longer one the call fails at once.
    pub longest_wait: Duration,
    /// When to leave an account or the host alone.
    pub breaker: BreakerOptions,
    /// The most bytes of a download.
    pub download_limit: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            json_timeout: Duration::from_secs(30),
            transfer_timeout: Duration::from_mins(2),
            attempts: 3,
            backoff: Backoff {
                first: Duration::from_millis(500),
                most: Duration::from_secs(8),
                ..Backoff::default()
            },
            longest_wait: Duration::from_secs(10),
            breaker: BreakerOptions::default(),
            download_limit: 100 * 1024 * 1024,
        }
    }
}

/// A draw from 0 up to, but not including, 1.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Why there can be no client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no key.
    #[error("the API key of UniPile is empty")]
    NoKey,
    /// The key has characters that no header may have.
    #[error("the API key of UniPile has characters that cannot be sent")]
    BadKey,
    /// TLS cannot be set up.
    #[error("the machine's TLS roots cannot be read")]
    Tls,
}
