//! What chats and people are called: learnt from the stream, asked for when it has not told.

use std::collections::HashMap;

use channel_proto::query::v1 as pb;
use channel_proto::types::v1::{Attendee, Chat, ChatKind, Message, MessageDirection};

use crate::client::Client;

/// Names kept at most; beyond it they are learnt again.
const MOST: usize = 10_000;

/// An account's id and the id of something in it.
type Key = (String, String);

#[derive(Debug, Clone)]
struct ChatName {
    title: String,
    is_group: bool,
}

/// What chats and people are called.
pub(super) struct Names {
    client: Client,
    chats: HashMap<Key, ChatName>,
    people: HashMap<Key, String>,
}

impl Names {
    pub(super) fn new(client: Client) -> Self {
        Self { client, chats: HashMap::new(), people: HashMap::new() }
    }

    pub(super) fn learn_chat(&mut self, chat: Chat) {
        let is_group = matches!(chat.kind(), ChatKind::Group | ChatKind::Channel);
        let name = ChatName { title: chat.title, is_group };
        keep(&mut self.chats, (chat.account_id, chat.chat_id), name);
    }

    pub(super) fn learn_attendee(&mut self, attendee: Attendee) {
        let key = (attendee.account_id, attendee.attendee_id);
        keep(&mut self.people, key, attendee.display_name);
    }

    /// The name of a message's chat, and in a group of who wrote it.
    pub(super) async fn of_message(&mut self, message: &Message) -> String {
        let account = &message.account_id;
        let chat = self.chat(account, &message.chat_id).await;
        let theirs = message.direction() == MessageDirection::In;
        if !chat.is_group || !theirs || message.sender_attendee_id.is_empty() {
            return chat.title;
        }
        let sender = self.person(account, &message.sender_attendee_id).await;
        format!("{} · {sender}", chat.title)
    }

    async fn chat(&mut self, account: &str, id: &str) -> ChatName {
        let key = (account.to_owned(), id.to_owned());
        if let Some(name) = self.chats.get(&key) {
            return name.clone();
        }
        let request = pb::GetChatRequest {
            account_id: account.to_owned(),
            chat_id: id.to_owned(),
            min_as_of_seq: 0,
        };
        // A name is a courtesy: without it the id must do.
        match self.client.query().get_chat(request).await.map(|answer| answer.into_inner().chat) {
            Ok(Some(chat)) => self.learn_chat(chat),
            _ => keep(
                &mut self.chats,
                key.clone(),
                ChatName { title: id.to_owned(), is_group: false },
            ),
        }
        self.chats.get(&key).cloned().unwrap_or(ChatName { title: id.to_owned(), is_group: false })
    }

    async fn person(&mut self, account: &str, id: &str) -> String {
        let key = (account.to_owned(), id.to_owned());
        if let Some(name) = self.people.get(&key) {
            return name.clone();
        }
        let request = pb::GetAttendeeRequest {
            account_id: account.to_owned(),
            attendee_id: id.to_owned(),
            min_as_of_seq: 0,
        };
        let answer = self.client.query().get_attendee(request).await;
        if let Ok(Some(attendee)) = answer.map(|answer| answer.into_inner().attendee) {
            self.learn_attendee(attendee);
        }
        self.people.get(&key).cloned().unwrap_or_else(|| id.to_owned())
    }
}

fn keep<V>(names: &mut HashMap<Key, V>, key: Key, name: V) {
    if names.len() >= MOST {
        names.clear();
    }
    names.insert(key, name);
}
