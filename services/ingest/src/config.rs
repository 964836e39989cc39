//! The section `ingest` of the configuration.

use std::net::SocketAddr;
use std::time::Duration;

use channel_runtime::config::{ConfigError, Secret};
use serde::{Deserialize, Serialize};

/// How webhooks are received, kept and applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// Where the webhook address listens; port 0 takes a free one.
    pub webhook_listen: SocketAddr,
    /// The secret that the sender puts into [`Self::secret_header`].
    pub webhook_secret: Secret,
    /// A second secret, accepted too while the sender changes over; empty means none.
    pub webhook_secret_next: Secret,
    /// The header with the secret.
    pub secret_header: String,
    /// An unguessable last part of the path that the sender must use as well; empty means none.
    pub path_token: Secret,
    /// Accepts webhooks without any secret. Only for a demo on loopback.
    pub allow_unauthenticated: bool,
    /// The largest body, in bytes.
    pub body_limit_bytes: usize,
    /// How long a request may wait for the store, in seconds. UniPile waits 30 s for an answer.
    pub hold_seconds: u32,
    /// What `Retry-After` says when a webhook could not be stored, in seconds.
    pub retry_after_seconds: u32,
    /// Writers side by side; each has its own accounts. SQLite has one writer, so 1 is best there.
    pub writers: usize,
    /// Webhooks that may wait for one writer.
    pub queue: usize,
    /// Bytes of bodies that may wait for one writer.
    pub queue_bytes: usize,
    /// Most webhooks in one transaction.
    pub max_batch: usize,
    /// Most bytes of bodies in one transaction.
    pub max_batch_bytes: usize,
    /// How often the inbox is looked through for work that nobody announced, in seconds. It asks our
    /// own database, never UniPile.
    pub worker_tick_seconds: u32,
    /// How often applying a stored webhook is tried before a person has to look.
    pub max_attempts: u32,
    /// How long webhooks are kept as they came, in days, with the memory of repetitions.
    pub raw_retention_days: u32,
    /// How long the change log is kept, in days; at least 7, so that clients can be away for a while.
    pub log_retention_days: u32,
    /// How many changes of each account are kept however old they are; at least 1000.
    pub log_retention_events: u64,
    /// How often old rows are deleted, in seconds.
    pub prune_every_seconds: u32,
    /// Most rows that are deleted in one transaction.
    pub prune_batch: usize,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            webhook_listen: SocketAddr::from(([127, 0, 0, 1], 7401)),
            webhook_secret: Secret::default(),
            webhook_secret_next: Secret::default(),
            secret_header: "Unipile-Auth".to_owned(),
            path_token: Secret::default(),
            allow_unauthenticated: false,
            body_limit_bytes: 1024 * 1024,
            hold_seconds: 20,
            retry_after_seconds: 5,
            writers: 2,
            queue: 4_096,
            queue_bytes: 64 * 1024 * 1024,
            max_batch: 200,
            max_batch_bytes: 2 * 1024 * 1024,
            worker_tick_seconds: 5,
            max_attempts: 8,
            raw_retention_days: 30,
            log_retention_days: 7,
            log_retention_events: 1_000,
            prune_every_seconds: 3_600,
            prune_batch: 500,
        }
    }
}

impl IngestConfig {
    pub(crate) fn hold(&self) -> Duration {
        seconds(self.hold_seconds)
    }

    pub(crate) fn retry_after(&self) -> Duration {
        seconds(self.retry_after_seconds)
    }

    pub(crate) fn worker_tick(&self) -> Duration {
        seconds(self.worker_tick_seconds)
    }

    pub(crate) fn prune_every(&self) -> Duration {
        seconds(self.prune_every_seconds)
    }

    /// Checks the rules that types cannot hold.
    ///
    /// # Errors
    ///
    /// With every broken rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless("ingest", self.rules())
    }

    fn rules(&self) -> Vec<(&'static str, bool, &'static str)> {
        let within = |value: usize, most: usize| (1..=most).contains(&value);
        let secret = !(self.webhook_secret.is_empty() && self.webhook_secret_next.is_empty());
        let header = http::HeaderName::try_from(&self.secret_header);
        let known = [http::header::CONTENT_TYPE, http::header::CONTENT_LENGTH];
        vec![
            (
                "webhook_secret",
                secret || self.allow_unauthenticated,
                "must be set, or `allow_unauthenticated` for a demo",
            ),
            (
                "allow_unauthenticated",
                secret || !self.allow_unauthenticated || self.webhook_listen.ip().is_loopback(),
                "without a secret `webhook_listen` must be a loopback address",
            ),
            (
                "secret_header",
                header.is_ok_and(|name| !known.contains(&name)),
                "must be the name of a header of its own",
            ),
            (
                "path_token",
                self.path_token.expose().bytes().all(is_unreserved),
                "may hold A-Z a-z 0-9 - . _ ~ only",
            ),
            (
                "body_limit_bytes",
                within(self.body_limit_bytes, 16 * 1024 * 1024),
                "must be 1 to 16777216",
            ),
            (
                "hold_seconds",
                (1..=25).contains(&self.hold_seconds),
                "must be 1 to 25: the sender waits 30 s",
            ),
            ("writers", within(self.writers, 64), "must be 1 to 64"),
            ("queue", within(self.queue, 1_000_000), "must be 1 to 1000000"),
            (
                "queue_bytes",
                within(self.queue_bytes, 1 << 40) && self.queue_bytes >= self.body_limit_bytes,
                "must be at least `body_limit_bytes`",
            ),
            ("max_batch", within(self.max_batch, 10_000), "must be 1 to 10000"),
            ("max_batch_bytes", self.max_batch_bytes >= 1, "must be at least 1"),
            ("worker_tick_seconds", self.worker_tick_seconds >= 1, "must be at least 1"),
            ("max_attempts", self.max_attempts >= 1, "must be at least 1"),
            ("raw_retention_days", self.raw_retention_days >= 1, "must be at least 1"),
            ("log_retention_days", self.log_retention_days >= 7, "must be at least 7"),
            ("log_retention_events", self.log_retention_events >= 1_000, "must be at least 1000"),
            ("prune_every_seconds", self.prune_every_seconds >= 1, "must be at least 1"),
            ("prune_batch", within(self.prune_batch, 100_000), "must be 1 to 100000"),
        ]
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// RFC 3986 §2.3: what a path may hold without being escaped.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(config: &IngestConfig) -> Vec<String> {
        match config.check() {
            Err(ConfigError::Refused(problems)) => problems.into_iter().map(|it| it.key).collect(),
            _ => vec![],
        }
    }

    #[test]
    fn without_a_secret_only_an_explicit_loopback_demo_starts() {
        let mut config = IngestConfig::default();
        assert_eq!(broken(&config), ["ingest.webhook_secret"]);
        config.allow_unauthenticated = true;
        assert!(broken(&config).is_empty());
        config.webhook_listen = SocketAddr::from(([0, 0, 0, 0], 7401));
        assert_eq!(broken(&config), ["ingest.allow_unauthenticated"]);
        config.webhook_secret_next = Secret::new("s");
        assert!(broken(&config).is_empty());
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let config = IngestConfig {
            webhook_secret: Secret::new("s"),
            secret_header: "a b".to_owned(),
            path_token: Secret::new("a/b"),
            hold_seconds: 26,
            queue_bytes: 5,
            log_retention_days: 6,
            log_retention_events: 999,
            ..IngestConfig::default()
        };
        let keys = [
            "secret_header",
            "path_token",
            "hold_seconds",
            "queue_bytes",
            "log_retention_days",
            "log_retention_events",
        ];
        assert_eq!(broken(&config), keys.map(|key| format!("ingest.{key}")));
    }
}
