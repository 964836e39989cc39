//! The outbox: loading it under the account's lock, and writing it.

use super::messages::KeyRow;
use super::sent::row_sent;
use super::together::Together;
use super::{column, json, load, tried};
use crate::decode::{self, JOB, MESSAGE, MESSAGE_JOINS, get, owned};
use crate::error::sorted;
use channel_domain::ids::{ChatId, MessageId};
use channel_domain::message::Message;
use channel_domain::send::{Ahead, Job, Pacing};
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::rows::{Desk, Held, JobsWanted, Owned, Parked};
use const_format::concatcp;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

const JOBS_BY_ID: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM unnest($1::bigint[], $2::uuid[]) AS w(account_key, id) \
     JOIN outbox o ON o.account_key = w.account_key AND o.id = w.id \
     JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key"
);

const JOBS_OF_CHATS: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM unnest($1::bigint[], $2::text[]) AS w(account_key, id) \
     JOIN chats c ON c.account_key = w.account_key AND c.id = w.id \
     JOIN outbox o ON o.account_key = c.account_key AND o.chat_key = c.chat_key \
       AND o.phase IN (2, 3, 5, 6)"
);

const STARTS: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM outbox o JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key \
     WHERE o.account_key = ANY($1::bigint[]) AND o.phase IN (2, 3, 5, 6) \
       AND o.request->>'what' = 'start'"
);

const ALL_OF_CHATS: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w(account_key, chat_key) \
     JOIN chats c ON c.account_key = w.account_key AND c.chat_key = w.chat_key \
     JOIN outbox o ON o.account_key = c.account_key AND o.chat_key = c.chat_key"
);

/// Loads messages of the outbox.
pub(super) async fn jobs(
    connection: &mut PgConnection,
    wanted: &JobsWanted,
) -> Result<Vec<Owned<Job>>, StoreError> {
    let JobsWanted { ids, chats, starts, all_of } = wanted;
    let mut rows = Vec::new();
    if !ids.is_empty() {
        let query = sqlx::query(JOBS_BY_ID)
            .bind(column(ids, |(account, _)| *account))
            .bind(column(ids, |(_, id): &(i64, MessageId)| id.0));
        rows.extend(query.fetch_all(&mut *connection).await.map_err(sorted)?);
    }
    if !chats.is_empty() {
        let query = sqlx::query(JOBS_OF_CHATS)
            .bind(column(chats, |(account, _)| *account))
            .bind(column(chats, |(_, id): &(i64, ChatId)| id.as_str()));
        rows.extend(query.fetch_all(&mut *connection).await.map_err(sorted)?);
    }
    if !starts.is_empty() {
        let query = sqlx::query(STARTS).bind(starts);
        rows.extend(query.fetch_all(&mut *connection).await.map_err(sorted)?);
    }
    if !all_of.is_empty() {
        let query = sqlx::query(ALL_OF_CHATS)
            .bind(column(all_of, |(account, _)| *account))
            .bind(column(all_of, |(_, chat)| *chat));
        rows.extend(query.fetch_all(connection).await.map_err(sorted)?);
    }
    rows.iter().map(|row| owned(row, decode::job)).collect()
}

const MESSAGES_BY_ID: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    " FROM unnest($1::bigint[], $2::uuid[]) AS w(account_key, id) \
     JOIN messages m ON m.account_key = w.account_key AND m.id = w.id",
    MESSAGE_JOINS
);

/// Loads messages by their public ids.
pub(super) async fn messages(
    connection: &mut PgConnection,
    wanted: &[(i64, MessageId)],
) -> Result<Vec<Owned<Message>>, StoreError> {
    let rows = sqlx::query(MESSAGES_BY_ID)
        .bind(column(wanted, |(account, _)| *account))
        .bind(column(wanted, |(_, id)| id.0))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::message)).collect()
}

/// Loads the own messages that wait for a message's request to end.
pub(super) async fn held(
    connection: &mut PgConnection,
    account: i64,
    message_key: i64,
) -> Result<Vec<Held>, StoreError> {
    let rows = sqlx::query(
        "SELECT upstream_id, at, inbox, fact::text AS fact FROM held_echoes \
         WHERE account_key = $1 AND message_key = $2",
    )
    .bind(account)
    .bind(message_key)
    .fetch_all(connection)
    .await
    .map_err(sorted)?;
    let held = |row| {
        let inbox = get(row, "inbox")?;
        let fact = Parked {
            account_key: account,
            message: get::<String>(row, "upstream_id")?.into(),
            stamp: Stamp { at: Micros(get(row, "at")?), inbox },
            fact: decode::json("held_echoes", inbox, get(row, "fact")?)?,
        };
        Ok(Held { message_key, fact })
    };
    rows.iter().map(held).collect()
}

const DESK: &str = "SELECT \
      (SELECT a.id FROM attendees a WHERE a.account_key = $1 AND a.is_self \
        ORDER BY a.attendee_key LIMIT 1) AS owner, \
      (SELECT count(*) FROM outbox o WHERE o.account_key = $1 AND o.phase IN (1, 2, 3)) AS waiting, \
      (SELECT count(*) FROM outbox o WHERE o.account_key = $1 AND o.phase IN (1, 2, 3, 5, 6) \
        AND o.phase = 1 AND o.request->>'what' = 'start') AS starting";

/// Loads what taking a command needs to know of its account.
pub(super) async fn desk(connection: &mut PgConnection, account: i64) -> Result<Desk, StoreError> {
    let row = sqlx::query(DESK).bind(account).fetch_one(&mut *connection).await.map_err(sorted)?;
    let count = |name| Ok(u32::try_from(get::<i64>(&row, name)?).unwrap_or(u32::MAX));
    let waiting = Ahead { messages: count("waiting")?, starts: count("starting")? };
    let pacing = pacing(connection, account).await?;
    let mut owner = None;
    if let Some(id) = get::<Option<String>>(&row, "owner")? {
        let known = load::attendees(connection, &[(account, id.into())]).await?;
        owner = known.into_iter().next().map(|owner| owner.row);
    }
    Ok(Desk { owner, waiting, pacing })
}

/// Loads how fast an account may send.
pub(super) async fn pacing(
    connection: &mut PgConnection,
    account: i64,
) -> Result<Pacing, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state::text FROM account_pacing WHERE account_key = $1")
            .bind(account)
            .fetch_optional(connection)
            .await
            .map_err(sorted)?;
    let pacing = state.map(|text| decode::json("account_pacing", account, &text));
    Ok(pacing.transpose()?.unwrap_or_default())
}

const JOBS: &str = "INSERT INTO outbox (account_key, message_key, id, chat_key, request, hash, phase, \
      attempts, refusals, probes, next_at, expires_at, started_at, failure, rev) \
    SELECT account_key, message_key, id, chat_key, request::jsonb, hash, phase, attempts, refusals, \
      probes, next_at, expires_at, started_at, failure::jsonb, rev FROM unnest($1::outbox_row[]) \
    ON CONFLICT (account_key, message_key) DO UPDATE SET chat_key = excluded.chat_key, \
      request = excluded.request, phase = excluded.phase, attempts = excluded.attempts, \
      refusals = excluded.refusals, probes = excluded.probes, next_at = excluded.next_at, \
      expires_at = excluded.expires_at, started_at = excluded.started_at, \
      failure = excluded.failure, rev = excluded.rev";

row_sent!(
    "outbox_row",
    struct JobRow<'r> {
        account_key: i64,
        message_key: i64,
        id: Uuid,
        chat_key: i64,
        request: String,
        hash: &'r [u8],
        phase: i16,
        attempts: i32,
        refusals: i32,
        probes: i32,
        next_at: i64,
        expires_at: i64,
        started_at: Option<i64>,
        failure: Option<String>,
        rev: i64,
    }
);

impl<'r> TryFrom<&'r Owned<Job>> for JobRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<Job>) -> Result<Self, StoreError> {
        Ok(Self {
            account_key: *account_key,
            message_key: row.key,
            id: row.id.0,
            chat_key: row.chat_key,
            request: json(&row.request)?,
            hash: &row.hash,
            phase: row.phase as i16,
            attempts: row.attempts.cast_signed(),
            refusals: row.refusals.cast_signed(),
            probes: row.probes.cast_signed(),
            next_at: row.next_at.0,
            expires_at: row.expires_at.0,
            started_at: row.started_at.map(|at| at.0),
            failure: row.failure.as_ref().map(json).transpose()?,
            rev: row.rev.cast_signed(),
        })
    }
}

const PACING: &str = "INSERT INTO account_pacing (account_key, state) \
    SELECT account_key, state::jsonb FROM unnest($1::account_pacing_row[]) \
    ON CONFLICT (account_key) DO UPDATE SET state = excluded.state";

row_sent!(
    "account_pacing_row",
    struct PacingRow {
        account_key: i64,
        state: String,
    }
);

impl TryFrom<&Owned<Pacing>> for PacingRow {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &Owned<Pacing>) -> Result<Self, StoreError> {
        Ok(Self { account_key: *account_key, state: json(row)? })
    }
}

const HOLD: &str = "INSERT INTO held_echoes (account_key, message_key, upstream_id, at, inbox, fact) \
    SELECT account_key, message_key, upstream_id, at, inbox, fact::jsonb \
    FROM unnest($1::held_echo_row[]) ON CONFLICT DO NOTHING";

row_sent!(
    "held_echo_row",
    struct HeldRow<'r> {
        account_key: i64,
        message_key: i64,
        upstream_id: &'r str,
        at: i64,
        inbox: i64,
        fact: String,
    }
);

impl<'r> TryFrom<&'r Owned<Held>> for HeldRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<Held>) -> Result<Self, StoreError> {
        Ok(Self {
            account_key: *account_key,
            message_key: row.message_key,
            upstream_id: row.fact.message.as_str(),
            at: row.fact.stamp.at.0,
            inbox: row.fact.stamp.inbox,
            fact: json(&row.fact.fact)?,
        })
    }
}

const UNHOLD: &str = "DELETE FROM held_echoes h USING unnest($1::key_row[]) AS w \
    WHERE h.account_key = w.account_key AND h.message_key = w.message_key";

/// Writes the outbox.
pub(super) fn write(
    together: &mut Together,
    jobs: &[Owned<Job>],
    pacing: &[Owned<Pacing>],
    held: &[Owned<Held>],
    unheld: &[Owned<i64>],
) -> Result<(), StoreError> {
    together.part(JOBS, tried::<_, JobRow<'_>>(jobs)?);
    together.part(PACING, tried::<_, PacingRow>(pacing)?);
    together.part(HOLD, tried::<_, HeldRow<'_>>(held)?);
    let ended = unheld.iter().map(|ended| KeyRow::new(ended.account_key, ended.row));
    together.part(UNHOLD, ended);
    Ok(())
}
