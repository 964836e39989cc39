//! What is simulated, how fast, and where it goes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::ApiConfig;
use crate::deliver::DeliveryConfig;
use crate::faults::Faults;
use crate::traffic::Mix;

/// Everything a run depends on. The same values (with `start` set) give the same bodies, byte for
/// byte.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// Where all chance comes from.
    pub seed: u64,
    /// Which part of the world's story is told: the people and chats are the same in each, what happens
    /// is other. The first, 0, begins with `history`; the later ones go on live.
    pub chapter: u32,
    /// Connected accounts.
    pub accounts: usize,
    /// Contacts of each account; each has a chat.
    pub contacts: usize,
    /// Groups of each account.
    pub groups: usize,
    /// Begin with the account statuses of a fresh connection.
    pub announce_accounts: bool,
    /// Events that come in a quick burst at the start, with times of the past hours.
    pub history: u64,
    /// Events a second after that, on average.
    pub rate_per_second: f64,
    /// Where the virtual clock starts. `None`: now, when webhooks are delivered; otherwise a
    /// fixed day, so that a run repeats.
    pub start: Option<Timestamp>,
    /// Events after which to stop; `None` goes on for ever. Copies and poison come on top.
    pub total: Option<u64>,
    /// Only events whose outcome does not depend on the order in which they arrive: no second
    /// edit of a message, no reaction replaced or taken away, no account in trouble, no change
    /// of a group's members or subject.
    pub commutative: bool,
    /// Messages that every chat has had before the run. No webhook tells of them; the API lists
    /// them. They take no memory.
    pub past_per_chat: u32,
    /// Messages that the world remembers of each chat; `None` keeps all.
    pub messages_kept_per_chat: Option<usize>,
    /// How often each kind of event occurs.
    pub mix: Mix,
    /// What goes wrong on the way.
    pub faults: Faults,
    /// Where webhooks go, and how.
    pub delivery: DeliveryConfig,
    /// The HTTP API, where there is one.
    pub api: Option<ApiConfig>,
}

/// One shop with a dozen chats in calm conversation.
impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            seed: 2026,
            chapter: 0,
            accounts: 1,
            contacts: 9,
            groups: 3,
            announce_accounts: true,
            history: 90,
            rate_per_second: 0.5,
            start: None,
            total: None,
            commutative: false,
            past_per_chat: 0,
            messages_kept_per_chat: Some(2_000),
            mix: Mix::default(),
            faults: Faults::default(),
            delivery: DeliveryConfig::default(),
            api: None,
        }
    }
}

impl SimulatorConfig {
    /// A crowd for tests and benches: everything is kept, nothing is paced, and the outcome does
    /// not depend on the order of arrival.
    #[must_use]
    pub fn load(seed: u64, total: u64) -> Self {
        Self {
            seed,
            accounts: 4,
            contacts: 40,
            groups: 6,
            announce_accounts: false,
            history: 0,
            rate_per_second: 1_000.0,
            total: Some(total),
            commutative: true,
            messages_kept_per_chat: None,
            delivery: DeliveryConfig {
                paced: false,
                keep_events: true,
                ..DeliveryConfig::default()
            },
            ..Self::default()
        }
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first field that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let says = |ok: bool, field, rule| {
            if ok { Ok(()) } else { Err(ConfigError { field, rule }) }
        };
        says(self.accounts > 0, "accounts", "at least 1")?;
        says(self.contacts > 0, "contacts", "at least 1")?;
        says(self.messages_kept_per_chat != Some(0), "messages_kept_per_chat", "at least 1")?;
        let rate = self.rate_per_second;
        says(rate.is_finite() && rate >= 0.001, "rate_per_second", "0.001 or more")?;
        says(self.mix.is_possible(), "mix", "at least one weight above 0")?;
        let somebody = self.api.is_some() || !self.delivery.target_url.is_empty();
        says(somebody, "delivery.target_url", "an http or https address")?;
        if let Some(api) = &self.api {
            says(!api.key.is_empty(), "api.key", "not empty")?;
            api.behaviour.validate()?;
        }
        self.faults.validate()?;
        self.delivery.validate()
    }
}

/// A configuration that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {rule}")]
pub struct ConfigError {
    /// The field's path.
    pub field: &'static str,
    /// What it has to be.
    pub rule: &'static str,
}
