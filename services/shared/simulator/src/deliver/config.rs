use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;

/// Where webhooks go, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The receiver's address. Empty means that only those who subscribe over the API get webhooks.
    pub target_url: String,
    /// The header that carries the secret.
    pub secret_header: String,
    /// The secret; no header is sent without one. Never written out.
    #[serde(skip_serializing)]
    pub secret_value: Option<SecretString>,
    /// Requests under way at the same time. With 1 the first attempts arrive in order.
    pub concurrency: usize,
    /// Events under way or waiting for another attempt, beyond which nothing new is sent.
    pub outstanding: usize,
    /// How long to wait for the answer, in milliseconds.
    pub timeout_ms: u64,
    /// Waits before the second and later attempts, in milliseconds. UniPile makes five more with
    /// growing delays, whose lengths it does not publish.
    pub retry_delays_ms: Vec<u64>,
    /// Multiplies every wait; 0 makes tests quick.
    pub retry_delay_scale: f64,
    /// Send each event at its time; otherwise as fast as the receiver takes them.
    pub paced: bool,
    /// Keep every event in the ledger, which then grows for as long as the run goes on; otherwise
    /// only the counts.
    pub keep_events: bool,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            target_url: "http://127.0.0.1:8080/api/v1/webhooks/unipile/".to_owned(),
            secret_header: "Unipile-Auth".to_owned(),
            secret_value: None,
            concurrency: 32,
            outstanding: 4_096,
            timeout_ms: 30_000,
            retry_delays_ms: vec![1_000, 5_000, 20_000, 60_000, 300_000],
            retry_delay_scale: 1.0,
            paced: true,
            keep_events: false,
        }
    }
}

impl DeliveryConfig {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let says = |ok: bool, field, rule| {
            if ok { Ok(()) } else { Err(ConfigError { field, rule }) }
        };
        says(self.concurrency > 0, "delivery.concurrency", "at least 1")?;
        says(self.outstanding >= self.concurrency, "delivery.outstanding", "concurrency or more")?;
        says(self.timeout_ms > 0, "delivery.timeout_ms", "at least 1")?;
        let scale = self.retry_delay_scale;
        says(scale.is_finite() && scale >= 0.0, "delivery.retry_delay_scale", "0 or more")
    }
}
