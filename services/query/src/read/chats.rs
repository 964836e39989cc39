//! Chats.

use super::scope::find_chat;
use super::{AtLeast, Found, InAccount, Queries, Target, named, of_each};
use crate::error::QueryError;
use crate::page::{Binding, ChatsPlace, Page, Paging, cut, merged};
use channel_domain::{AccountId, ChatId, search};
use channel_runtime::identity::Identity;
use channel_store::reads::{ChatPlace, ChatQuery};
use channel_store::record::ChatRecord;
use std::sync::Arc;

/// Which chats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatsAsk {
    /// Of these accounts; of all when empty.
    pub accounts: Vec<AccountId>,
    /// Only with, or only without unread messages.
    pub unread: Option<bool>,
    /// Only in, or only outside of the archive.
    pub archived: Option<bool>,
    /// Whose title, subject or number has words that begin like these.
    pub text: String,
    /// How many, from where.
    pub paging: Paging,
    /// What the answer must include.
    pub at_least: AtLeast,
}

impl ChatsAsk {
    fn binding(&self, tenant: &str, words: &[String]) -> Binding {
        Binding::new("ListChats", tenant)
            .set(self.accounts.iter().map(AccountId::as_str))
            .flag(self.unread)
            .flag(self.archived)
            .texts(words.iter().map(String::as_str))
    }
}

impl Queries {
    /// Chats over all accounts asked for, the most recently active first.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of a named account, a bad token, an unreached position, or the store's errors.
    pub async fn chats(
        &self,
        caller: &Identity,
        ask: &ChatsAsk,
    ) -> Result<Page<InAccount<ChatRecord>>, QueryError> {
        let query = ChatQuery {
            unread: ask.unread,
            archived: ask.archived,
            words: search::query(&ask.text),
            after: None,
            limit: ask.paging.size + 1,
        };
        let binding = ask.binding(&caller.tenant, &query.words);
        let read = |bytes: Vec<u8>| ChatsPlace::from_bytes(&bytes);
        let place = self.place(&binding, &ask.paging.token, read)?;
        let accounts = self.scope(caller, &ask.accounts, &ask.at_least).await?;
        let lists = of_each(&accounts, |key| {
            let after = place.map(|place| place.within(key));
            self.chats_of(key, ChatQuery { after, ..query.clone() })
        });
        let mut rows = merged(lists.await?, |((order, _), _)| *order, query.limit);
        let more = cut(&mut rows, ask.paging.size);
        let next = self.next(&binding, more, rows.last(), |(account_key, (place, _))| {
            let (order, chat_key) = *place;
            let account_key = *account_key;
            ChatsPlace { order, account_key, chat_key }.to_bytes()
        });
        let rows = rows.into_iter().map(|(key, (_, chat))| (key, chat));
        let rows = named(&accounts, rows.collect());
        Ok(Page { rows, next, accounts })
    }

    fn chats_of(
        &self,
        account_key: i64,
        query: ChatQuery,
    ) -> impl Future<Output = Result<Vec<(ChatPlace, ChatRecord)>, channel_store::StoreError>> + use<>
    {
        let store = Arc::clone(&self.store);
        async move { store.chats(account_key, &query).await }
    }

    /// One chat.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, several accounts that know the id, an unreached position, or the store's errors.
    pub async fn chat(
        &self,
        caller: &Identity,
        target: &Target,
        id: &ChatId,
    ) -> Result<Found<ChatRecord>, QueryError> {
        let find = |store, key| find_chat(store, key, id.clone());
        self.locate(caller, target, QueryError::ChatNotFound, find).await
    }
}
