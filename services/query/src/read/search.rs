//! Finding messages by their words.

use super::scope::find_chat;
use super::snippet::Excerpt;
use super::{AtLeast, InAccount, Queries, named, of_each};
use crate::error::QueryError;
use crate::page::{Binding, Page, Paging, SearchPlace, cut, merged};
use channel_domain::time::Micros;
use channel_domain::{AccountId, AttendeeId, ChatId, SortKey};
use channel_runtime::identity::Identity;
use channel_store::StoreError;
use channel_store::reads::{AccountRow, SearchQuery};
use channel_store::record::MessageRecord;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How often a page is read on when too few of the hits pass the other filters.
const ROUNDS: usize = 8;
/// How many hits one reading takes at least when such filters are set.
const FILTERED: usize = 200;

/// Which messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchAsk {
    /// Words that must all begin a word of the message, from [`channel_domain::search::query`].
    pub words: Vec<String>,
    /// Of these accounts; of all when empty.
    pub accounts: Vec<AccountId>,
    /// In this chat only.
    pub chat: Option<ChatId>,
    /// From this person only.
    pub sender: Option<AttendeeId>,
    /// Written at or after this time.
    pub from: Option<Micros>,
    /// Written before this time.
    pub before: Option<Micros>,
    /// How many, from where.
    pub paging: Paging,
    /// What the answer must include.
    pub at_least: AtLeast,
}

/// A message that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The message.
    pub message: MessageRecord,
    /// Where the words stand.
    pub excerpt: Excerpt,
    /// Title of the message's chat.
    pub chat_title: String,
}

/// Messages with their accounts' keys, and where searching goes on.
struct Sought {
    rows: Vec<(i64, MessageRecord)>,
    next: Option<SearchPlace>,
}

impl SearchAsk {
    fn binding(&self, tenant: &str) -> Binding {
        Binding::new("SearchMessages", tenant)
            .texts(self.words.iter().map(String::as_str))
            .set(self.accounts.iter().map(AccountId::as_str))
            .text(self.chat.as_ref().map_or("", ChatId::as_str))
            .text(self.sender.as_ref().map_or("", AttendeeId::as_str))
            .number(self.from.map(|at| at.0))
            .number(self.before.map(|at| at.0))
    }

    /// Whether hits are left out after reading, and not by the store.
    fn is_filtered(&self) -> bool {
        self.sender.is_some()
    }

    fn passes(&self, message: &MessageRecord) -> bool {
        let shown = !message.hidden && message.deleted_at.is_none();
        let sender = self.sender.as_ref().map(AttendeeId::as_str);
        shown && (sender.is_none() || sender == message.sender.as_deref())
    }

    fn is_too_old(&self, message: &MessageRecord) -> bool {
        self.from.is_some_and(|from| message.sent_at < from.0)
    }
}

impl Queries {
    /// Messages by their words over all accounts asked for, newest first.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of a named account or the chat, a bad token, an unreached position, or the store's errors.
    pub async fn search(
        &self,
        caller: &Identity,
        ask: &SearchAsk,
    ) -> Result<Page<InAccount<Hit>>, QueryError> {
        let binding = ask.binding(&caller.tenant);
        let read = |bytes: Vec<u8>| SearchPlace::from_bytes(&bytes);
        let place = self.place(&binding, &ask.paging.token, read)?;
        let accounts = self.scope(caller, &ask.accounts, &ask.at_least).await?;
        let accounts = self.narrow_to_chat(accounts, ask.chat.as_ref()).await?;
        let sought = self.seek(&accounts, ask, place).await?;
        let next = self
            .next(&binding, sought.next.is_some(), sought.next.as_ref(), |place| place.to_bytes());
        let titles = self.titles(&sought.rows).await?;
        let hits = sought.rows.into_iter().map(|(key, message)| {
            let title = titles.get(&(key, message.chat.clone()));
            let hit = Hit {
                excerpt: Excerpt::of(message.text.as_deref().unwrap_or_default(), &ask.words),
                chat_title: title.cloned().unwrap_or_default(),
                message,
            };
            (key, hit)
        });
        let rows = named(&accounts, hits.collect());
        Ok(Page { rows, next, accounts })
    }

    async fn seek(
        &self,
        accounts: &[AccountRow],
        ask: &SearchAsk,
        from: Option<SearchPlace>,
    ) -> Result<Sought, QueryError> {
        let size = ask.paging.size;
        let limit = if ask.is_filtered() { FILTERED.max(size + 1) } else { size + 1 };
        let mut place = from;
        let mut rows = Vec::new();
        for _ in 0..ROUNDS {
            let found = self.newest(accounts, ask, place, limit).await?;
            let full = found.len() == limit;
            let young = found.iter().take_while(|(_, hit)| !ask.is_too_old(hit)).count();
            let end = !full || young < found.len();
            place = found.last().and_then(after).or(place);
            let fresh = found.into_iter().take(young).filter(|(_, hit)| ask.passes(hit));
            rows.extend(fresh);
            if cut(&mut rows, size) {
                let next = rows.last().and_then(after);
                return Ok(Sought { rows, next });
            }
            if end {
                return Ok(Sought { rows, next: None });
            }
        }
        Ok(Sought { rows, next: place })
    }

    /// The newest hits over all accounts.
    async fn newest(
        &self,
        accounts: &[AccountRow],
        ask: &SearchAsk,
        place: Option<SearchPlace>,
        limit: usize,
    ) -> Result<Vec<(i64, MessageRecord)>, QueryError> {
        let bound = ask.before.map(SortKey::first_at);
        let lists = of_each(accounts, |key| {
            let query = SearchQuery {
                words: ask.words.clone(),
                chat: ask.chat.clone(),
                before: place.map(|place| place.within(key)).or(bound),
                limit,
            };
            let store = Arc::clone(&self.store);
            async move { store.search(key, &query).await }
        });
        Ok(merged(lists.await?, |hit| hit.sort_key.clone(), limit))
    }

    /// The titles of the chats of these messages.
    async fn titles(
        &self,
        rows: &[(i64, MessageRecord)],
    ) -> Result<HashMap<(i64, String), String>, StoreError> {
        let chats: BTreeSet<_> = rows.iter().map(|(key, hit)| (*key, hit.chat.clone())).collect();
        stream::iter(chats)
            .map(|(key, chat)| {
                let found = find_chat(Arc::clone(&self.store), key, ChatId::new(chat.as_str()));
                async move { Ok(((key, chat), found.await?.map(|chat| chat.title).unwrap_or_default())) }
            })
            .buffered(super::LANES)
            .try_collect()
            .await
    }
}

fn after((account_key, message): &(i64, MessageRecord)) -> Option<SearchPlace> {
    Some(SearchPlace { order: SortKey::from_bytes(&message.sort_key)?, account_key: *account_key })
}
