//! People.

use super::{all, at_most_one, beginnings, limit};
use crate::decode::{self, ATTENDEE, get};
use channel_domain::Micros;
use channel_domain::attendee::Attendee;
use channel_domain::ids::{AttendeeId, ChatId};
use channel_store::StoreError;
use channel_store::reads::{AttendeeQuery, AttendeeRow};
use const_format::concatcp;
use sqlx::postgres::{PgPool, PgRow};

const OF_ACCOUNT: &str = concatcp!(
    "SELECT ",
    ATTENDEE,
    ", NULL::bigint AS since_at, NULL::bigint AS left_at FROM attendees a \
     WHERE a.account_key = $1 AND a.attendee_key > $2 AND a.words LIKE ALL ($3::text[]) \
     AND (NOT $5 OR coalesce(a.ties->'joined'->>'person', a.id) = a.id) \
     ORDER BY a.attendee_key LIMIT $4"
);
const OF_CHAT: &str = concatcp!(
    "SELECT ",
    ATTENDEE,
    ", j.since_at, j.left_at FROM attendees a \
     JOIN chat_attendees j ON j.account_key = a.account_key AND j.attendee_key = a.attendee_key \
     WHERE j.account_key = $1 AND j.attendee_key > $2 AND a.words LIKE ALL ($3::text[]) \
     AND (NOT $5 OR coalesce(a.ties->'joined'->>'person', a.id) = a.id) \
     AND j.chat_key = (SELECT chat_key FROM chats WHERE account_key = $1 AND id = $6) \
     ORDER BY j.attendee_key LIMIT $4"
);
const ONE: &str =
    concatcp!("SELECT ", ATTENDEE, " FROM attendees a WHERE a.account_key = $1 AND a.id = $2");

pub(super) async fn list(
    pool: &PgPool,
    account_key: i64,
    wanted: &AttendeeQuery,
) -> Result<Vec<AttendeeRow>, StoreError> {
    let chat = wanted.chat.as_ref().map(ChatId::as_str);
    let statement = chat.map_or(OF_ACCOUNT, |_| OF_CHAT);
    let mut query = sqlx::query(statement)
        .bind(account_key)
        .bind(wanted.after.unwrap_or(i64::MIN))
        .bind(beginnings(&wanted.words))
        .bind(limit(wanted.limit))
        .bind(wanted.each_once);
    if let Some(chat) = chat {
        query = query.bind(chat);
    }
    all(pool, query, in_list).await
}

pub(super) async fn one(
    pool: &PgPool,
    account_key: i64,
    id: &AttendeeId,
) -> Result<Option<Attendee>, StoreError> {
    let query = sqlx::query(ONE).bind(account_key).bind(id.as_str());
    at_most_one(pool, query, decode::attendee).await
}

fn in_list(row: &PgRow) -> Result<AttendeeRow, StoreError> {
    let attendee = decode::attendee(row)?;
    let since: Option<i64> = get(row, "since_at")?;
    let left: Option<i64> = get(row, "left_at")?;
    let member = since.map(|since| (Micros(since), left.map(Micros)));
    Ok(AttendeeRow { key: attendee.key, record: (&attendee).into(), member })
}
