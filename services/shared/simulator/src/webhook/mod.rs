//! Bodies as UniPile v1 sends them, made from what happened in the world.
//!
//! Pure: the same world and change give the same bytes. Keys and their order are those of
//! captured WhatsApp webhooks; what was never captured (receipts, edits, deletions, reactions)
//! has the same key set, as public consumers describe it.

mod attachment;
mod attendee;
mod message;
mod status;

pub(crate) use attachment::type_name;
pub(crate) use message::WEBHOOK_NAME;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::event::{Event, Kind};
use crate::world::{AccountStatus, Change, Content, Media, Message, World};
use message::MessageBody;

/// A webhook's body with what it is about.
pub(crate) struct Webhook {
    pub(crate) kind: Kind,
    pub(crate) account_id: Arc<str>,
    pub(crate) message_id: Option<Arc<str>>,
    pub(crate) status: Option<AccountStatus>,
    pub(crate) body: Bytes,
}

impl Webhook {
    /// The same, ready to be sent at a time.
    pub(crate) fn into_event(self, number: u64, at: Timestamp) -> Event {
        Event {
            number,
            kind: self.kind,
            account_id: self.account_id,
            message_id: self.message_id,
            status: self.status,
            body: self.body,
            at,
            duplicate: false,
        }
    }
}

/// The webhook that tells of a change which was just made. `at` is when it happened.
///
/// `None` when the message is no longer kept.
pub(crate) fn render(world: &World, change: Change, at: Timestamp) -> Option<Webhook> {
    render_as(world, change, at, None)
}

/// The same with another text in place of the message's, as WhatsApp's servers tidy some.
pub(crate) fn render_as(
    world: &World,
    change: Change,
    at: Timestamp,
    text: Option<&str>,
) -> Option<Webhook> {
    let key = match change {
        Change::Status { account, status, flat } => {
            return Some(status::render(world.account(account)?, status, flat));
        }
        Change::Posted(key)
        | Change::Delivered(key)
        | Change::Read(key)
        | Change::Seen(key)
        | Change::Edited(key)
        | Change::Deleted(key)
        | Change::Reacted { message: key, .. } => key,
    };
    let message = world.message(key)?;
    let chat = world.chat(key.chat)?;
    let account = world.account(chat.account)?;
    let mut body = MessageBody::new(account, chat, message)?;
    if text.is_some() {
        body.message = text;
    }
    match change {
        Change::Delivered(_) => body.receipt("message_delivered", at),
        Change::Read(_) | Change::Seen(_) => body.receipt("message_read", at),
        Change::Edited(_) => body.event = "message_edited",
        Change::Deleted(_) => body.deletion(),
        Change::Reacted { by, .. } => {
            let emoji = message.reactions.iter().find(|(who, _)| *who == by);
            let emoji = emoji.map(|(_, emoji)| &**emoji);
            body.reaction(account.people.get(by.0)?, emoji, at);
        }
        Change::Posted(_) | Change::Status { .. } => {}
    }
    Some(Webhook {
        kind: kind(change, message),
        account_id: Arc::clone(&account.id),
        message_id: Some(Arc::clone(&message.id)),
        status: None,
        body: to_bytes(&body),
    })
}

/// A usual body has one to two kilobytes; groups have more.
const USUAL_BYTES: usize = 2_048;

fn to_bytes(body: &impl Serialize) -> Bytes {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    // Writing plain structs into memory cannot fail; an empty body would fail every test.
    if serde_json::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    bytes.into()
}

fn kind(change: Change, message: &Message) -> Kind {
    match change {
        Change::Posted(_) => posted_kind(message),
        Change::Delivered(_) => Kind::Delivered,
        Change::Read(_) | Change::Seen(_) => Kind::Read,
        Change::Edited(_) => Kind::Edited,
        Change::Deleted(_) => Kind::Deleted,
        Change::Reacted { removed: false, .. } => Kind::Reaction,
        Change::Reacted { removed: true, .. } => Kind::ReactionRemoved,
        Change::Status { flat: false, .. } => Kind::AccountStatus,
        Change::Status { flat: true, .. } => Kind::AccountStatusFlat,
    }
}

fn posted_kind(message: &Message) -> Kind {
    match &message.content {
        Content::Notice { event_type: 0, .. } => Kind::UnknownNotice,
        Content::Notice { event_type: 8.., .. } => Kind::Call,
        Content::Notice { .. } => Kind::System,
        _ if message.is_own() => Kind::FromPhone,
        _ if message.quoted.is_some() => Kind::Reply,
        _ if message.forwarded => Kind::Forwarded,
        Content::Empty => Kind::Unsupported,
        Content::Text(_) => Kind::Text,
        Content::Media { attachments, .. } => match attachments.first() {
            Some(attachment) if attachment.unavailable => Kind::MediaUnavailable,
            Some(attachment) => media_kind(attachment.media),
            None => Kind::Unsupported,
        },
    }
}

fn media_kind(media: Media) -> Kind {
    match media {
        Media::Image => Kind::Image,
        Media::Video => Kind::Video,
        Media::Voice | Media::Audio => Kind::Voice,
        Media::Document => Kind::Document,
    }
}

/// Three decimals and `Z`, as in all of UniPile's times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}
