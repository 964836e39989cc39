//! One webhook, ready to be sent.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::faults::Poison;
use crate::world::AccountStatus;

/// A webhook's body and what a test needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the script, from 0. Copies and poison carry the number of the event beside which
    /// they were put.
    pub number: u64,
    /// What it tells.
    pub kind: Kind,
    /// The account it is about. Poison may hold another one inside.
    pub account_id: Arc<str>,
    /// The message it is about. For poison: the message id inside, where there is one; it occurs
    /// in no other event.
    pub message_id: Option<Arc<str>>,
    /// The state that an account is in, where that is what it tells.
    pub status: Option<AccountStatus>,
    /// The request's body.
    pub body: Bytes,
    /// When UniPile sends it.
    pub at: Timestamp,
    /// Whether it is a second sending of the same body.
    pub duplicate: bool,
}

impl Event {
    /// Whether the body was made to be refused or quarantined.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        matches!(self.kind, Kind::Poison(_))
    }
}

/// What a webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text from somebody else.
    Text,
    /// A message that the owner typed on the phone, of whatever content.
    FromPhone,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A voice note.
    Voice,
    /// A file.
    Document,
    /// A file that can no longer be had.
    MediaUnavailable,
    /// An answer that quotes a message.
    Reply,
    /// A forwarded text.
    Forwarded,
    /// Content that UniPile cannot carry: neither text nor attachment.
    Unsupported,
    /// A missed call.
    Call,
    /// A group was created, renamed, joined or left.
    System,
    /// A notice that UniPile does not know (`event_type` 0).
    UnknownNotice,
    /// An own message reached the recipient.
    Delivered,
    /// An own message was read.
    Read,
    /// A message has a new text.
    Edited,
    /// A message was deleted for everyone.
    Deleted,
    /// Somebody reacted to a message.
    Reaction,
    /// Somebody took a reaction back.
    ReactionRemoved,
    /// An account's state, wrapped in `AccountStatus`.
    AccountStatus,
    /// An account's state in a flat body.
    AccountStatusFlat,
    /// A body that is not what UniPile v1 sends.
    Poison(Poison),
}
