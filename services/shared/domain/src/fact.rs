//! What UniPile told us: parsed, complete, not yet judged.
//!
//! A fact keeps the claims of the payload as they were made. Which of them to believe is decided by
//! [`crate::direction`], [`crate::people`] and the merge rules, never by the parser.

use crate::ids::{AccountId, AttendeeId, ChatId, UpstreamMessageId};
use crate::media::Fetch;
use crate::time::{Micros, Stamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One statement about one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A message exists: incoming, typed on the phone, or the echo of our own send.
    Received(Box<Received>),
    /// A message was delivered or read.
    Receipt(Receipt),
    /// A message has another text now.
    Edited(Edited),
    /// A message was deleted for everyone.
    Deleted(Deleted),
    /// Somebody reacted to a message, or took the reaction back.
    Reacted(Box<Reacted>),
    /// The account's connection changed.
    Status(Status),
}

impl Fact {
    /// The message that the fact is about, if it is about one.
    #[must_use]
    pub fn message(&self) -> Option<&UpstreamMessageId> {
        match self {
            Self::Received(fact) => Some(&fact.message),
            Self::Receipt(fact) => Some(&fact.message),
            Self::Edited(fact) => Some(&fact.message),
            Self::Deleted(fact) => Some(&fact.message),
            Self::Reacted(fact) => Some(&fact.message),
            Self::Status(_) => None,
        }
    }

    /// Whether repeating the fact can never mean anything new, so that a repetition may be dropped
    /// before it is applied.
    ///
    /// An edit, a reaction or a status may come back truly (👍, removed, 👍) and is never dropped.
    #[must_use]
    pub const fn is_monotone(&self) -> bool {
        matches!(self, Self::Received(_) | Self::Receipt(_) | Self::Deleted(_))
    }
}

/// A message as a payload describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// UniPile's id of the message.
    pub message: UpstreamMessageId,
    /// WhatsApp's id of the message.
    pub provider_id: Option<String>,
    /// The chat it belongs to.
    pub chat: ChatClaim,
    /// The connected account as the payload names it.
    pub owner: OwnerClaim,
    /// UniPile's own word on the direction, if it gave one.
    pub is_sender: Option<bool>,
    /// Who wrote it.
    pub sender: Option<Person>,
    /// Who else is in the chat; may or may not contain the owner and the sender.
    pub attendees: Vec<Person>,
    /// Text or caption.
    pub text: Option<String>,
    /// Files, pictures, voice notes.
    pub attachments: Vec<Attachment>,
    /// When WhatsApp's server took it.
    pub sent_at: Option<Micros>,
    /// Present when it is a system line or a call rather than a message.
    pub event: Option<SystemEvent>,
    /// UniPile says that it should not be shown in the conversation.
    pub hidden: bool,
    /// It was forwarded from another chat.
    pub forwarded: bool,
    /// What it answers.
    pub quoted: Option<Quoted>,
}

impl Received {
    /// As of when the payload speaks of people: the message's own time, which all copies share.
    #[must_use]
    pub fn people_as_of(&self, stamp: Stamp) -> Stamp {
        Stamp { at: self.sent_at.unwrap_or(stamp.at), inbox: stamp.inbox }
    }

    /// As of when the payload speaks of the chat. A copy may be dropped before it is stored, so nothing
    /// here may depend on which copy is applied: the message's own time, and of one second the message's
    /// identity, decide. Without a time the payload counts as older than any other.
    #[must_use]
    pub fn chat_as_of(&self) -> Stamp {
        let hash = Sha256::digest(self.message.as_str());
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Stamp { at: self.sent_at.unwrap_or_default(), inbox: i64::from_be_bytes(first) }
    }
}

/// What a payload says about the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatClaim {
    /// UniPile's id of the chat.
    pub id: ChatId,
    /// WhatsApp's id of the chat; a privacy id as often as a phone number.
    pub provider_id: Option<String>,
    /// Whether it is a group, if the payload says so.
    pub is_group: Option<bool>,
    /// The group's subject.
    pub subject: Option<String>,
    /// Whether it is pinned.
    pub pinned: Option<bool>,
}

/// What a payload says about the connected account itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerClaim {
    /// The account's phone number as written.
    pub phone: Option<String>,
    /// The account's WhatsApp identifier; may be a privacy id, often missing.
    pub user_id: Option<String>,
}

/// A person as a payload describes them. Every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// UniPile's id of the attendee.
    pub id: Option<AttendeeId>,
    /// WhatsApp's id: phone JID or privacy id.
    pub provider_id: Option<String>,
    /// The profile name that WhatsApp pushed.
    pub name: Option<String>,
    /// The phone number as written; may be the literal word `hidden`.
    pub phone: Option<String>,
    /// The privacy id.
    pub lid: Option<String>,
    /// Usually the phone JID.
    pub public_identifier: Option<String>,
    /// Link to the profile.
    pub profile_url: Option<String>,
    /// Link to the picture.
    pub picture_url: Option<String>,
}

/// A file as a payload describes it; the bytes are fetched apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// UniPile's id of the attachment.
    pub id: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Media type as claimed by the sender.
    pub mime: Option<String>,
    /// Bytes, as claimed.
    pub size: Option<u64>,
    /// File name, as claimed.
    pub name: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Whole seconds.
    pub duration_seconds: Option<u32>,
    /// UniPile says that the bytes cannot be had.
    pub unavailable: bool,
    /// How far the bytes are; no payload says this. `None` until a try has ended.
    #[serde(default, rename = "fetched", skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
}

/// What kind of file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Image,
    /// A moving picture.
    Video,
    /// Sound.
    Audio,
    /// Sound recorded in the chat.
    Voice,
    /// A sticker.
    Sticker,
    /// A looping video.
    Gif,
    /// A file.
    Document,
    /// Something newer than this program.
    #[default]
    Other,
}

impl AttachmentKind {
    /// What a file of this media type is sent as.
    #[must_use]
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next().unwrap_or_default() {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            _ => Self::Document,
        }
    }
}

/// A system line or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemEvent {
    /// UniPile's number for it; `None` when the payload gives none.
    pub number: Option<i32>,
}

/// The message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// WhatsApp's id of the quoted message.
    pub provider_id: Option<String>,
    /// UniPile's id of the quoted message.
    pub message: Option<UpstreamMessageId>,
    /// WhatsApp's id of its author.
    pub sender_id: Option<String>,
    /// Its text.
    pub text: Option<String>,
}

/// A delivery or reading of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// UniPile's id of the message.
    pub message: UpstreamMessageId,
    /// How far it came.
    pub kind: ReceiptKind,
    /// The payload's time; UniPile does not say whether of the message or of the receipt.
    pub claimed_at: Option<Micros>,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// It reached a device.
    Delivered,
    /// It was read.
    Read,
}

/// A new text for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// UniPile's id of the message.
    pub message: UpstreamMessageId,
    /// The new text; `None` when the payload lacks it and the message must be read again.
    pub text: Option<String>,
}

/// A deletion for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// UniPile's id of the message.
    pub message: UpstreamMessageId,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reacted {
    /// UniPile's id of the message reacted to.
    pub message: UpstreamMessageId,
    /// Who reacted.
    pub actor: Person,
    /// The connected account as the payload names it.
    pub owner: OwnerClaim,
    /// The emoji; `None` takes the reaction back.
    pub emoji: Option<String>,
}

/// A change of the account's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What UniPile reports.
    pub status: UpstreamStatus,
}

/// UniPile's account statuses, by their names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UpstreamStatus {
    /// Running.
    Ok,
    /// Connecting, or catching up.
    Connecting,
    /// Stopped by an error.
    Error,
    /// Stopped.
    Stopped,
    /// The session is gone: a new QR code is needed.
    Credentials,
    /// Rights are missing.
    Permissions,
    /// Removed.
    Deleted,
    /// Added; the first synchronisation begins.
    CreationSuccess,
    /// Could not be added.
    CreationFail,
    /// Connected again.
    Reconnected,
    /// The first synchronisation ended.
    SyncSuccess,
}

impl UpstreamStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_wire(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Connecting => "CONNECTING",
            Self::Error => "ERROR",
            Self::Stopped => "STOPPED",
            Self::Credentials => "CREDENTIALS",
            Self::Permissions => "PERMISSIONS",
            Self::Deleted => "DELETED",
            Self::CreationSuccess => "CREATION_SUCCESS",
            Self::CreationFail => "CREATION_FAIL",
            Self::Reconnected => "RECONNECTED",
            Self::SyncSuccess => "SYNC_SUCCESS",
        }
    }

    /// Reads the name on the wire, in any case.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase();
        Some(match name.as_str() {
            "OK" => Self::Ok,
            "CONNECTING" => Self::Connecting,
            "ERROR" => Self::Error,
            "STOPPED" => Self::Stopped,
            "CREDENTIALS" => Self::Credentials,
            "PERMISSIONS" => Self::Permissions,
            "DELETED" => Self::Deleted,
            "CREATION_SUCCESS" => Self::CreationSuccess,
            "CREATION_FAIL" => Self::CreationFail,
            "RECONNECTED" => Self::Reconnected,
            "SYNC_SUCCESS" => Self::SyncSuccess,
            _ => return None,
        })
    }
}

/// A parsed payload: the account it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The account.
    pub account: AccountId,
    /// What is said.
    pub fact: Fact,
}
