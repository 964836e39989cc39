//! The state of an entity as it is kept in the log and handed to readers.
//!
//! Private to the store's users and versioned: the first byte of a stored body is the version. What
//! clients see is made from this by the query service.

mod convert;
mod files;
mod sync;

pub use convert::{attachment_kind, content_kind, name_source};
pub use files::{AttachmentRecord, SmallRecord, StoredRecord};
use prost::Message as _;
pub use sync::SyncRecord;

/// The version of the bodies written now.
pub const VERSION: u8 = 1;

/// The state of one entity.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Record {
    /// The entity.
    #[prost(oneof = "State", tags = "1, 2, 3, 4, 5, 6")]
    pub state: Option<State>,
}

/// The entity in a [`Record`].
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum State {
    /// An account.
    #[prost(message, tag = "1")]
    Account(AccountRecord),
    /// A chat.
    #[prost(message, tag = "2")]
    Chat(ChatRecord),
    /// A message.
    #[prost(message, tag = "3")]
    Message(MessageRecord),
    /// A person.
    #[prost(message, tag = "4")]
    Attendee(AttendeeRecord),
    /// Where the sending of a message stands.
    #[prost(message, tag = "5")]
    Send(SendRecord),
    /// How far a synchronisation came.
    #[prost(message, tag = "6")]
    Sync(SyncRecord),
}

impl Record {
    /// The bytes to store.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.encoded_len() + 1);
        body.push(VERSION);
        self.encode_raw(&mut body);
        body
    }

    /// Reads stored bytes; `None` if they are of another version or broken.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<State> {
        let (version, rest) = body.split_first()?;
        (*version == VERSION).then(|| Self::decode(rest).ok()?.state).flatten()
    }
}

/// An account. Times are microseconds since 1970 UTC; numbers are those of `channel-domain`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccountRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Name to show.
    #[prost(string, tag = "2")]
    pub name: String,
    /// E.164.
    #[prost(string, optional, tag = "3")]
    pub phone: Option<String>,
    /// See [`channel_domain::account::Connection`].
    #[prost(int32, tag = "4")]
    pub connection: i32,
    /// Since when.
    #[prost(int64, optional, tag = "5")]
    pub connection_since: Option<i64>,
    /// When the first synchronisation ended.
    #[prost(int64, optional, tag = "6")]
    pub synced_at: Option<i64>,
    /// When we first heard of it.
    #[prost(int64, tag = "7")]
    pub created_at: i64,
    /// Last change.
    #[prost(uint64, tag = "8")]
    pub rev: u64,
    /// See [`channel_domain::account::Source`]; 0 in what older programs wrote.
    #[prost(int32, tag = "9")]
    pub connection_source: i32,
    /// UniPile's word for the state.
    #[prost(string, optional, tag = "10")]
    pub connection_word: Option<String>,
    /// Everything up to here was read in.
    #[prost(int64, optional, tag = "11")]
    pub complete_up_to: Option<i64>,
}

/// A person.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AttendeeRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The account's owner.
    #[prost(bool, tag = "2")]
    pub is_self: bool,
    /// Profile name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// E.164.
    #[prost(string, optional, tag = "4")]
    pub phone: Option<String>,
    /// Privacy id.
    #[prost(string, optional, tag = "5")]
    pub lid: Option<String>,
    /// WhatsApp's id.
    #[prost(string, optional, tag = "6")]
    pub provider_id: Option<String>,
    /// Link to the profile.
    #[prost(string, optional, tag = "7")]
    pub profile_url: Option<String>,
    /// Link to the picture.
    #[prost(string, optional, tag = "8")]
    pub picture_url: Option<String>,
    /// Last change.
    #[prost(uint64, tag = "9")]
    pub rev: u64,
    /// The picture, once it is here.
    #[prost(message, optional, tag = "12")]
    pub picture: Option<StoredRecord>,
    /// The name to show comes from the team.
    #[prost(bool, tag = "10")]
    pub named_here: bool,
    /// The public id under which the person is shown, if it is another one.
    #[prost(string, optional, tag = "11")]
    pub person: Option<String>,
    /// Name to be found by.
    #[prost(string, optional, tag = "13")]
    pub username: Option<String>,
}

/// A chat.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ChatRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// WhatsApp's id.
    #[prost(string, optional, tag = "2")]
    pub provider_id: Option<String>,
    /// See [`channel_domain::chat::ChatKind`].
    #[prost(int32, tag = "3")]
    pub kind: i32,
    /// Name to show.
    #[prost(string, tag = "4")]
    pub title: String,
    /// Where the name came from; see [`name_source`].
    #[prost(int32, tag = "5")]
    pub title_source: i32,
    /// The group's subject.
    #[prost(string, optional, tag = "6")]
    pub subject: Option<String>,
    /// Public id of the other party.
    #[prost(string, optional, tag = "7")]
    pub counterparty: Option<String>,
    /// Phone number of the other party.
    #[prost(string, optional, tag = "8")]
    pub phone: Option<String>,
    /// The last visible message.
    #[prost(message, optional, tag = "9")]
    pub last: Option<LastRecord>,
    /// Up to [`channel_domain::chat::UNREAD_CAP`].
    #[prost(uint32, tag = "10")]
    pub unread: u32,
    /// Pinned.
    #[prost(bool, tag = "11")]
    pub pinned: bool,
    /// Archived.
    #[prost(bool, tag = "12")]
    pub archived: bool,
    /// Muted until; the greatest value is for ever.
    #[prost(int64, optional, tag = "13")]
    pub muted_until: Option<i64>,
    /// Nobody may write.
    #[prost(bool, tag = "14")]
    pub read_only: bool,
    /// Place in the list.
    #[prost(bytes = "vec", tag = "15")]
    pub order: Vec<u8>,
    /// Last change.
    #[prost(uint64, tag = "16")]
    pub rev: u64,
    /// Labels that the team gave it, sorted.
    #[prost(string, repeated, tag = "17")]
    pub labels: Vec<String>,
    /// The name that the team gave it.
    #[prost(string, optional, tag = "18")]
    pub own_name: Option<String>,
    /// The picture to show, once it is here.
    #[prost(message, optional, tag = "19")]
    pub picture: Option<StoredRecord>,
    /// All its messages up to this time are here.
    #[prost(int64, optional, tag = "20")]
    pub complete_up_to: Option<i64>,
    /// Last change of its members; 0 in what older programs wrote.
    #[prost(uint64, tag = "21")]
    pub members_rev: u64,
}

/// A chat's last message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LastRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The line to show.
    #[prost(string, tag = "2")]
    pub preview: String,
    /// Out rather than in.
    #[prost(bool, tag = "3")]
    pub outgoing: bool,
    /// See [`content_kind`].
    #[prost(int32, tag = "4")]
    pub kind: i32,
    /// Provider time.
    #[prost(int64, tag = "5")]
    pub sent_at: i64,
    /// See [`channel_domain::message::Status`]; 0 if it is not known.
    #[prost(int32, tag = "6")]
    pub status: i32,
    /// See [`attachment_kind`]; 0 without files.
    #[prost(int32, tag = "7")]
    pub file: i32,
    /// Public id of the writer.
    #[prost(string, optional, tag = "8")]
    pub sender: Option<String>,
}

/// A message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MessageRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// UniPile's id.
    #[prost(string, optional, tag = "2")]
    pub upstream_id: Option<String>,
    /// WhatsApp's id.
    #[prost(string, optional, tag = "3")]
    pub provider_id: Option<String>,
    /// Public id of the chat.
    #[prost(string, tag = "4")]
    pub chat: String,
    /// Public id of the writer.
    #[prost(string, optional, tag = "5")]
    pub sender: Option<String>,
    /// Out rather than in.
    #[prost(bool, tag = "6")]
    pub outgoing: bool,
    /// See [`channel_domain::message::Origin`].
    #[prost(int32, tag = "7")]
    pub origin: i32,
    /// See [`content_kind`].
    #[prost(int32, tag = "8")]
    pub kind: i32,
    /// Text to show; none once deleted.
    #[prost(string, optional, tag = "9")]
    pub text: Option<String>,
    /// Files; none once deleted.
    #[prost(message, repeated, tag = "10")]
    pub attachments: Vec<AttachmentRecord>,
    /// See [`channel_domain::message::Status`].
    #[prost(int32, tag = "11")]
    pub status: i32,
    /// Provider time.
    #[prost(int64, tag = "12")]
    pub sent_at: i64,
    /// Delivered.
    #[prost(int64, optional, tag = "13")]
    pub delivered_at: Option<i64>,
    /// Read.
    #[prost(int64, optional, tag = "14")]
    pub read_at: Option<i64>,
    /// Edited.
    #[prost(int64, optional, tag = "15")]
    pub edited_at: Option<i64>,
    /// Deleted.
    #[prost(int64, optional, tag = "16")]
    pub deleted_at: Option<i64>,
    /// Not to be shown in the conversation.
    #[prost(bool, tag = "17")]
    pub hidden: bool,
    /// Forwarded.
    #[prost(bool, tag = "18")]
    pub forwarded: bool,
    /// UniPile's number of a system line.
    #[prost(int32, optional, tag = "19")]
    pub event_number: Option<i32>,
    /// What it answers.
    #[prost(message, optional, tag = "20")]
    pub quoted: Option<QuotedRecord>,
    /// Reactions in force.
    #[prost(message, repeated, tag = "21")]
    pub reactions: Vec<ReactionRecord>,
    /// Place in the chat.
    #[prost(bytes = "vec", tag = "22")]
    pub sort_key: Vec<u8>,
    /// Last change.
    #[prost(uint64, tag = "23")]
    pub rev: u64,
    /// When it was first stored.
    #[prost(int64, tag = "24")]
    pub stored_at: i64,
    /// Where its sending stands, see [`channel_domain::send::Phase`]; 0 if it was not sent from here.
    #[prost(int32, tag = "25")]
    pub send_phase: i32,
    /// Why it was not sent.
    #[prost(message, optional, tag = "26")]
    pub failure: Option<FailureRecord>,
    /// Who is named in the text, in its order.
    #[prost(message, repeated, tag = "27")]
    pub mentions: Vec<MentionRecord>,
}

/// Somebody who is named in a text.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MentionRecord {
    /// WhatsApp's id.
    #[prost(string, tag = "1")]
    pub provider_id: String,
    /// Public id, if they are known.
    #[prost(string, optional, tag = "2")]
    pub attendee: Option<String>,
    /// The name that stands in the text.
    #[prost(string, tag = "3")]
    pub name: String,
    /// First code point, with the sign before the name.
    #[prost(uint32, tag = "4")]
    pub start: u32,
    /// One past the last code point.
    #[prost(uint32, tag = "5")]
    pub end: u32,
}

/// Why a message was not sent.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FailureRecord {
    /// Stable reason.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// For people.
    #[prost(string, tag = "2")]
    pub detail: String,
    /// When.
    #[prost(int64, tag = "3")]
    pub at: i64,
}

/// The outbox's view of a message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SendRecord {
    /// Public id of the message.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Public id of the chat.
    #[prost(string, tag = "2")]
    pub chat: String,
    /// See [`channel_domain::send::Phase`].
    #[prost(int32, tag = "3")]
    pub phase: i32,
    /// Requests made so far.
    #[prost(uint32, tag = "4")]
    pub attempts: u32,
    /// When the next request may be made.
    #[prost(int64, optional, tag = "5")]
    pub next_at: Option<i64>,
    /// How long it is expected to wait, in microseconds.
    #[prost(int64, optional, tag = "6")]
    pub expected_wait: Option<i64>,
    /// When it is given up.
    #[prost(int64, tag = "7")]
    pub expires_at: i64,
    /// Stable reason of the last refusal.
    #[prost(string, tag = "8")]
    pub reason: String,
    /// Last change.
    #[prost(uint64, tag = "9")]
    pub rev: u64,
}

/// A quoted message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct QuotedRecord {
    /// WhatsApp's id of the message.
    #[prost(string, optional, tag = "1")]
    pub provider_id: Option<String>,
    /// UniPile's id of the message.
    #[prost(string, optional, tag = "2")]
    pub upstream_id: Option<String>,
    /// WhatsApp's id of its author.
    #[prost(string, optional, tag = "3")]
    pub sender_id: Option<String>,
    /// Its text.
    #[prost(string, optional, tag = "4")]
    pub text: Option<String>,
}

/// A reaction.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReactionRecord {
    /// Public id of the person.
    #[prost(string, tag = "1")]
    pub actor: String,
    /// The emoji.
    #[prost(string, tag = "2")]
    pub emoji: String,
    /// The account's owner gave it.
    #[prost(bool, tag = "3")]
    pub is_self: bool,
}
