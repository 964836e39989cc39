//! Loading what a batch needs: one statement for each kind of row, whatever the batch's size.

use super::column;
use crate::decode::{self, ATTENDEE, CHAT, CHAT_JOINS, MESSAGE, MESSAGE_JOINS, get, owned};
use crate::error::sorted;
use channel_domain::Micros;
use channel_domain::attendee::Attendee;
use channel_domain::chat::{Chat, UNREAD_CAP};
use channel_domain::ids::{AttendeeId, ChatId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_store::StoreError;
use channel_store::rows::{ChatsWanted, Owned};
use const_format::concatcp;
use sqlx::postgres::{PgConnection, PgRow};

/// Accounts and ids, side by side.
const BY_ID: &str = " FROM unnest($1::bigint[], $2::text[]) AS w(account_key, id) ";

const MESSAGES: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    BY_ID,
    "JOIN messages m ON m.account_key = w.account_key AND m.upstream_id = w.id",
    MESSAGE_JOINS
);

/// Loads messages by UniPile's id.
pub(super) async fn messages(
    connection: &mut PgConnection,
    wanted: &[(i64, UpstreamMessageId)],
) -> Result<Vec<Owned<Message>>, StoreError> {
    let rows = by_id(connection, MESSAGES, wanted, UpstreamMessageId::as_str).await?;
    rows.iter().map(|row| owned(row, decode::message)).collect()
}

const REACTED_TO: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w(account_key, person) \
     JOIN reactions t ON t.account_key = w.account_key AND t.actor_key = w.person \
     JOIN messages m ON m.account_key = t.account_key AND m.message_key = t.message_key",
    MESSAGE_JOINS
);

/// Loads the messages that people reacted to.
pub(super) async fn reacted_to(
    connection: &mut PgConnection,
    people: &[(i64, i64)],
) -> Result<Vec<Owned<Message>>, StoreError> {
    let rows = sqlx::query(REACTED_TO)
        .bind(column(people, |(account, _)| *account))
        .bind(column(people, |(_, person)| *person))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::message)).collect()
}

const ATTENDEES: &str = concatcp!(
    "SELECT ",
    ATTENDEE,
    BY_ID,
    "JOIN attendees a ON a.account_key = w.account_key AND a.id = w.id"
);

/// Loads people.
pub(super) async fn attendees(
    connection: &mut PgConnection,
    wanted: &[(i64, AttendeeId)],
) -> Result<Vec<Owned<Attendee>>, StoreError> {
    let rows = by_id(connection, ATTENDEES, wanted, AttendeeId::as_str).await?;
    rows.iter().map(|row| owned(row, decode::attendee)).collect()
}

async fn by_id<T>(
    connection: &mut PgConnection,
    statement: &'static str,
    wanted: &[(i64, T)],
    id: impl Fn(&T) -> &str,
) -> Result<Vec<PgRow>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(statement)
        .bind(column(wanted, |(account, _)| *account))
        .bind(column(wanted, |(_, wanted)| id(wanted)))
        .fetch_all(connection)
        .await
        .map_err(sorted)
}

/// Found by id, by key and by counterparty, each of them once.
const CHATS: &str = concatcp!(
    "SELECT ",
    CHAT,
    " FROM (",
    "SELECT c.account_key, c.chat_key FROM unnest($1::bigint[], $2::text[]) AS w(account_key, id) \
       JOIN chats c ON c.account_key = w.account_key AND c.id = w.id \
     UNION SELECT account_key, chat_key FROM unnest($3::bigint[], $4::bigint[]) \
       AS w(account_key, chat_key) \
     UNION SELECT c.account_key, c.chat_key FROM unnest($5::bigint[], $6::bigint[]) \
       AS w(account_key, person) JOIN chats c ON c.account_key = w.account_key \
       AND c.counterparty_key = w.person",
    ") AS k JOIN chats c ON c.account_key = k.account_key AND c.chat_key = k.chat_key",
    CHAT_JOINS
);

/// Loads chats.
pub(super) async fn chats(
    connection: &mut PgConnection,
    wanted: &ChatsWanted,
) -> Result<Vec<Owned<Chat>>, StoreError> {
    let ChatsWanted { ids, keys, counterparties } = wanted;
    if ids.is_empty() && keys.is_empty() && counterparties.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(CHATS)
        .bind(column(ids, |(account, _)| *account))
        .bind(column(ids, |(_, id): &(i64, ChatId)| id.as_str()))
        .bind(column(keys, |(account, _)| *account))
        .bind(column(keys, |(_, key)| *key))
        .bind(column(counterparties, |(account, _)| *account))
        .bind(column(counterparties, |(_, key)| *key))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::chat)).collect()
}

/// Walks back from the newest message to the marker. A place begins with the time of sending, its sign bit
/// flipped.
const UNREAD: &str = "SELECT w.account_key, w.chat_key, m.sent_at \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(account_key, chat_key, up_to) \
    CROSS JOIN LATERAL (SELECT m.sent_at FROM messages m \
      WHERE m.account_key = w.account_key AND m.chat_key = w.chat_key \
        AND m.place >= int8send(w.up_to # (-9223372036854775808)::bigint) \
        AND m.sent_at > w.up_to AND m.counts \
      ORDER BY m.place DESC LIMIT $4) AS m";

/// Loads the times of the newest messages of chats that are unread after a time.
pub(super) async fn unread(
    connection: &mut PgConnection,
    wanted: &[(i64, i64, Micros)],
) -> Result<Vec<(i64, i64, Micros)>, StoreError> {
    let rows = sqlx::query(UNREAD)
        .bind(column(wanted, |(account, ..)| *account))
        .bind(column(wanted, |(_, chat, _)| *chat))
        .bind(column(wanted, |(.., up_to)| up_to.0))
        .bind(i64::from(UNREAD_CAP) + 1)
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    let time =
        |row| Ok((get(row, "account_key")?, get(row, "chat_key")?, Micros(get(row, "sent_at")?)));
    rows.iter().map(time).collect()
}
