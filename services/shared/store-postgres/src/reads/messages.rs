//! Messages.

use super::{all, at_most_one, chats, limit};
use crate::decode::{self, MESSAGE, MESSAGE_JOINS};
use channel_domain::SortKey;
use channel_domain::ids::{ChatId, MessageId};
use channel_store::StoreError;
use channel_store::reads::MessageQuery;
use channel_store::record::MessageRecord;
use const_format::concatcp;
use sqlx::postgres::{PgPool, PgRow};

const MESSAGES: &str = concatcp!("SELECT ", MESSAGE, " FROM messages m", MESSAGE_JOINS);

const LIST: &str = concatcp!(
    MESSAGES,
    "WHERE m.account_key = $1 \
     AND m.chat_key = ",
    chats::KEY,
    " \
     AND m.place >= $3 AND m.place < $4 ORDER BY m.place "
);
const BACK: &str = concatcp!(LIST, "DESC LIMIT $5");
const FORTH: &str = concatcp!(LIST, "LIMIT $5");
const ONE: &str = concatcp!(MESSAGES, "WHERE m.account_key = $1 AND m.id = $2");

pub(super) async fn list(
    pool: &PgPool,
    account_key: i64,
    chat: &ChatId,
    wanted: &MessageQuery,
) -> Result<Vec<MessageRecord>, StoreError> {
    let forth = wanted.after.is_some() && wanted.before.is_none();
    let from = wanted.after.map(|place| bound(place, !wanted.inclusive));
    let to = wanted.before.unwrap_or(SortKey::MAX);
    let to = bound(to, wanted.inclusive || wanted.before.is_none());
    let query = sqlx::query(if forth { FORTH } else { BACK })
        .bind(account_key)
        .bind(chat.as_str())
        .bind(from.unwrap_or_default())
        .bind(to)
        .bind(limit(wanted.limit));
    let mut found = all(pool, query, record).await?;
    if forth {
        found.reverse();
    }
    Ok(found)
}

/// A place, or the point just after it: bytes that have it as their beginning come next.
fn bound(place: SortKey, after: bool) -> Vec<u8> {
    let mut bytes = place.as_bytes().to_vec();
    bytes.extend(after.then_some(0));
    bytes
}

pub(super) async fn one(
    pool: &PgPool,
    account_key: i64,
    id: &MessageId,
) -> Result<Option<MessageRecord>, StoreError> {
    at_most_one(pool, sqlx::query(ONE).bind(account_key).bind(id.0), record).await
}

fn record(row: &PgRow) -> Result<MessageRecord, StoreError> {
    Ok((&decode::message(row)?).into())
}
