use serde::Serialize;

use super::MessageView;
use crate::webhook::Time;
use crate::world::{Account, Chat, Muted, Party, Person};

/// A conversation.
#[derive(Debug, Serialize)]
pub(crate) struct ChatView<'a> {
    object: &'static str,
    id: &'a str,
    account_id: &'a str,
    account_type: &'static str,
    provider_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendee_provider_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendee_public_identifier: Option<&'a str>,
    name: Option<&'a str>,
    #[serde(rename = "type")]
    kind: u8,
    timestamp: Option<Time>,
    unread_count: u64,
    archived: u8,
    muted_until: Until,
    read_only: u8,
    #[serde(rename = "disabledFeatures")]
    disabled_features: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    folder: [&'static str; 1],
    pinned: u8,
    /// Only where one chat is asked for; null in a chat without messages.
    #[serde(rename = "lastMessage", skip_serializing_if = "Option::is_none")]
    last_message: Option<LastMessage<'a>>,
}

#[derive(Debug, Serialize)]
struct LastMessage<'a>(Option<MessageView<'a>>);

/// −1 is for ever.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Until {
    No,
    Forever(i8),
    Time(Time),
}

impl<'a> ChatView<'a> {
    pub(crate) fn new(account: &'a Account, chat: &'a Chat) -> Self {
        let other = match chat.party {
            Party::Direct(who) => account.people.get(who.0),
            Party::Group { .. } => None,
        };
        // A name is there only for people in the address book.
        let known = other.filter(|person| person.public_identifier().is_some());
        Self {
            object: "Chat",
            id: &chat.id,
            account_id: &account.id,
            account_type: "WHATSAPP",
            provider_id: &chat.provider_id,
            attendee_provider_id: other.map(Person::provider_id),
            attendee_public_identifier: other.and_then(Person::public_identifier),
            name: chat.subject().or(known.map(|person| &*person.name)),
            kind: chat.is_group().into(),
            timestamp: chat.timeline.last_at().map(Time),
            unread_count: chat.unread,
            archived: chat.archived.into(),
            muted_until: until(chat.muted),
            read_only: chat.read_only,
            disabled_features: [],
            subject: chat.subject(),
            folder: ["INBOX"],
            pinned: chat.pinned.into(),
            last_message: None,
        }
    }

    pub(crate) fn with_last(mut self, message: Option<MessageView<'a>>) -> Self {
        self.last_message = Some(LastMessage(message.map(MessageView::without_object)));
        self
    }
}

fn until(muted: Muted) -> Until {
    match muted {
        Muted::No => Until::No,
        Muted::Forever => Until::Forever(-1),
        Muted::Until(time) => Until::Time(Time(time)),
    }
}
