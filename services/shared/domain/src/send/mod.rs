//! Sending: what was asked for, where it stands, and what may happen next.
//!
//! A request to UniPile whose outcome is not known is never repeated by itself: a person could get a
//! message twice. So there are two kinds of failure, certain and uncertain, and an uncertain one is
//! resolved by the message's echo, by looking into the chat, or by a person.
//!
//! ```text
//! queued ─▶ sending ─▶ sent ◀───── uncertain, unconfirmed, failed: its echo came
//!   │  ▲       ├──────▶ failed          refused for certain
//!   │  └───────┤                        refused for certain, may work later
//!   │          └──────▶ uncertain ─▶ unconfirmed
//!   ├─▶ cancelled
//!   └─▶ expired
//! ```

mod action;
mod job;
mod matching;
mod pacing;
mod recipient;

pub use action::{Act, Action, Before, Stage};
pub use job::{Attempt, Job, Limits, Refusal, Verdict};
pub use matching::{is_echo, one_of, started_with};
pub use pacing::{Ahead, Pace, Pacing};
pub use recipient::{Recipient, address};

use crate::fact::Attachment;
use crate::ids::{ChatId, MessageId};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Where a message sent from here stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Phase {
    /// Waits for its turn.
    Queued = 1,
    /// A request is under way.
    Sending = 2,
    /// A request may have arrived; what became of it is not known.
    Uncertain = 3,
    /// UniPile took it.
    Sent = 4,
    /// Refused for certain.
    Failed = 5,
    /// What became of it could not be found out.
    Unconfirmed = 6,
    /// Cancelled before it was sent.
    Cancelled = 7,
    /// Its time ran out before it was sent.
    Expired = 8,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Uncertain,
        Self::Sent,
        Self::Failed,
        Self::Unconfirmed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Reads the stored number.
    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase as i16 == number)
    }

    /// Whether the outbox still has to do something, and the chat's later messages wait.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Uncertain)
    }

    /// Whether an own message that turns up in the chat may be this one. Of a refused one too: UniPile may
    /// have been wrong.
    #[must_use]
    pub const fn may_have_left(self) -> bool {
        matches!(self, Self::Sending | Self::Uncertain | Self::Unconfirmed | Self::Failed)
    }
}

/// Why a message was not sent, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable reason in capitals.
    pub reason: String,
    /// A sentence for people.
    pub detail: String,
    /// When.
    pub at: Micros,
}

impl Failure {
    /// A failure with its reason.
    #[must_use]
    pub fn new(reason: &str, detail: &str, at: Micros) -> Self {
        Self { reason: reason.to_owned(), detail: detail.to_owned(), at }
    }
}

/// What a message knows of its own sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// Where it stands.
    pub phase: Phase,
    /// Why it failed; only while it is failed, expired or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// WhatsApp's own account of it has come: its time is the provider's.
    #[serde(default)]
    pub echoed: bool,
}

impl Sending {
    /// A message that waits.
    pub const QUEUED: Self = Self { phase: Phase::Queued, failure: None, echoed: false };

    /// Takes over where the outbox stands. True if that changed anything.
    pub fn follow(&mut self, job: &Job) -> bool {
        let ended = !job.phase.is_open() && job.phase != Phase::Sent;
        let failure = job.failure.clone().filter(|_| ended);
        let changed = (self.phase, &self.failure) != (job.phase, &failure);
        (self.phase, self.failure) = (job.phase, failure);
        changed
    }
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Request {
    /// A message into a chat that exists.
    Message {
        /// Text or caption.
        text: Option<String>,
        /// Files, in order; their ids are those of the uploads.
        files: Vec<Attachment>,
        /// The message that it answers.
        quote: Option<MessageId>,
        /// How long "typing" is shown before, in milliseconds.
        typing_ms: Option<u32>,
    },
    /// A message of another chat, forwarded.
    Forward {
        /// The message to forward.
        message: MessageId,
        /// Its text, by which the echo is known.
        text: Option<String>,
        /// Its files, by which the echo is known.
        files: Vec<Attachment>,
    },
    /// The first message of a new chat.
    Start {
        /// WhatsApp ids of the people.
        people: Vec<String>,
        /// The group's subject.
        subject: Option<String>,
        /// Text or caption.
        text: Option<String>,
        /// Files, in order.
        files: Vec<Attachment>,
    },
}

impl Request {
    /// The text that the recipient will see.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Message { text, .. } | Self::Forward { text, .. } | Self::Start { text, .. } => {
                text.as_deref()
            }
        }
    }

    /// The files that the recipient will see.
    #[must_use]
    pub fn files(&self) -> &[Attachment] {
        match self {
            Self::Message { files, .. }
            | Self::Forward { files, .. }
            | Self::Start { files, .. } => files,
        }
    }

    /// Whether it makes a chat, which WhatsApp watches far more closely than answers.
    #[must_use]
    pub const fn starts_a_chat(&self) -> bool {
        matches!(self, Self::Start { .. })
    }
}

/// The beginning of the id of a chat that only exists here until its first message was sent.
pub const PROVISIONAL: &str = "local:";

/// Whether a chat only exists here.
#[must_use]
pub fn is_provisional(chat: &ChatId) -> bool {
    chat.as_str().starts_with(PROVISIONAL)
}
