use serde::{Deserialize, Serialize};

use super::Poison;
use crate::config::ConfigError;

/// How likely each fault is for each event, from 0 to 1. All zero unless asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Sent twice; the copy comes within the window.
    pub duplicate: f64,
    /// Overtaken by later events.
    pub reorder: f64,
    /// Places by which an event or its copy may be late.
    pub reorder_window: usize,
    /// Sent later than it happened.
    pub delay: f64,
    /// The longest delay, in milliseconds.
    pub delay_max_ms: u64,
    /// Never sent.
    pub drop: f64,
    /// A bad body is put beside it.
    pub poison: f64,
    /// The bad bodies to choose from.
    pub poison_kinds: Vec<Poison>,
    /// Size of the body that is too large, in bytes.
    pub oversize_bytes: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            duplicate: 0.0,
            reorder: 0.0,
            reorder_window: 16,
            delay: 0.0,
            delay_max_ms: 30_000,
            drop: 0.0,
            poison: 0.0,
            poison_kinds: Poison::ALL.to_vec(),
            // One byte over a mebibyte, the limit that receivers are advised to set.
            oversize_bytes: 1_048_577,
        }
    }
}

impl Faults {
    /// Everything that a receiver must survive without losing anything: copies, disorder, delays
    /// and poison, but no drops.
    #[must_use]
    pub fn rough() -> Self {
        Self {
            duplicate: 0.1,
            reorder: 0.3,
            delay: 0.05,
            delay_max_ms: 2_000,
            poison: 0.02,
            ..Self::default()
        }
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let chances = [
            ("faults.duplicate", self.duplicate),
            ("faults.reorder", self.reorder),
            ("faults.delay", self.delay),
            ("faults.drop", self.drop),
            ("faults.poison", self.poison),
        ];
        for (field, chance) in chances {
            if !(0.0..=1.0).contains(&chance) {
                return Err(ConfigError { field, rule: "from 0 to 1" });
            }
        }
        if self.poison > 0.0 && self.poison_kinds.is_empty() {
            return Err(ConfigError { field: "faults.poison_kinds", rule: "not empty" });
        }
        Ok(())
    }
}
