//! Comparing what the program answers with what the simulator knows to be true.

use crate::client::Query;
use anyhow::{Result, ensure};
use channel_proto::query::v1::list_messages_request::Point;
use channel_proto::query::v1::{ListChatsRequest, ListMessagesRequest};
use channel_proto::types::v1::{Chat, Message};
use channel_simulator::{MessageModel, Model};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Everything that a client may see.
#[derive(Debug, Default)]
pub struct Shown {
    /// By chat id.
    pub chats: BTreeMap<String, Chat>,
    /// By UniPile's message id.
    pub messages: BTreeMap<String, Message>,
}

impl Shown {
    /// These.
    pub fn of(
        chats: impl IntoIterator<Item = Chat>,
        messages: impl IntoIterator<Item = Message>,
    ) -> Self {
        let chats = chats.into_iter().map(|chat| (chat.chat_id.clone(), chat));
        let messages = messages.into_iter().map(|message| (message.upstream_id.clone(), message));
        Self { chats: chats.collect(), messages: messages.collect() }
    }
}

/// Reads every chat and every message, page by page.
pub async fn everything(client: &mut Query) -> Result<Shown> {
    let (chats, mut all) = (chats(client).await?, Vec::new());
    for chat in &chats {
        all.extend(messages(client, chat).await?);
    }
    Ok(Shown::of(chats, all))
}

/// Reads every chat, in the order of the list.
pub async fn chats(client: &mut Query) -> Result<Vec<Chat>> {
    let mut chats = Vec::new();
    let mut request = ListChatsRequest { page_size: 200, ..ListChatsRequest::default() };
    loop {
        let page = client.list_chats(request.clone()).await?.into_inner();
        chats.extend(page.chats);
        if page.next_page_token.is_empty() {
            return Ok(chats);
        }
        request.page_token = page.next_page_token;
    }
}

/// Reads every message of a chat, in the order of the list.
pub async fn messages(client: &mut Query, chat: &Chat) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    let mut request = ListMessagesRequest {
        account_id: chat.account_id.clone(),
        chat_id: chat.chat_id.clone(),
        page_size: 200,
        ..ListMessagesRequest::default()
    };
    loop {
        let page = client.list_messages(request.clone()).await?.into_inner();
        messages.extend(page.messages);
        if page.next_page_token.is_empty() {
            return Ok(messages);
        }
        request.point = Some(Point::PageToken(page.next_page_token));
    }
}

/// Checks that everything the simulator knows is shown, and nothing else.
pub fn compare(model: &Model, shown: &Shown) -> Result<()> {
    ensure!(
        model.messages.len() == shown.messages.len(),
        "{} messages are true, {} are shown",
        model.messages.len(),
        shown.messages.len()
    );
    for (id, truth) in &model.messages {
        let Some(message) = shown.messages.get(id) else {
            anyhow::bail!("message {id} is not shown");
        };
        compare_message(truth, message).map_err(|error| error.context(format!("message {id}")))?;
    }
    for (id, truth) in model.chats.iter().filter(|(_, chat)| chat.messages > 0) {
        let chat = shown.chats.get(id);
        ensure!(chat.is_some(), "chat {id} is not shown");
        let last = chat.and_then(|chat| chat.last_activity_at).map(|at| at.seconds);
        let true_last = truth.last_message_at.map(Timestamp::as_second);
        ensure!(last == true_last, "chat {id} was last active at {true_last:?}, shown is {last:?}");
    }
    Ok(())
}

fn compare_message(truth: &MessageModel, shown: &Message) -> Result<()> {
    ensure!(shown.chat_id == truth.chat_id, "it is in another chat");
    ensure!(shown.sender_attendee_id == truth.sender_attendee_id, "somebody else wrote it");
    let deleted = shown.deleted_at.is_some();
    ensure!(deleted == truth.deleted, "deleted: {} is true", truth.deleted);
    if truth.deleted {
        ensure!(shown.text.is_empty(), "a deleted message shows its text");
        return Ok(());
    }
    let text = truth.text.as_deref().unwrap_or_default();
    ensure!(shown.text == text, "its text differs");
    ensure!(shown.edited_at.is_some() == truth.edited, "edited: {} is true", truth.edited);
    ensure!(shown.attachments.len() == truth.attachments.len(), "its files differ");
    let reactions: BTreeMap<_, _> =
        shown.reactions.iter().map(|r| (r.attendee_id.clone(), r.emoji.clone())).collect();
    ensure!(reactions == truth.reactions, "its reactions differ");
    Ok(())
}
