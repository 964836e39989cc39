//! Calls about conversations.

use super::call::Call;
use super::form::Form;
use super::read::{attendee, chat, known, message, of_account, page_of_account, sync_state};
use super::{Client, route};
use crate::upstream::{
    Answer, Attendee, Chat, ChatAction, ChatQuery, ChatReference, Chats, Failure, MessageQuery,
    MessageState, Page, StartChat, Started, SyncState, UpstreamError,
};
use async_trait::async_trait;
use channel_domain::{AccountId, ChatId};
use serde_json::{Value, json};

#[async_trait]
impl Chats for Client {
    async fn chats(&self, account: &AccountId, query: &ChatQuery) -> Answer<Page<Chat>> {
        let mut call = Call::of(route::CHATS, account, &[]).naming_account();
        call = call.with("account_type", "WHATSAPP");
        if let Some(unread) = query.unread {
            call = call.with("unread", unread.to_string());
        }
        self.page(call.chats(query), |root| page_of_account(root, account, chat::chat)).await
    }

    async fn chat(&self, account: &AccountId, chat: &ChatReference) -> Answer<Chat> {
        let id = match chat {
            ChatReference::Id(id) => id.as_str(),
            ChatReference::Provider(id) => id,
        };
        let call = Call::of(route::CHAT, account, &[id]).naming_account();
        self.object(call, |root| of_account(root, account, chat::chat)).await
    }

    async fn change_chat(
        &self,
        account: &AccountId,
        chat: &ChatId,
        action: &ChatAction,
    ) -> Answer<()> {
        let call = Call::of(route::CHANGE_CHAT, account, &[chat.as_str()]);
        self.done(call.json(change(action))).await
    }

    async fn start_chat(&self, account: &AccountId, start: &StartChat) -> Answer<Started> {
        let route = route::START_CHAT;
        if start.content.is_empty() || start.people.is_empty() {
            let failure = Failure::Invalid("a chat needs a person and a text or a file");
            return Err(UpstreamError { route: route.name, failure });
        }
        let mut form = Form::new(&start.content).with("account_id", account.as_str());
        for person in &start.people {
            form = form.with("attendees_ids", person);
        }
        if let Some(subject) = &start.subject {
            form = form.with("subject", subject);
        }
        self.object(Call::of(route, account, &[]).form(form), |root| {
            Ok(Started { chat: known(root, "chat_id"), message: known(root, "message_id") })
        })
        .await
    }

    async fn sync_chat(&self, account: &AccountId, chat: &ChatId) -> Answer<SyncState> {
        let call = Call::of(route::SYNC_CHAT, account, &[chat.as_str()]);
        self.object(call, |root| Ok(sync_state(root))).await
    }

    async fn chat_attendees(&self, account: &AccountId, chat: &ChatId) -> Answer<Page<Attendee>> {
        let call = Call::of(route::CHAT_ATTENDEES, account, &[chat.as_str()]);
        self.page(call, |root| page_of_account(root, account, attendee::attendee)).await
    }

    async fn chat_messages(
        &self,
        account: &AccountId,
        chat: &ChatId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>> {
        let call = Call::of(route::CHAT_MESSAGES, account, &[chat.as_str()]).messages(query);
        self.page(call, |root| page_of_account(root, account, message::message)).await
    }
}

fn change(action: &ChatAction) -> Value {
    let (action, value) = match action {
        ChatAction::Read(on) => ("setReadStatus", json!(on)),
        ChatAction::Mute(on) => ("setMuteStatus", json!(on)),
        ChatAction::Archive(on) => ("setArchiveStatus", json!(on)),
        ChatAction::Pin(on) => ("setPinnedStatus", json!(on)),
        ChatAction::AddParticipant(person) => ("addParticipant", json!(person)),
        ChatAction::Label(label) => ("setLabel", json!(label)),
    };
    json!({ "action": action, "value": value })
}
