//! Waiting for something to be so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::books::Which;
use crate::world::{AccountStatus, Receipt};

/// Something that can be waited for. All that is named has to be so at the same time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// So many of these entries are in the ledger.
    pub accepted: Option<AtLeast>,
    /// A message has come so far.
    pub message: Option<MessageAt>,
    /// An account is in this state.
    pub account: Option<AccountIn>,
    /// Nothing is planned any more, and every webhook is acknowledged or given up.
    pub settled: bool,
}

/// So many entries of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtLeast {
    /// How many.
    pub count: usize,
    /// Which.
    #[serde(default)]
    pub which: Which,
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageAt {
    /// Which message.
    pub id: String,
    /// As far as this, or further.
    pub status: Receipt,
}

/// The state of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountIn {
    /// Which account.
    pub id: String,
    /// Its state.
    pub status: AccountStatus,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It is so.
    Met,
    /// It was not so in time.
    TimedOut,
}

impl Engine {
    /// Waits until a condition holds, for at most so long.
    pub(crate) async fn until(&self, condition: &Condition, limit: Duration) -> Settled {
        let (mut beats, mut deliveries) = (self.pulse.listen(), self.targets.ledger().changes());
        let met = async {
            while !self.holds(condition) {
                // Both are as long-lived as the engine.
                tokio::select! {
                    _ = beats.changed() => {}
                    _ = deliveries.changed() => {}
                }
            }
        };
        let met = tokio::time::timeout(limit, met).await;
        if met.is_ok() { Settled::Met } else { Settled::TimedOut }
    }

    fn holds(&self, condition: &Condition) -> bool {
        let accepted = |wanted: &AtLeast| self.books.count(&wanted.which) >= wanted.count;
        condition.accepted.as_ref().is_none_or(accepted)
            && condition.message.as_ref().is_none_or(|wanted| self.has_come(wanted))
            && condition.account.as_ref().is_none_or(|wanted| self.is_in(wanted))
            && (!condition.settled || self.is_settled())
    }

    fn has_come(&self, wanted: &MessageAt) -> bool {
        let world = self.world.lock();
        let message = world.find_message(&wanted.id).and_then(|key| world.read(key));
        message.is_some_and(|message| message.receipt >= wanted.status)
    }

    fn is_in(&self, wanted: &AccountIn) -> bool {
        let world = self.world.lock();
        let account = world.accounts().iter().find(|account| *account.id == *wanted.id);
        account.is_some_and(|account| account.status == wanted.status)
    }
}
