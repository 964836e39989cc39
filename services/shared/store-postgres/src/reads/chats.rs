//! Chats.

use super::{all, at_most_one, beginnings, limit};
use crate::decode::{self, CHAT, CHAT_JOINS};
use channel_domain::SortKey;
use channel_domain::ids::ChatId;
use channel_store::StoreError;
use channel_store::reads::{ChatPlace, ChatQuery};
use channel_store::record::ChatRecord;
use const_format::concatcp;
use sqlx::postgres::{PgPool, PgRow};

const CHATS: &str =
    concatcp!("SELECT ", CHAT, " FROM chats c", CHAT_JOINS, "WHERE c.account_key = $1 ");

const LIST: &str = concatcp!(
    CHATS,
    "AND (c.place, c.chat_key) < ($2, $3) AND ($4::boolean IS NULL OR (c.unread > 0) = $4) \
     AND ($5::boolean IS NULL OR c.archived = $5) AND c.words LIKE ALL ($6::text[]) \
     ORDER BY c.place DESC, c.chat_key DESC LIMIT $7"
);
const ONE: &str = concatcp!(CHATS, "AND c.chat_key = ", KEY);

/// The key of a chat by its id, or one that it had.
pub(super) const KEY: &str = "coalesce( \
    (SELECT chat_key FROM chats WHERE account_key = $1 AND id = $2), \
    (SELECT chat_key FROM chat_aliases WHERE account_key = $1 AND id = $2))";

pub(super) async fn list(
    pool: &PgPool,
    account_key: i64,
    wanted: &ChatQuery,
) -> Result<Vec<(ChatPlace, ChatRecord)>, StoreError> {
    let (place, key) = wanted.after.unwrap_or((SortKey::MAX, i64::MAX));
    let query = sqlx::query(LIST)
        .bind(account_key)
        .bind(&place.as_bytes()[..])
        .bind(key)
        .bind(wanted.unread)
        .bind(wanted.archived)
        .bind(beginnings(&wanted.words))
        .bind(limit(wanted.limit));
    all(pool, query, placed).await
}

pub(super) async fn one(
    pool: &PgPool,
    account_key: i64,
    id: &ChatId,
) -> Result<Option<ChatRecord>, StoreError> {
    let query = sqlx::query(ONE).bind(account_key).bind(id.as_str());
    at_most_one(pool, query, |row| Ok((&decode::chat(row)?).into())).await
}

fn placed(row: &PgRow) -> Result<(ChatPlace, ChatRecord), StoreError> {
    let chat = decode::chat(row)?;
    Ok(((chat.order, chat.key), (&chat).into()))
}
