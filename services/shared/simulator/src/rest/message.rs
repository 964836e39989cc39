use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::attachment::AttachmentView;
use crate::webhook::Time;
use crate::world::{Account, Chat, Content, Message, Person, Quote, Receipt};

/// One message.
#[derive(Debug, Serialize)]
pub(crate) struct MessageView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    provider_id: &'a str,
    sender_id: &'a str,
    text: Option<&'a str>,
    attachments: Vec<AttachmentView<'a>>,
    id: &'a str,
    account_id: &'a str,
    chat_id: &'a str,
    chat_provider_id: &'a str,
    timestamp: Time,
    is_sender: u8,
    reactions: Vec<ReactionView<'a>>,
    seen: u8,
    seen_by: SeenBy<'a>,
    hidden: u8,
    deleted: u8,
    edited: u8,
    is_event: u8,
    delivered: u8,
    behavior: (),
    original: String,
    sender_attendee_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted: Option<QuoteView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<u8>,
}

#[derive(Debug, Serialize)]
struct ReactionView<'a> {
    value: &'a str,
    sender_id: &'a str,
    is_sender: bool,
}

#[derive(Debug, Serialize)]
struct QuoteView<'a> {
    provider_id: &'a str,
    sender_id: &'a str,
    text: Option<&'a str>,
    attachments: [(); 0],
}

/// Who read an own message: an object with a key for each.
#[derive(Debug)]
struct SeenBy<'a>(Option<&'a str>);

impl Serialize for SeenBy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.map(|reader| (reader, true)))
    }
}

impl<'a> MessageView<'a> {
    /// `number` is the message's place in the chat, which tells whether its owner has seen it.
    pub(crate) fn new(
        account: &'a Account,
        chat: &'a Chat,
        number: u64,
        message: &'a Message,
    ) -> Option<Self> {
        let sender = account.people.get(message.sender.0)?;
        let (own, gone) = (message.is_own(), message.deleted);
        let read = own && message.receipt == Receipt::Read;
        let reader = chat.others().first().and_then(|who| account.people.get(who.0));
        let reader = reader.map(Person::provider_id).filter(|_| read);
        let files = if gone { &[] } else { message.content.attachments() };
        Some(Self {
            object: Some("Message"),
            provider_id: &message.provider_id,
            sender_id: sender.provider_id(),
            text: message.content.text().filter(|text| !gone && !text.is_empty()),
            attachments: files.iter().map(AttachmentView::from).collect(),
            id: &message.id,
            account_id: &account.id,
            chat_id: &chat.id,
            chat_provider_id: &chat.provider_id,
            timestamp: Time(message.sent_at),
            is_sender: own.into(),
            reactions: reactions(account, message),
            seen: (read || !own && number < chat.seen_below).into(),
            seen_by: SeenBy(reader),
            hidden: 0,
            deleted: gone.into(),
            edited: message.edited.into(),
            is_event: message.is_notice().into(),
            delivered: (!own || message.receipt >= Receipt::Delivered).into(),
            behavior: (),
            original: original(chat, sender, message),
            sender_attendee_id: &sender.attendee_id,
            quoted: message.quoted.as_ref().filter(|_| !gone).map(QuoteView::from),
            event_type: match message.content {
                Content::Notice { event_type, .. } => Some(event_type),
                _ => None,
            },
        })
    }

    /// As it is inside of a chat.
    pub(crate) fn without_object(mut self) -> Self {
        self.object = None;
        self
    }
}

impl<'a> From<&'a Quote> for QuoteView<'a> {
    fn from(quote: &'a Quote) -> Self {
        Self {
            provider_id: &quote.provider_id,
            sender_id: &quote.sender_id,
            text: quote.text.as_deref(),
            attachments: [],
        }
    }
}

fn reactions<'a>(account: &'a Account, message: &'a Message) -> Vec<ReactionView<'a>> {
    let view = |(who, emoji): &'a (crate::world::Who, std::sync::Arc<str>)| {
        let sender_id = account.people.get(who.0)?.provider_id();
        let is_sender = *who == crate::world::Who::OWNER;
        Some(ReactionView { value: emoji, sender_id, is_sender })
    };
    message.reactions.iter().filter_map(view).collect()
}

/// The raw message of WhatsApp, as JSON in a string.
fn original(chat: &Chat, sender: &Person, message: &Message) -> String {
    let name = if message.is_own() { None } else { Some(Cow::Borrowed(sender.name.as_str())) };
    json!({
        "key": {
            "remoteJid": chat.provider_id,
            "fromMe": message.is_own(),
            "id": message.provider_id,
        },
        "pushName": name,
        "messageTimestamp": message.sent_at.as_second().to_string(),
    })
    .to_string()
}
