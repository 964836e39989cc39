//! Everything of an account or a contact, one after the other.
//!
//! Read page by page, each page as it is when its turn comes: no snapshot is held for hours, and no more than one page
//! is in memory. Chats are read from the newest to the oldest; one that moves to the front meanwhile would be missed, so
//! those that are newer than the first one was are read once more in the end.

use super::Queries;
use crate::error::QueryError;
use channel_domain::chat::ChatKind;
use channel_domain::{AccountId, AttendeeId, ChatId, SortKey};
use channel_runtime::identity::Identity;
use channel_store::Store;
use channel_store::reads::{AccountRow, AttendeeQuery, ChatPlace, ChatQuery, MessageQuery};
use channel_store::record::{AttendeeRecord, ChatRecord, MessageRecord};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// How much is read at a time.
const PAGE: usize = 200;

/// One thing that is stored.
#[derive(Debug, Clone)]
pub enum Exported {
    /// The account.
    Account(Box<AccountRow>),
    /// A person.
    Attendee(Box<AttendeeRecord>),
    /// A chat.
    Chat(Box<ChatRecord>),
    /// A message.
    Message(Box<MessageRecord>),
    /// There is no more.
    End,
}

/// Where records go, or why there are no more.
pub type Exports = Sender<Result<Exported, QueryError>>;

/// An export that may begin.
#[derive(Clone)]
pub struct Export {
    store: Arc<dyn Store>,
    account: AccountRow,
    /// The ids of the contact; `None`: everything.
    people: Option<BTreeSet<String>>,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").finish_non_exhaustive()
    }
}

/// Why an export does not go on.
enum Stop {
    /// Nobody takes it any more.
    Left,
    /// It cannot be read.
    Failed(QueryError),
}

impl<E: Into<QueryError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Queries {
    /// Prepares an export: of the account, or of a contact of it.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of account or attendee, or the store's errors.
    pub async fn export(
        &self,
        caller: &Identity,
        id: &AccountId,
        people: Option<Vec<AttendeeId>>,
    ) -> Result<Export, QueryError> {
        let account = self.one(caller, id, 0).await?;
        let people = match people {
            Some(ids) => Some(self.under_all_ids(account.key, &ids).await?),
            None => None,
        };
        Ok(Export { store: Arc::clone(&self.store), account, people })
    }

    /// The ids of all who are the same persons as these.
    async fn under_all_ids(
        &self,
        account: i64,
        ids: &[AttendeeId],
    ) -> Result<BTreeSet<String>, QueryError> {
        let mut persons = BTreeSet::new();
        for id in ids {
            let found = self.store.attendee(account, id).await?;
            let found = found.ok_or(QueryError::AttendeeNotFound)?;
            persons.insert(found.person.unwrap_or(found.id));
        }
        let mut all = BTreeSet::new();
        let mut query = AttendeeQuery { limit: PAGE, ..AttendeeQuery::default() };
        loop {
            let page = self.store.attendees(account, &query).await?;
            let Some(last) = page.last() else { return Ok(all) };
            query.after = Some(last.key);
            let records = page.into_iter().map(|person| person.record);
            let same = records.filter(|it| persons.contains(it.person.as_ref().unwrap_or(&it.id)));
            all.extend(same.map(|it| it.id));
        }
    }
}

impl Export {
    /// Hands everything out, until the end or until nobody takes it.
    pub async fn to(self, out: Exports) {
        let last = match self.all(&out).await {
            Ok(()) => Ok(Exported::End),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Left) => return,
        };
        // Whoever left by now needs no reason.
        let _ = out.send(last).await;
    }

    async fn all(&self, out: &Exports) -> Result<(), Stop> {
        match &self.people {
            None => {
                tell(out, Exported::Account(Box::new(self.account.clone()))).await?;
                self.everybody(out).await?;
            }
            Some(people) => {
                for id in people {
                    let id = AttendeeId::new(id.as_str());
                    if let Some(person) = self.store.attendee(self.account.key, &id).await? {
                        tell(out, Exported::Attendee(Box::new(person))).await?;
                    }
                }
            }
        }
        let first = self.chats(out, None).await?;
        if first.is_some() {
            self.chats(out, first).await?;
        }
        Ok(())
    }

    async fn everybody(&self, out: &Exports) -> Result<(), Stop> {
        let mut query = AttendeeQuery { limit: PAGE, ..AttendeeQuery::default() };
        loop {
            let page = self.store.attendees(self.account.key, &query).await?;
            let Some(last) = page.last() else { return Ok(()) };
            query.after = Some(last.key);
            for person in page {
                tell(out, Exported::Attendee(Box::new(person.record))).await?;
            }
        }
    }

    /// All chats, or those before a place. Returns the place of the first one.
    async fn chats(
        &self,
        out: &Exports,
        until: Option<ChatPlace>,
    ) -> Result<Option<ChatPlace>, Stop> {
        let mut query = ChatQuery { limit: PAGE, ..ChatQuery::default() };
        let mut first = None;
        loop {
            let page = self.store.chats(self.account.key, &query).await?;
            let Some((last, _)) = page.last() else { return Ok(first) };
            query.after = Some(*last);
            first = first.or_else(|| page.first().map(|(place, _)| *place));
            for (place, chat) in page {
                if until.is_some_and(|until| place <= until) {
                    return Ok(first);
                }
                self.chat(out, chat).await?;
            }
        }
    }

    /// A chat with its messages, or what a contact wrote there.
    async fn chat(&self, out: &Exports, chat: ChatRecord) -> Result<(), Stop> {
        let id = ChatId::new(chat.id.as_str());
        let is_theirs = |id: &Option<String>| {
            let people = self.people.as_ref();
            people.is_none_or(|people| id.as_ref().is_some_and(|id| people.contains(id)))
        };
        let is_whole = is_theirs(&chat.counterparty);
        if !is_whole && chat.kind == ChatKind::Single as i32 {
            return Ok(());
        }
        if is_whole {
            tell(out, Exported::Chat(Box::new(chat))).await?;
        }
        let mut query = MessageQuery { before: None, after: None, inclusive: false, limit: PAGE };
        loop {
            let page = self.store.messages(self.account.key, &id, &query).await?;
            let Some(last) = page.last() else { return Ok(()) };
            let Some(place) = SortKey::from_bytes(&last.sort_key) else { return Ok(()) };
            query.before = Some(place);
            for message in page {
                if is_whole || is_theirs(&message.sender) {
                    tell(out, Exported::Message(Box::new(message))).await?;
                }
            }
        }
    }
}

async fn tell(out: &Exports, record: Exported) -> Result<(), Stop> {
    out.send(Ok(record)).await.map_err(|_| Stop::Left)
}
