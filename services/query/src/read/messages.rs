//! Conversations.

use super::{Found, Queries, Target};
use crate::error::QueryError;
use crate::page::{Binding, MessagesPlace, Towards, cut};
use channel_domain::time::Micros;
use channel_domain::{ChatId, MessageId, SortKey};
use channel_runtime::identity::Identity;
use channel_store::Store;
use channel_store::reads::{AccountRow, MessageQuery};
use channel_store::record::MessageRecord;
use std::sync::Arc;

/// How often a page is read on when too few of its messages may be shown.
const ROUNDS: usize = 8;

/// From where a conversation is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// From the end that lies behind the reader.
    End,
    /// From where another page ended.
    Token(String),
    /// From a message of the chat.
    Message(MessageId),
    /// From a provider time.
    Time(Micros),
}

/// Which messages of one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesAsk {
    /// Where the chat is.
    pub target: Target,
    /// The chat.
    pub chat: ChatId,
    /// Which way to read; a token knows its own.
    pub towards: Towards,
    /// From where.
    pub point: Point,
    /// Take what lies at the point itself too.
    pub include_point: bool,
    /// Take messages that are not meant to be shown too.
    pub include_hidden: bool,
    /// Most messages in the answer.
    pub size: usize,
}

/// A part of a conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The account, as it was just before.
    pub account: AccountRow,
    /// The messages, newest first.
    pub messages: Vec<MessageRecord>,
    /// Goes on the same way; empty at the end.
    pub next: String,
    /// Goes the other way; empty when there is nothing.
    pub previous: String,
}

/// One chat being read.
struct Reader {
    store: Arc<dyn Store>,
    account_key: i64,
    chat: ChatId,
    include_hidden: bool,
}

/// Messages in the order of reading, and where reading goes on.
struct Stretch {
    messages: Vec<MessageRecord>,
    next: Option<MessagesPlace>,
}

impl Queries {
    /// Reads a conversation from a point in either direction.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of account, chat or point, a bad token, an unreached position, or the store's errors.
    pub async fn messages(
        &self,
        caller: &Identity,
        ask: &MessagesAsk,
    ) -> Result<Conversation, QueryError> {
        let chat = self.chat(caller, &ask.target, &ask.chat).await?;
        let binding = Binding::new("ListMessages", &caller.tenant)
            .text(&chat.account.record.id)
            .text(&chat.row.id)
            .flag(Some(ask.include_hidden));
        let reader = Reader {
            store: Arc::clone(&self.store),
            account_key: chat.account.key,
            chat: ChatId::new(chat.row.id),
            include_hidden: ask.include_hidden,
        };
        let from = match &ask.point {
            Point::Token(token) => {
                let read = |bytes: Vec<u8>| MessagesPlace::from_bytes(&bytes);
                let place = self.place(&binding, token, read)?;
                place.ok_or_else(QueryError::page_token)?
            }
            _ => reader.start(ask).await?,
        };
        let stretch = reader.read(from, ask.size).await?;
        let previous = reader.behind(from, &stretch).await?;
        let seal = |place: Option<MessagesPlace>| {
            place.map(|place| self.tokens.seal(&binding, &place.to_bytes())).unwrap_or_default()
        };
        let mut messages = stretch.messages;
        if from.towards == Towards::Newer {
            messages.reverse();
        }
        Ok(Conversation {
            account: chat.account,
            messages,
            next: seal(stretch.next),
            previous: seal(previous),
        })
    }

    /// One message.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, several accounts that know the id, an unreached position, or the store's errors.
    pub async fn message(
        &self,
        caller: &Identity,
        target: &Target,
        id: MessageId,
    ) -> Result<Found<MessageRecord>, QueryError> {
        let find = |store: Arc<dyn Store>, key| async move { store.message(key, &id).await };
        self.locate(caller, target, QueryError::MessageNotFound, find).await
    }
}

impl Reader {
    async fn start(&self, ask: &MessagesAsk) -> Result<MessagesPlace, QueryError> {
        let towards = ask.towards;
        let (key, inclusive) = match &ask.point {
            Point::End | Point::Token(_) => (end(towards.back()), true),
            Point::Message(id) => (self.key_of(*id).await?, ask.include_point),
            Point::Time(at) => {
                // Everything at a time lies between its first key and that of the next microsecond.
                let after = (towards == Towards::Older) == ask.include_point;
                let at = if after { Micros(at.0.saturating_add(1)) } else { *at };
                (SortKey::first_at(at), towards == Towards::Newer)
            }
        };
        Ok(MessagesPlace { towards, key, inclusive })
    }

    async fn key_of(&self, id: MessageId) -> Result<SortKey, QueryError> {
        let message = self.store.message(self.account_key, &id).await?;
        let message = message.filter(|message| message.chat == self.chat.as_str());
        message.as_ref().and_then(key).ok_or(QueryError::MessageNotFound)
    }

    async fn read(&self, from: MessagesPlace, size: usize) -> Result<Stretch, QueryError> {
        let mut messages = Vec::new();
        let mut place = from;
        for _ in 0..ROUNDS {
            let rows = self.rows(place, size + 1).await?;
            let end = rows.len() <= size;
            if let Some(last) = rows.last().and_then(key) {
                place = past(from.towards, last);
            }
            messages.extend(rows.into_iter().filter(|row| self.include_hidden || !row.hidden));
            if cut(&mut messages, size) {
                let next = messages.last().and_then(key).map(|last| past(from.towards, last));
                return Ok(Stretch { messages, next });
            }
            if end {
                return Ok(Stretch { messages, next: None });
            }
        }
        Ok(Stretch { messages, next: Some(place) })
    }

    /// Rows in the order of reading.
    async fn rows(
        &self,
        place: MessagesPlace,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, QueryError> {
        let older = place.towards == Towards::Older;
        let query = MessageQuery {
            before: older.then_some(place.key),
            after: (!older).then_some(place.key),
            inclusive: place.inclusive,
            limit,
        };
        let mut rows = self.store.messages(self.account_key, &self.chat, &query).await?;
        if !older {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Where reading the other way begins, if there is anything that way.
    async fn behind(
        &self,
        from: MessagesPlace,
        stretch: &Stretch,
    ) -> Result<Option<MessagesPlace>, QueryError> {
        let back = from.towards.back();
        if from.key == end(back) {
            return Ok(None);
        }
        let place = match stretch.messages.first().and_then(key) {
            Some(first) => past(back, first),
            None => MessagesPlace { towards: back, key: from.key, inclusive: !from.inclusive },
        };
        let any = self.read(place, 1).await?;
        let empty = any.messages.is_empty() && any.next.is_none();
        Ok((!empty).then_some(place))
    }
}

/// The last key in a direction.
const fn end(towards: Towards) -> SortKey {
    match towards {
        Towards::Older => SortKey::MIN,
        Towards::Newer => SortKey::MAX,
    }
}

const fn past(towards: Towards, key: SortKey) -> MessagesPlace {
    MessagesPlace { towards, key, inclusive: false }
}

fn key(message: &MessageRecord) -> Option<SortKey> {
    SortKey::from_bytes(&message.sort_key)
}
