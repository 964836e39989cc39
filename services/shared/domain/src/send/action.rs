//! What is done to a message or chat that exists: shown at once, done at UniPile after, undone here if it did not
//! take.
//!
//! Each may be asked of UniPile again without harm, so nothing about it stays uncertain.

use super::job::next_try;
use super::{Failure, Limits, Refusal};
use crate::ids::{ChatId, MessageId};
use crate::message::Edit;
use crate::time::{Micros, Stamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Another text for a message.
    Edit {
        /// The message.
        message: MessageId,
        /// The text.
        text: String,
    },
    /// A message is deleted for everyone.
    Delete {
        /// The message.
        message: MessageId,
    },
    /// The owner reacts to a message.
    React {
        /// The message.
        message: MessageId,
        /// The emoji.
        emoji: String,
    },
    /// A chat is marked as read, or as unread.
    Read {
        /// The chat.
        chat: ChatId,
        /// Read.
        on: bool,
    },
    /// A chat is muted, or not.
    Mute {
        /// The chat.
        chat: ChatId,
        /// Muted.
        on: bool,
    },
    /// A chat goes into the archive, or comes back.
    Archive {
        /// The chat.
        chat: ChatId,
        /// Archived.
        on: bool,
    },
    /// A chat is pinned, or not.
    Pin {
        /// The chat.
        chat: ChatId,
        /// Pinned.
        on: bool,
    },
}

impl Act {
    /// The message that it is about.
    #[must_use]
    pub const fn message(&self) -> Option<MessageId> {
        match self {
            Self::Edit { message, .. } | Self::Delete { message } | Self::React { message, .. } => {
                Some(*message)
            }
            _ => None,
        }
    }

    /// The chat that it is about, if it is about no message.
    #[must_use]
    pub const fn chat(&self) -> Option<&ChatId> {
        match self {
            Self::Read { chat, .. }
            | Self::Mute { chat, .. }
            | Self::Archive { chat, .. }
            | Self::Pin { chat, .. } => Some(chat),
            _ => None,
        }
    }
}

/// What was there before, for undoing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "snake_case")]
pub enum Before {
    /// The edit before.
    Edit {
        /// `None`: the message was not edited.
        edit: Option<Edit>,
    },
    /// The message was there.
    Present,
    /// The owner's reaction before.
    Reaction {
        /// The emoji, if there was one.
        emoji: Option<String>,
    },
    /// A flag of a chat.
    Flag {
        /// It was on.
        on: bool,
    },
    /// Until when a chat was muted.
    Muted {
        /// `None`: it was not.
        until: Option<Micros>,
    },
    /// The chat was read up to here.
    ReadUpTo {
        /// The marker before.
        from: Micros,
        /// The marker that was set.
        to: Micros,
    },
    /// There is nothing to undo.
    Nothing,
}

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Stage {
    /// Waits for its turn, or is being done: doing it again is no harm.
    Open = 1,
    /// UniPile did it.
    Applied = 2,
    /// It was refused, or had no effect; what was shown is undone.
    NotApplied = 3,
}

impl Stage {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Open,
            2 => Self::Applied,
            3 => Self::NotApplied,
            _ => return None,
        })
    }
}

/// One thing to be done at UniPile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its key inside the account. Those of a chat are done in the order of their keys.
    pub key: i64,
    /// The id that makes asking for it twice the same as once.
    pub id: Uuid,
    /// Key of the chat.
    pub chat_key: i64,
    /// Key of the message, if it is about one.
    pub message_key: Option<i64>,
    /// What is done.
    pub act: Act,
    /// What was there before.
    pub before: Before,
    /// When it was asked for; what it shows carries this stamp.
    pub stamp: Stamp,
    /// The hash of what the client asked for.
    pub hash: [u8; 32],
    /// Where it stands.
    pub stage: Stage,
    /// Requests made so far.
    pub attempts: u32,
    /// Refusals with hope so far.
    pub refusals: u32,
    /// When it may be tried, or tried again.
    pub next_at: Micros,
    /// When it is given up.
    pub expires_at: Micros,
    /// Why it was not applied.
    pub failure: Option<Failure>,
}

impl Action {
    /// Begins a try. Whoever dies with it leaves it to others after the lease.
    pub fn begin(&mut self, now: Micros, limits: &Limits) {
        self.attempts += 1;
        self.next_at = now.plus(limits.lease);
    }

    /// UniPile did it.
    pub fn applied(&mut self) {
        self.stage = Stage::Applied;
        self.failure = None;
    }

    /// It was refused, or nothing is known and it has to be tried again. True if it is given up.
    pub fn refused(
        &mut self,
        refusal: &Refusal,
        jitter: f64,
        now: Micros,
        limits: &Limits,
    ) -> bool {
        let Refusal { reason, detail, attempt } = refusal;
        self.failure = Some(Failure::new(reason, detail, now));
        match next_try(*attempt, &mut self.refusals, jitter, now, limits) {
            Some(at) if now < self.expires_at => {
                self.next_at = at;
                false
            }
            _ => {
                self.stage = Stage::NotApplied;
                true
            }
        }
    }
}
