use jiff::Timestamp;
use serde::Serialize;

use super::Time;
use super::attachment::AttachmentBody;
use super::attendee::Attendee;
use crate::world::{Account, Chat, Content, Message, Person, Quote, Who};

/// The name under which the configured receiver subscribed.
pub(crate) const WEBHOOK_NAME: &str = "simulated messaging";

/// The body of every message event. Field order is that of the captured bodies.
#[derive(Debug, Serialize)]
pub(super) struct MessageBody<'a> {
    pub(super) event: &'static str,
    account_id: &'a str,
    account_type: &'static str,
    account_info: AccountInfo<'a>,
    webhook_name: &'static str,
    chat_id: &'a str,
    attendees: Vec<Attendee<'a>>,
    sender: Attendee<'a>,
    subject: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    message_id: &'a str,
    #[serde(serialize_with = "as_time")]
    timestamp: Timestamp,
    attachments: Vec<AttachmentBody<'a>>,
    is_sender: bool,
    provider_chat_id: &'a str,
    provider_message_id: &'a str,
    is_event: Flag,
    chat_pinned: u8,
    quoted: Option<QuoteBody<'a>>,
    is_forwarded: Option<bool>,
    chat_content_type: (),
    message_type: (),
    is_group: bool,
    folder: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction_sender: Option<Attendee<'a>>,
}

#[derive(Debug, Serialize)]
struct AccountInfo<'a> {
    #[serde(rename = "type")]
    account_type: &'static str,
    phone_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

/// The same shape as the `quoted` of a REST message.
#[derive(Debug, Serialize)]
struct QuoteBody<'a> {
    provider_id: &'a str,
    sender_id: &'a str,
    text: Option<&'a str>,
    attachments: [(); 0],
}

/// A flag that comes as a number from some tenants and as a boolean from others.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Flag {
    Number(u8),
    Boolean(bool),
}

fn as_time<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Time(*at).serialize(serializer)
}

impl<'a> MessageBody<'a> {
    /// The body of `message_received`, from which the other events differ little.
    pub(super) fn new(account: &'a Account, chat: &'a Chat, message: &'a Message) -> Option<Self> {
        let owner = account.owner()?;
        let dialect = account.dialect;
        let attachments = message.content.attachments().iter();
        Some(Self {
            event: "message_received",
            account_id: &account.id,
            account_type: "WHATSAPP",
            account_info: AccountInfo {
                account_type: "WHATSAPP",
                phone_number: owner.phone_number().unwrap_or_default(),
                user_id: if dialect.user_id { owner.lid() } else { None },
            },
            webhook_name: WEBHOOK_NAME,
            chat_id: &chat.id,
            attendees: attendees(account, chat),
            sender: account.people.get(message.sender.0)?.into(),
            subject: if dialect.no_subject { None } else { chat.subject() },
            message: message.content.text(),
            message_id: &message.id,
            timestamp: message.sent_at,
            attachments: attachments
                .map(|attachment| AttachmentBody::new(attachment, dialect.rest_attachments))
                .collect(),
            is_sender: message.is_own(),
            provider_chat_id: &chat.provider_id,
            provider_message_id: &message.provider_id,
            is_event: flag(message.is_notice(), dialect.boolean_event_flag),
            chat_pinned: 0,
            quoted: message.quoted.as_ref().map(QuoteBody::from),
            is_forwarded: message.forwarded.then_some(true),
            chat_content_type: (),
            message_type: (),
            is_group: chat.is_group(),
            folder: ["INBOX"],
            event_type: event_type(&message.content),
            reaction: None,
            reaction_sender: None,
        })
    }

    /// A receipt carries the whole message, with the receipt's own time.
    pub(super) fn receipt(&mut self, event: &'static str, at: Timestamp) {
        self.event = event;
        self.timestamp = at;
    }

    /// A deletion keeps the message's time and loses its content.
    pub(super) fn deletion(&mut self) {
        self.event = "message_deleted";
        self.message = None;
        self.attachments.clear();
        self.quoted = None;
    }

    /// A reaction taken back is an empty one: how UniPile v1 tells it is not documented, and this
    /// is what its consumers expect.
    pub(super) fn reaction(&mut self, by: &'a Person, emoji: Option<&'a str>, at: Timestamp) {
        self.event = "message_reaction";
        self.timestamp = at;
        self.reaction = Some(emoji.unwrap_or_default());
        self.reaction_sender = Some(by.into());
    }
}

impl<'a> From<&'a Quote> for QuoteBody<'a> {
    fn from(quote: &'a Quote) -> Self {
        Self {
            provider_id: &quote.provider_id,
            sender_id: &quote.sender_id,
            text: quote.text.as_deref(),
            attachments: [],
        }
    }
}

fn attendees<'a>(account: &'a Account, chat: &'a Chat) -> Vec<Attendee<'a>> {
    let owner = account.dialect.owner_among_attendees.then_some(Who::OWNER);
    owner
        .iter()
        .chain(chat.others())
        .filter_map(|who| account.people.get(who.0))
        .map(Attendee::from)
        .collect()
}

fn flag(set: bool, boolean: bool) -> Flag {
    if boolean { Flag::Boolean(set) } else { Flag::Number(set.into()) }
}

fn event_type(content: &Content) -> Option<u8> {
    match content {
        Content::Notice { event_type, .. } => Some(*event_type),
        _ => None,
    }
}
