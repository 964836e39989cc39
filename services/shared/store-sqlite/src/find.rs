//! Finding messages by their words, newest first.
//!
//! A word that many messages have costs the index dearly, because all rows with all words that begin with
//! it are gathered before the first is known; but then a look at the newest messages finds enough of them.
//! So those are looked at first, a few and then more, and only for what is rarer the index is asked.

use crate::decode::MESSAGE;
use crate::open::SqliteStore;
use crate::reads::limit;
use crate::search::{expression, first};
use channel_domain::message::ContentKind;
use channel_domain::{Micros, search};
use channel_store::StoreError;
use channel_store::reads::{MessageQuery, Reads, SearchQuery};
use channel_store::record::{MessageRecord, content_kind};
use const_format::concatcp;
use sqlx::QueryBuilder;

/// How many of the newest messages are looked at, in turn.
const LOOKS: [usize; 2] = [64, 512];

const FOUND: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    " FROM message_words w CROSS JOIN messages m ON m.search_id = w.rowid \
     CROSS JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
     LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key \
     WHERE message_words MATCH "
);

/// The newest messages that have all the words.
pub(crate) async fn find(
    store: &SqliteStore,
    account_key: i64,
    wanted: &SearchQuery,
) -> Result<Vec<MessageRecord>, StoreError> {
    if wanted.words.is_empty() {
        return Ok(Vec::new());
    }
    for look in LOOKS {
        if let Some(found) = among_newest(store, account_key, wanted, look).await? {
            return Ok(found);
        }
    }
    let mut found = by_index(store, account_key, wanted, None).await?;
    if let Some(last) = found.last()
        && found.len() == wanted.limit
    {
        // Inside a second rows come in another order than places, so the last second is read whole.
        let second = Micros(last.sent_at);
        found.extend(by_index(store, account_key, wanted, Some(second)).await?);
    }
    Ok(newest(found, wanted.limit))
}

/// The matches among the newest `look` messages; `None` when there may be more of them further back.
async fn among_newest(
    store: &SqliteStore,
    account_key: i64,
    wanted: &SearchQuery,
    look: usize,
) -> Result<Option<Vec<MessageRecord>>, StoreError> {
    let mut seen = if let Some(chat) = &wanted.chat {
        let page =
            MessageQuery { before: wanted.before, after: None, inclusive: false, limit: look };
        store.messages(account_key, chat, &page).await?
    } else {
        let all = SearchQuery { words: vec![], limit: look, ..wanted.clone() };
        by_index(store, account_key, &all, None).await?
    };
    let everything = seen.len() < look;
    if let Some(last) = seen.last().map(second).filter(|_| !everything) {
        // The rest of this second was not seen.
        seen.retain(|message| second(message) > last);
    }
    seen.retain(|message| matches(message, &wanted.words));
    let enough = everything || seen.len() >= wanted.limit;
    Ok(enough.then(|| newest(seen, wanted.limit)))
}

const fn second(message: &MessageRecord) -> i64 {
    message.sent_at.div_euclid(1_000_000)
}

/// Whether the index would find the message: each word begins one of the message's.
fn matches(message: &MessageRecord, words: &[String]) -> bool {
    if message.deleted_at.is_some() || message.kind == content_kind(ContentKind::Event) {
        return false;
    }
    let names = message.attachments.iter().filter_map(|file| file.name.as_deref());
    let texts = message.text.as_deref().into_iter().chain(names);
    let its: Vec<String> = texts.flat_map(search::words).collect();
    words.iter().all(|word| its.iter().any(|its| its.starts_with(word.as_str())))
}

fn newest(mut found: Vec<MessageRecord>, limit: usize) -> Vec<MessageRecord> {
    found.sort_by(|a, b| b.sort_key.cmp(&a.sort_key));
    found.dedup_by(|a, b| a.id == b.id);
    found.truncate(limit);
    found
}

/// Messages by their words, newest second first; `second`: all of this one. Without words: all messages.
async fn by_index(
    store: &SqliteStore,
    account_key: i64,
    wanted: &SearchQuery,
    second: Option<Micros>,
) -> Result<Vec<MessageRecord>, StoreError> {
    let next = |at: Micros| first(Micros(at.0.saturating_add(1_000_000)));
    let mut query = QueryBuilder::new(FOUND);
    query.push_bind(expression(account_key, &wanted.words));
    query.push(" AND m.account_key = ").push_bind(account_key);
    if let Some(before) = &wanted.before {
        // The row id is coarser than the place, so it only narrows.
        query.push(" AND w.rowid < ").push_bind(next(before.sent_at()));
        query.push(" AND m.place < ").push_bind(before.as_bytes().to_vec());
    }
    if let Some(chat) = &wanted.chat {
        query.push(" AND c.id = ").push_bind(chat.as_str().to_owned());
    }
    if let Some(second) = second {
        query.push(" AND w.rowid >= ").push_bind(first(second));
        query.push(" AND w.rowid < ").push_bind(next(second));
    }
    query.push(" AND m.deleted_at IS NULL ORDER BY w.rowid DESC");
    limit(&mut query, if second.is_some() { usize::MAX } else { wanted.limit });
    store.message_records(query).await
}
