//! The outbox, and messages that turned out to be others.

use super::{number, stamp};
use crate::error::sorted;
use crate::search;
use crate::sql::{Query, Rowwise};
use channel_domain::send::{Action, Job, Pacing};
use channel_store::StoreError;
use channel_store::rows::{ChatAlias, Gone, GoneChat, Held, Owned};
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

const JOBS: Rowwise = Rowwise {
    head: "INSERT INTO outbox (account_key, message_key, id, chat_key, request, hash, phase, attempts, \
           refusals, probes, next_at, expires_at, started_at, failure, rev) VALUES",
    columns: 15,
    tail: "ON CONFLICT (account_key, message_key) DO UPDATE SET chat_key = excluded.chat_key, \
           request = excluded.request, phase = excluded.phase, attempts = excluded.attempts, \
           refusals = excluded.refusals, probes = excluded.probes, next_at = excluded.next_at, \
           expires_at = excluded.expires_at, started_at = excluded.started_at, \
           failure = excluded.failure, rev = excluded.rev",
};

/// A part of a row as JSON; parts made of text and numbers can always be written so.
pub(super) fn json(part: &impl Serialize) -> Option<String> {
    serde_json::to_string(part).ok()
}

fn job<'q>(query: Query<'q>, Owned { account_key, row }: &'q Owned<Job>) -> Query<'q> {
    query
        .bind(account_key)
        .bind(row.key)
        .bind(row.id.0)
        .bind(row.chat_key)
        .bind(json(&row.request))
        .bind(&row.hash[..])
        .bind(row.phase as i16)
        .bind(row.attempts)
        .bind(row.refusals)
        .bind(row.probes)
        .bind(row.next_at.0)
        .bind(row.expires_at.0)
        .bind(row.started_at.map(|at| at.0))
        .bind(row.failure.as_ref().and_then(json))
        .bind(number(row.rev))
}

const PACING: Rowwise = Rowwise {
    head: "INSERT INTO account_pacing (account_key, state) VALUES",
    columns: 2,
    tail: "ON CONFLICT (account_key) DO UPDATE SET state = excluded.state",
};

const HOLD: Rowwise = Rowwise {
    head: "INSERT INTO held_echoes (account_key, message_key, upstream_id, at, inbox, fact) VALUES",
    columns: 6,
    tail: "ON CONFLICT DO NOTHING",
};

fn held<'q>(query: Query<'q>, Owned { account_key, row }: &'q Owned<Held>) -> Query<'q> {
    let fact = &row.fact;
    let query = query.bind(account_key).bind(row.message_key).bind(fact.message.as_str());
    stamp(query, fact.stamp).bind(json(&fact.fact))
}

const UNHOLD: Rowwise = Rowwise {
    head: "DELETE FROM held_echoes WHERE (account_key, message_key) IN (VALUES",
    columns: 2,
    tail: ")",
};

/// Writes the outbox.
pub(super) async fn write(
    c: &mut SqliteConnection,
    jobs: &[Owned<Job>],
    pacing: &[Owned<Pacing>],
    holds: &[Owned<Held>],
    unheld: &[Owned<i64>],
) -> Result<(), StoreError> {
    JOBS.execute(c, jobs, job).await?;
    PACING
        .execute(c, pacing, |query, owned| query.bind(owned.account_key).bind(json(&owned.row)))
        .await?;
    HOLD.execute(c, holds, held).await?;
    UNHOLD.execute(c, unheld, |query, owned| query.bind(owned.account_key).bind(owned.row)).await
}

const ACTIONS: Rowwise = Rowwise {
    head: "INSERT INTO actions (account_key, action_key, id, chat_key, message_key, act, before, at, \
           inbox, hash, stage, attempts, refusals, next_at, expires_at, failure) VALUES",
    columns: 16,
    tail: "ON CONFLICT (account_key, action_key) DO UPDATE SET stage = excluded.stage, \
           attempts = excluded.attempts, refusals = excluded.refusals, next_at = excluded.next_at, \
           failure = excluded.failure",
};

/// Writes actions.
pub(super) async fn actions(
    c: &mut SqliteConnection,
    rows: &[Owned<Action>],
) -> Result<(), StoreError> {
    ACTIONS
        .execute(c, rows, |query, Owned { account_key, row }| {
            let query = query.bind(account_key).bind(row.key).bind(row.id).bind(row.chat_key);
            let query = query.bind(row.message_key).bind(json(&row.act)).bind(json(&row.before));
            stamp(query, row.stamp)
                .bind(&row.hash[..])
                .bind(row.stage as i16)
                .bind(row.attempts)
                .bind(row.refusals)
                .bind(row.next_at.0)
                .bind(row.expires_at.0)
                .bind(row.failure.as_ref().and_then(json))
        })
        .await
}

const GONE: [&str; 4] = [
    "DELETE FROM messages WHERE account_key = ? AND message_key = ?",
    "DELETE FROM attachments WHERE account_key = ? AND message_key = ?",
    "DELETE FROM reactions WHERE account_key = ? AND message_key = ?",
    "DELETE FROM message_versions WHERE account_key = ? AND message_key = ?",
];

const GONE_CHATS: [&str; 4] = [
    "UPDATE messages SET chat_key = ?3 WHERE account_key = ?1 AND chat_key = ?2",
    "UPDATE outbox SET chat_key = ?3 WHERE account_key = ?1 AND chat_key = ?2",
    "UPDATE actions SET chat_key = ?3 WHERE account_key = ?1 AND chat_key = ?2",
    "UPDATE chat_aliases SET chat_key = ?3 WHERE account_key = ?1 AND chat_key = ?2",
];

const FORGET_CHATS: [&str; 3] = [
    "DELETE FROM pictures WHERE account_key = ? AND subject_key = ?",
    "DELETE FROM chat_attendees WHERE account_key = ? AND chat_key = ?",
    "DELETE FROM chats WHERE account_key = ? AND chat_key = ?",
];

/// Removes chats whose messages are another one's.
pub(super) async fn gone_chats(
    c: &mut SqliteConnection,
    rows: &[Owned<GoneChat>],
) -> Result<(), StoreError> {
    for Owned { account_key, row } in rows {
        for table in GONE_CHATS {
            let change = sqlx::query(table).bind(account_key).bind(row.chat_key).bind(row.into);
            change.execute(&mut *c).await.map_err(sorted)?;
        }
        for table in FORGET_CHATS {
            let delete = sqlx::query(table).bind(account_key).bind(row.chat_key);
            delete.execute(&mut *c).await.map_err(sorted)?;
        }
    }
    Ok(())
}

const ALIASES: Rowwise = Rowwise {
    head: "INSERT INTO chat_aliases (account_key, id, chat_key) VALUES",
    columns: 3,
    tail: "ON CONFLICT (account_key, id) DO UPDATE SET chat_key = excluded.chat_key",
};

/// Writes former ids of chats.
pub(super) async fn aliases(
    c: &mut SqliteConnection,
    rows: &[Owned<ChatAlias>],
) -> Result<(), StoreError> {
    ALIASES
        .execute(c, rows, |query, Owned { account_key, row }| {
            query.bind(account_key).bind(row.id.as_str()).bind(row.chat_key)
        })
        .await
}

/// Removes messages that turned out to be others, before those take their ids.
pub(super) async fn gone(c: &mut SqliteConnection, rows: &[Owned<Gone>]) -> Result<(), StoreError> {
    for Owned { account_key, row } in rows {
        for table in GONE {
            let delete = sqlx::query(table).bind(account_key).bind(row.message.key);
            delete.execute(&mut *c).await.map_err(sorted)?;
        }
        search::forget(c, search::id(&row.message)).await?;
    }
    Ok(())
}
