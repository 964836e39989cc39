//! Calls about people.

use super::call::Call;
use super::read::{Odd, attendee, chat, message, of_account, page_of_account};
use super::{Client, route};
use crate::upstream::{
    Answer, Attendee, Attendees, Chat, ChatQuery, Download, MessageQuery, MessageState, Page,
    Paging, Profile,
};
use async_trait::async_trait;
use channel_domain::{AccountId, AttendeeId};

#[async_trait]
impl Attendees for Client {
    async fn attendees(&self, account: &AccountId, paging: &Paging) -> Answer<Page<Attendee>> {
        let call = Call::of(route::ATTENDEES, account, &[]).naming_account().page(paging);
        self.page(call, |root| page_of_account(root, account, attendee::attendee)).await
    }

    async fn attendee(&self, account: &AccountId, attendee: &AttendeeId) -> Answer<Attendee> {
        let call = Call::of(route::ATTENDEE, account, &[attendee.as_str()]);
        self.object(call, |root| of_account(root, account, attendee::attendee)).await
    }

    async fn picture(&self, account: &AccountId, id: &str) -> Answer<Download> {
        self.download(Call::of(route::PICTURE, account, &[id])).await
    }

    async fn attendee_chats(
        &self,
        account: &AccountId,
        attendee: &AttendeeId,
        query: &ChatQuery,
    ) -> Answer<Page<Chat>> {
        let call = Call::of(route::ATTENDEE_CHATS, account, &[attendee.as_str()]);
        let call = call.naming_account().chats(query);
        self.page(call, |root| page_of_account(root, account, chat::chat)).await
    }

    async fn attendee_messages(
        &self,
        account: &AccountId,
        attendee: &AttendeeId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>> {
        let call = Call::of(route::ATTENDEE_MESSAGES, account, &[attendee.as_str()]);
        let unfiltered = MessageQuery { sender: None, ..query.clone() };
        let call = call.naming_account().messages(&unfiltered);
        self.page(call, |root| page_of_account(root, account, message::message)).await
    }

    async fn profile(&self, account: &AccountId, identifier: &str) -> Answer<Option<Profile>> {
        let call = Call::of(route::USER, account, &[identifier]).naming_account();
        let asked = self.object(call, |root| attendee::profile(root).ok_or(Odd::Shape("the id")));
        match asked.await {
            Ok(profile) => Ok(Some(profile)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
