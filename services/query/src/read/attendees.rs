//! People.

use super::{AtLeast, Found, InAccount, Queries, Target, named};
use crate::error::QueryError;
use crate::page::{AttendeePlace, Binding, Page, Paging, cut};
use channel_domain::attendee::Claim;
use channel_domain::{AccountId, AttendeeId, ChatId, search};
use channel_runtime::identity::Identity;
use channel_store::Store;
use channel_store::reads::{AccountRow, AttendeeQuery, AttendeeRow};
use channel_store::record::AttendeeRecord;
use std::sync::Arc;

/// Which people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttendeesAsk {
    /// Of these accounts; of all when empty.
    pub accounts: Vec<AccountId>,
    /// In this chat only.
    pub chat: Option<ChatId>,
    /// Whose name or number has words that begin like these.
    pub text: String,
    /// Each person once.
    pub each_once: bool,
    /// How many, from where.
    pub paging: Paging,
    /// What the answer must include.
    pub at_least: AtLeast,
}

impl AttendeesAsk {
    fn binding(&self, tenant: &str, words: &[String]) -> Binding {
        Binding::new("ListAttendees", tenant)
            .set(self.accounts.iter().map(AccountId::as_str))
            .text(self.chat.as_ref().map_or("", ChatId::as_str))
            .texts(words.iter().map(String::as_str))
            .text(if self.each_once { "once" } else { "" })
    }
}

/// A person, with the account's key.
type Row = (i64, AttendeeRow);

impl Queries {
    /// People over all accounts asked for, by account, then in the order in which they were first seen.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of a named account or the chat, a bad token, an unreached position, or the store's errors.
    pub async fn attendees(
        &self,
        caller: &Identity,
        ask: &AttendeesAsk,
    ) -> Result<Page<InAccount<AttendeeRow>>, QueryError> {
        let query = AttendeeQuery {
            chat: ask.chat.clone(),
            each_once: ask.each_once,
            words: search::query(&ask.text),
            after: None,
            limit: ask.paging.size + 1,
        };
        let binding = ask.binding(&caller.tenant, &query.words);
        let read = |bytes: Vec<u8>| AttendeePlace::from_bytes(&bytes);
        let place = self.place(&binding, &ask.paging.token, read)?;
        let accounts = self.scope(caller, &ask.accounts, &ask.at_least).await?;
        let accounts = self.narrow_to_chat(accounts, ask.chat.as_ref()).await?;
        let mut rows = self.one_by_one(&accounts, place, query).await?;
        let more = cut(&mut rows, ask.paging.size);
        let account = |key| accounts.iter().find(|account| account.key == key);
        let next = self.next(&binding, more, rows.last(), |(key, person)| {
            let account_id = account(*key).map(|account| account.record.id.clone());
            let place = AttendeePlace {
                account_id: account_id.unwrap_or_default(),
                attendee_key: person.key,
            };
            place.to_bytes()
        });
        let rows = named(&accounts, rows);
        Ok(Page { rows, next, accounts })
    }

    /// Reads account after account until there is enough.
    async fn one_by_one(
        &self,
        accounts: &[AccountRow],
        place: Option<AttendeePlace>,
        query: AttendeeQuery,
    ) -> Result<Vec<Row>, QueryError> {
        let mut rows = Vec::new();
        for account in accounts {
            let id = &account.record.id;
            let after = match &place {
                Some(place) if *id < place.account_id => continue,
                Some(place) if *id == place.account_id => Some(place.attendee_key),
                _ => None,
            };
            let limit = query.limit - rows.len();
            if limit == 0 {
                break;
            }
            let query = AttendeeQuery { after, limit, ..query.clone() };
            let found = self.store.attendees(account.key, &query).await?;
            rows.extend(found.into_iter().map(|row| (account.key, row)));
        }
        Ok(rows)
    }

    /// One person.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, several accounts that know the id, an unreached position, or the store's errors.
    pub async fn attendee(
        &self,
        caller: &Identity,
        target: &Target,
        id: &AttendeeId,
    ) -> Result<Found<AttendeeRecord>, QueryError> {
        let find = |store: Arc<dyn Store>, key| {
            let id = id.clone();
            async move { store.attendee(key, &id).await }
        };
        self.locate(caller, target, QueryError::AttendeeNotFound, find).await
    }

    /// What names a person who was found in this account.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn identifiers(
        &self,
        account: i64,
        id: &AttendeeId,
    ) -> Result<Vec<Claim>, QueryError> {
        Ok(self.store.identifiers(account, id).await?)
    }
}
