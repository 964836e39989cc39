//! The section `messaging` of the configuration.

use std::time::Duration;

use channel_domain::send::{Limits, Pace};
use channel_runtime::config::ConfigError;
use channel_store::outbox::Rules;
use serde::{Deserialize, Serialize};

/// How messages are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagingConfig {
    /// The least time between two messages of one account, in milliseconds.
    pub send_interval_ms: u32,
    /// How many messages may follow each other at once after a quiet time.
    pub send_burst: u32,
    /// How many chats an account may start in 24 hours.
    pub new_chats_per_day: u32,
    /// The least time between two new chats of one account, in seconds.
    pub new_chat_interval_seconds: u32,
    /// The first wait of an account after UniPile said "too many"; each further one doubles it, in seconds.
    pub slow_down_seconds: u32,
    /// How many messages of one account may wait.
    pub most_waiting: u32,
    /// Most characters of a text.
    pub text_limit: u32,
    /// Most bytes of a file. UniPile's guide says about 15 MB.
    pub attachment_limit_bytes: u64,
    /// Most files of a message.
    pub most_attachments: u32,
    /// How long after sending a text may be changed, in seconds. WhatsApp allows about 15 minutes, and UniPile may
    /// answer success without effect after that.
    pub edit_window_seconds: u32,
    /// When a message is given up that could not be sent, unless its sender says otherwise, in seconds.
    pub expires_seconds: u32,
    /// How often a message may be refused with hope before it has failed.
    pub most_refusals: u32,
    /// How long a request, or a question to UniPile, may go without a sign of life before it counts as abandoned, in seconds.
    pub lease_seconds: u32,
    /// After how long, counted from its request, a message whose request ended without an answer is looked for
    /// in its chat, in seconds.
    pub first_look_seconds: u32,
    /// When it is looked for again.
    pub second_look_seconds: u32,
    /// When it is looked for the last time; then a person has to decide.
    pub last_look_seconds: u32,
    /// Requests under way at a time.
    pub concurrency: usize,
    /// Read the history of an account in once it is connected. Repairs of gaps run in any case.
    pub import_history: bool,
    /// How long after its connection that begins at the latest, in seconds; earlier if UniPile says that it has read
    /// the history itself.
    pub import_wait_seconds: u32,
    /// Accounts whose history is read in, or repaired, at a time.
    pub import_concurrency: usize,
    /// How long one attempt to connect an account may take until a code is scanned, in seconds. UniPile ends its own
    /// after about 300.
    pub link_seconds: u32,
    /// How long a code is shown before another one is asked for, in seconds. WhatsApp takes one for 20 to 60.
    pub link_code_seconds: u32,
    /// How long a phone that has linked may take until its account runs, in seconds.
    pub link_finish_seconds: u32,
    /// How long a link to UniPile's own sign-in page is good, in minutes. UniPile voids all of them once a day.
    pub hosted_link_minutes: u32,
    /// The first wait until UniPile is asked again that was away when an account was to be confirmed or removed; each
    /// further one doubles it, up to an hour, in seconds.
    pub upstream_retry_seconds: u32,
    /// Offer codes to type instead of QR codes. How UniPile answers with one is not documented, so try it first.
    pub pairing_codes: bool,
    /// How often the outbox is looked through for work that nobody announced, in milliseconds. It asks our own
    /// database, never UniPile.
    pub poll_interval_ms: u32,
}

impl Default for MessagingConfig {
    fn default() -> Self {
        Self {
            send_interval_ms: 3_000,
            send_burst: 5,
            new_chats_per_day: 20,
            new_chat_interval_seconds: 120,
            slow_down_seconds: 30,
            most_waiting: 10_000,
            text_limit: 65_536,
            attachment_limit_bytes: 15 * 1024 * 1024,
            most_attachments: 10,
            edit_window_seconds: 900,
            expires_seconds: 86_400,
            most_refusals: 8,
            lease_seconds: 60,
            first_look_seconds: 10,
            second_look_seconds: 30,
            last_look_seconds: 60,
            concurrency: 64,
            import_history: true,
            import_wait_seconds: 300,
            import_concurrency: 2,
            link_seconds: 300,
            link_code_seconds: 45,
            link_finish_seconds: 120,
            hosted_link_minutes: 30,
            upstream_retry_seconds: 15,
            pairing_codes: false,
            poll_interval_ms: 1_000,
        }
    }
}

const fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds as u64)
}

impl MessagingConfig {
    /// What the outbox goes by.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            pace: Pace {
                interval: Duration::from_millis(self.send_interval_ms.into()),
                burst: self.send_burst,
                new_chats_a_day: self.new_chats_per_day,
                new_chat_interval: seconds(self.new_chat_interval_seconds),
                slow_down: seconds(self.slow_down_seconds),
            },
            limits: Limits {
                lease: seconds(self.lease_seconds),
                refusals: self.most_refusals,
                probes: self.looks().map(seconds),
                ..Limits::default()
            },
            most_waiting: self.most_waiting,
            edit_window: seconds(self.edit_window_seconds),
        }
    }

    const fn looks(&self) -> [u32; 3] {
        [self.first_look_seconds, self.second_look_seconds, self.last_look_seconds]
    }

    pub(crate) const fn lease(&self) -> Duration {
        seconds(self.lease_seconds)
    }

    pub(crate) const fn import_wait(&self) -> Duration {
        seconds(self.import_wait_seconds)
    }

    pub(crate) const fn link_time(&self) -> Duration {
        seconds(self.link_seconds)
    }

    pub(crate) const fn link_code_time(&self) -> Duration {
        seconds(self.link_code_seconds)
    }

    pub(crate) const fn link_finish(&self) -> Duration {
        seconds(self.link_finish_seconds)
    }

    pub(crate) const fn upstream_retry(&self) -> Duration {
        seconds(self.upstream_retry_seconds)
    }

    /// How long a link is good, in microseconds.
    pub(crate) fn hosted_link_micros(&self) -> i64 {
        i64::from(self.hosted_link_minutes) * 60_000_000
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms.into())
    }

    /// Checks the rules that types cannot hold.
    ///
    /// # Errors
    ///
    /// With every broken rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            ("send_burst", self.send_burst >= 1, "must be at least 1"),
            ("most_waiting", self.most_waiting >= 1, "must be at least 1"),
            ("text_limit", (1..=65_536).contains(&self.text_limit), "must be 1 to 65536"),
            ("expires_seconds", self.expires_seconds >= 10, "must be at least 10"),
            ("most_refusals", self.most_refusals >= 1, "must be at least 1"),
            ("lease_seconds", self.lease_seconds >= 2, "must be at least 2"),
            (
                "last_look_seconds",
                self.looks().is_sorted(),
                "must not be before `second_look_seconds`, nor that before `first_look_seconds`",
            ),
            ("concurrency", self.concurrency >= 1, "must be at least 1"),
            ("import_concurrency", self.import_concurrency >= 1, "must be at least 1"),
            ("link_code_seconds", self.link_code_seconds >= 1, "must be at least 1"),
            (
                "link_seconds",
                self.link_seconds >= self.link_code_seconds,
                "must not be less than `link_code_seconds`",
            ),
            (
                "hosted_link_minutes",
                (1..=1_440).contains(&self.hosted_link_minutes),
                "must be 1 to 1440",
            ),
            ("link_finish_seconds", self.link_finish_seconds >= 1, "must be at least 1"),
            ("upstream_retry_seconds", self.upstream_retry_seconds >= 1, "must be at least 1"),
            ("poll_interval_ms", self.poll_interval_ms >= 10, "must be at least 10"),
        ];
        ConfigError::unless("messaging", rules)
    }
}
