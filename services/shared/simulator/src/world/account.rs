use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Person;

/// The states that UniPile reports of an account, in its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "each name is UniPile's own word for the state")]
pub enum AccountStatus {
    Ok,
    Connecting,
    Error,
    Stopped,
    Credentials,
    Permissions,
    Deleted,
    CreationSuccess,
    CreationFail,
    Reconnected,
    SyncSuccess,
}

impl AccountStatus {
    /// Whether messages flow in this state.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Ok | Self::CreationSuccess | Self::Reconnected | Self::SyncSuccess)
    }
}

/// Ways in which captured payloads differ from one tenant to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent habits, each on or off")]
pub(crate) struct Dialect {
    /// `attendees` holds the account's owner too.
    pub(crate) owner_among_attendees: bool,
    /// `account_info` carries `user_id` (a lid).
    pub(crate) user_id: bool,
    /// `is_event` is `true`/`false` instead of 1/0.
    pub(crate) boolean_event_flag: bool,
    /// Attachments use the keys of the REST objects, with strings for numbers and flags.
    pub(crate) rest_attachments: bool,
    /// Groups come without their subject.
    pub(crate) no_subject: bool,
}

/// A connected WhatsApp account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: Arc<str>,
    /// The owner first, then contacts, then strangers met in groups.
    pub(crate) people: Vec<Person>,
    pub(crate) status: AccountStatus,
    pub(crate) dialect: Dialect,
    /// When it was connected.
    pub(crate) created_at: Timestamp,
    /// Brought down by hand, or through the API: it stays down until somebody brings it back, and
    /// no webhook tells of its messages.
    pub(crate) grounded: bool,
}

impl Account {
    pub(crate) fn owner(&self) -> Option<&Person> {
        self.people.first()
    }

    /// Another phone is linked.
    pub(crate) fn owner_has(&mut self, digits: &str) {
        if let Some(owner) = self.people.first_mut() {
            owner.change_number(digits);
        }
    }
}
