//! The final truth, for tests that compare it with what a receiver has stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Account, AccountStatus, Chat, Message, MessageKey, Party, Receipt, Who, World};

/// What every message, chat and account looks like after all that has happened, whatever the
/// order in which the webhooks arrive.
///
/// Holds everything that the world still keeps (`messages_kept_per_chat`). Without
/// `commutative` in the configuration an account's status, a twice edited text, a replaced
/// reaction and a group's members depend on the order of arrival; here they are as last emitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// By account id.
    pub accounts: BTreeMap<String, AccountModel>,
    /// By chat id.
    pub chats: BTreeMap<String, ChatModel>,
    /// By message id.
    pub messages: BTreeMap<String, MessageModel>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountModel {
    /// The owner's name.
    pub name: String,
    /// The owner's number with `+`.
    pub phone_number: String,
    /// The owner's attendee id.
    pub owner_attendee_id: String,
    /// As last reported.
    pub status: AccountStatus,
}

/// One chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatModel {
    /// The account that the chat belongs to.
    pub account_id: String,
    /// WhatsApp's id of the chat.
    pub provider_id: String,
    /// Whether it is a group.
    pub is_group: bool,
    /// The contact's name, or the group's subject.
    pub name: String,
    /// Attendee ids of everybody but the owner.
    pub participants: BTreeSet<String>,
    /// The message emitted last. WhatsApp's times are whole seconds, so that under load several
    /// messages share the newest one.
    pub last_message_id: Option<String>,
    /// When the last message was sent.
    pub last_message_at: Option<Timestamp>,
    /// Messages kept, deleted ones and notices included.
    pub messages: usize,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageModel {
    /// The account that has the message.
    pub account_id: String,
    /// The chat that it is in.
    pub chat_id: String,
    /// WhatsApp's id of the message.
    pub provider_message_id: String,
    /// Place in which the world posted it, over all chats, from 1; 0 for what was there before.
    pub order: u64,
    /// Attendee id of the sender.
    pub sender_attendee_id: String,
    /// Whether the account's owner sent it.
    pub is_sender: bool,
    /// Text, caption or notice, with edits applied. What a deleted message said last.
    pub text: Option<String>,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it was deleted for everyone. Such a message has no reactions.
    pub deleted: bool,
    /// How far it has come.
    pub status: Receipt,
    /// The emoji by the reacting person's attendee id.
    pub reactions: BTreeMap<String, String>,
    /// Attachment ids.
    pub attachments: Vec<String>,
    /// UniPile's number of the kind of notice, for notices.
    pub event_type: Option<u8>,
    /// WhatsApp's id of the message replied to.
    pub quoted_provider_id: Option<String>,
    /// When it was sent.
    pub timestamp: Timestamp,
}

impl World {
    /// The truth as it is now.
    pub(crate) fn model(&self) -> Model {
        let mut model =
            Model { accounts: BTreeMap::new(), chats: BTreeMap::new(), messages: BTreeMap::new() };
        for account in &self.accounts {
            model.accounts.insert(account.id.to_string(), account_model(account));
        }
        for chat in &self.chats {
            let Some(account) = self.account(chat.account) else {
                continue;
            };
            model.chats.insert(chat.id.to_string(), chat_model(account, chat));
            for message in chat.timeline.iter() {
                let entry = message_model(account, chat, &message);
                model.messages.insert(message.id.to_string(), entry);
            }
        }
        model
    }
}

impl World {
    /// The truth about one message.
    pub(crate) fn message_model(&self, key: MessageKey) -> Option<MessageModel> {
        let chat = self.chat(key.chat)?;
        Some(message_model(self.account(chat.account)?, chat, &*self.read(key)?))
    }
}

fn attendee_id(account: &Account, who: Who) -> String {
    account.people.get(who.0).map(|person| person.attendee_id.to_string()).unwrap_or_default()
}

fn account_model(account: &Account) -> AccountModel {
    let owner = account.owner();
    AccountModel {
        name: owner.map(|owner| owner.name.clone()).unwrap_or_default(),
        phone_number: owner.and_then(|o| o.phone_number()).unwrap_or_default().to_owned(),
        owner_attendee_id: attendee_id(account, Who::OWNER),
        status: account.status,
    }
}

fn chat_model(account: &Account, chat: &Chat) -> ChatModel {
    let name = match &chat.party {
        Party::Direct(who) => account.people.get(who.0).map(|person| person.name.clone()),
        Party::Group { subject, .. } => Some(subject.clone()),
    };
    let last = chat.timeline.last();
    ChatModel {
        account_id: account.id.to_string(),
        provider_id: chat.provider_id.clone(),
        is_group: chat.is_group(),
        name: name.unwrap_or_default(),
        participants: chat.others().iter().map(|&who| attendee_id(account, who)).collect(),
        last_message_id: last.as_ref().map(|message| message.id.to_string()),
        last_message_at: last.as_ref().map(|message| message.sent_at),
        messages: chat.timeline.len(),
    }
}

fn message_model(account: &Account, chat: &Chat, message: &Message) -> MessageModel {
    let reaction =
        |(who, emoji): &(Who, std::sync::Arc<str>)| (attendee_id(account, *who), emoji.to_string());
    MessageModel {
        account_id: account.id.to_string(),
        chat_id: chat.id.to_string(),
        provider_message_id: message.provider_id.clone(),
        order: message.order,
        sender_attendee_id: attendee_id(account, message.sender),
        is_sender: message.is_own(),
        text: message.content.text().map(str::to_owned),
        edited: message.edited,
        deleted: message.deleted,
        status: message.receipt,
        reactions: message.reactions.iter().map(reaction).collect(),
        attachments: message.content.attachments().iter().map(|a| a.id.to_string()).collect(),
        event_type: match message.content {
            super::Content::Notice { event_type, .. } => Some(event_type),
            _ => None,
        },
        quoted_provider_id: message.quoted.as_ref().map(|quote| quote.provider_id.clone()),
        timestamp: message.sent_at,
    }
}
