//! Calls about messages.

use super::Client;
use super::call::Call;
use super::form::Form;
use super::read::{known, message, of_account, page_of_account};
use super::route::{self, Route};
use crate::upstream::{
    Answer, Download, Failure, MessageQuery, MessageState, Messages, Page, Refusal, SendMessage,
    Sent, UpstreamError,
};
use crate::v1::wire::json::Object;
use crate::v1::wire::lenient;
use async_trait::async_trait;
use channel_domain::fact::Attachment;
use channel_domain::{AccountId, ChatId, UpstreamMessageId};
use serde_json::json;
use std::sync::atomic::Ordering;

#[async_trait]
impl Messages for Client {
    async fn messages(
        &self,
        account: &AccountId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>> {
        let call = Call::of(route::MESSAGES, account, &[]).naming_account().messages(query);
        self.page(call, |root| page_of_account(root, account, message::message)).await
    }

    async fn message(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
    ) -> Answer<MessageState> {
        let call = Call::of(route::MESSAGE, account, &[message.as_str()]);
        self.object(call, |root| of_account(root, account, message::message)).await
    }

    async fn send(&self, account: &AccountId, send: &SendMessage) -> Answer<Sent> {
        let route = route::SEND;
        if send.content.is_empty() {
            let failure = Failure::Invalid("a message needs a text or a file");
            return Err(UpstreamError { route: route.name, failure });
        }
        // UniPile refuses if the chat is another account's.
        let mut form = Form::new(&send.content).with("account_id", account.as_str());
        if let Some(quote) = &send.quote {
            form = form.with("quote_id", quote.as_str());
        }
        if let Some(typing) = send.typing {
            form = form.typing(typing);
        }
        let call = Call::of(route, account, &[send.chat.as_str()]).form(form);
        self.object(call, |root| Ok(sent(root))).await
    }

    async fn edit(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        text: &str,
    ) -> Answer<()> {
        let call = Call::of(route::EDIT, account, &[message.as_str()]);
        self.done(call.json(json!({ "text": text }))).await
    }

    async fn delete(&self, account: &AccountId, message: &UpstreamMessageId) -> Answer<()> {
        self.done(Call::of(route::DELETE, account, &[message.as_str()])).await
    }

    async fn react(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        emoji: &str,
    ) -> Answer<bool> {
        if self.plural_reactions.load(Ordering::Relaxed) {
            return self.react_at(route::REACT_PLURAL, account, message, emoji).await;
        }
        let first = self.react_at(route::REACT, account, message, emoji).await;
        if !first.as_ref().is_err_and(is_no_route) {
            return first;
        }
        let second = self.react_at(route::REACT_PLURAL, account, message, emoji).await;
        let found = second.is_ok() || second.as_ref().is_err_and(UpstreamError::is_not_found);
        self.plural_reactions.fetch_or(found, Ordering::Relaxed);
        second
    }

    async fn forward(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        to: &ChatId,
    ) -> Answer<Sent> {
        let call = Call::of(route::FORWARD, account, &[message.as_str()]);
        let call = call.json(json!({ "chat_id": to }));
        self.object(call, |root| Ok(sent(root))).await
    }

    async fn attachment(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        file: &Attachment,
    ) -> Answer<Download> {
        let route = route::ATTACHMENT;
        if file.unavailable {
            return Err(UpstreamError { route: route.name, failure: Failure::Unavailable });
        }
        self.download(Call::of(route, account, &[message.as_str(), &file.id])).await
    }
}

impl Client {
    async fn react_at(
        &self,
        route: Route,
        account: &AccountId,
        message: &UpstreamMessageId,
        emoji: &str,
    ) -> Answer<bool> {
        let call = Call::of(route, account, &[message.as_str()]);
        let call = call.json(json!({ "reaction": emoji }));
        let took = |root: &Object<'_>| root.pick(&["success"], lenient::flag).unwrap_or(true);
        match self.object(call, |root| Ok(took(root))).await {
            // The answer is not documented by UniPile itself: any success will do.
            Err(UpstreamError { failure: Failure::Unreadable { .. }, .. }) => Ok(true),
            answer => answer,
        }
    }
}

/// A 404 that UniPile itself did not write: the path does not exist.
fn is_no_route(error: &UpstreamError) -> bool {
    matches!(error.failure, Failure::Refused(Refusal { status: 404, has_problem: false, .. }))
}

/// The id may be null: it was sent all the same.
fn sent(root: &Object<'_>) -> Sent {
    Sent { message: known(root, "message_id") }
}
