//! People.

use super::{all, at_most_one, beginnings, limit};
use crate::decode;
use channel_domain::ids::{AttendeeId, ChatId};
use channel_store::StoreError;
use channel_store::reads::AttendeeQuery;
use channel_store::record::AttendeeRecord;
use const_format::concatcp;
use sqlx::postgres::{PgPool, PgRow};

const PEOPLE: &str = "SELECT a.account_key, a.attendee_key, a.id, a.is_self, a.claims::text AS claims, \
    a.picture::text AS picture, a.rev FROM attendees a ";

const OF_ACCOUNT: &str = concatcp!(
    PEOPLE,
    "WHERE a.account_key = $1 AND a.attendee_key > $2 AND a.words LIKE ALL ($3::text[]) \
     ORDER BY a.attendee_key LIMIT $4"
);
const OF_CHAT: &str = concatcp!(
    PEOPLE,
    "JOIN chat_attendees j ON j.account_key = a.account_key AND j.attendee_key = a.attendee_key \
     WHERE j.account_key = $1 AND j.attendee_key > $2 AND a.words LIKE ALL ($3::text[]) \
     AND j.chat_key = (SELECT chat_key FROM chats WHERE account_key = $1 AND id = $5) \
     AND j.left_at IS NULL ORDER BY j.attendee_key LIMIT $4"
);
const ONE: &str = concatcp!(PEOPLE, "WHERE a.account_key = $1 AND a.id = $2");

pub(super) async fn list(
    pool: &PgPool,
    account_key: i64,
    wanted: &AttendeeQuery,
) -> Result<Vec<(i64, AttendeeRecord)>, StoreError> {
    let chat = wanted.chat.as_ref().map(ChatId::as_str);
    let statement = chat.map_or(OF_ACCOUNT, |_| OF_CHAT);
    let mut query = sqlx::query(statement)
        .bind(account_key)
        .bind(wanted.after.unwrap_or(i64::MIN))
        .bind(beginnings(&wanted.words))
        .bind(limit(wanted.limit));
    if let Some(chat) = chat {
        query = query.bind(chat);
    }
    all(pool, query, keyed).await
}

pub(super) async fn one(
    pool: &PgPool,
    account_key: i64,
    id: &AttendeeId,
) -> Result<Option<AttendeeRecord>, StoreError> {
    let query = sqlx::query(ONE).bind(account_key).bind(id.as_str());
    at_most_one(pool, query, |row| Ok((&decode::attendee(row)?).into())).await
}

fn keyed(row: &PgRow) -> Result<(i64, AttendeeRecord), StoreError> {
    let attendee = decode::attendee(row)?;
    Ok((attendee.key, (&attendee).into()))
}
