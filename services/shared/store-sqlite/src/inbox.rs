//! Stored payloads: listing, postponing, pruning.

use crate::decode::{self, get};
use crate::error::sorted;
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::{
    InboxCounts, InboxFilter, InboxOrder, Inconsistent, Listed, Outcome, Stored,
};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Decode, QueryBuilder, Row, Sqlite, Type};

const LIST: &str = "SELECT id, received_at, account, body, state, reason, detail, attempts, next_at, \
    trace FROM webhook_inbox WHERE true";

/// Says it in the very words of the index of those that need somebody.
const OPEN: &str = " AND state NOT IN (1, 2)";

pub(crate) async fn list(
    pool: &SqlitePool,
    filter: &InboxFilter,
) -> Result<Vec<Listed>, StoreError> {
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(LIST);
    named(&mut query, filter);
    states(&mut query, filter);
    bounds(&mut query, filter);
    query.push(match (filter.due_at.is_some(), filter.order) {
        (true, _) => " ORDER BY next_at, id",
        (false, InboxOrder::Newest) => " ORDER BY id DESC",
        (false, InboxOrder::Oldest) => " ORDER BY id",
    });
    query.push(" LIMIT ").push_bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
    let rows = query.build().fetch_all(pool).await.map_err(sorted)?;
    rows.iter().map(listed).collect()
}

fn named(query: &mut QueryBuilder<Sqlite>, filter: &InboxFilter) {
    if !filter.ids.is_empty() {
        query.push(" AND id IN (SELECT value FROM json_each(");
        query.push_bind(serde_json::to_string(&filter.ids).unwrap_or_default()).push("))");
    }
    if let Some(account) = &filter.account {
        query.push(" AND account = ").push_bind(account.as_str());
    }
    if let Some(reason) = &filter.reason {
        query.push(" AND reason = ").push_bind(reason);
    }
}

fn states(query: &mut QueryBuilder<Sqlite>, filter: &InboxFilter) {
    if filter.is_of_open_ones() {
        query.push(OPEN);
    }
    if filter.outcomes.is_empty() && !filter.unknown_states {
        return;
    }
    let states: Vec<i16> = filter.outcomes.iter().map(|outcome| *outcome as i16).collect();
    query.push(" AND (state IN (SELECT value FROM json_each(");
    query.push_bind(serde_json::to_string(&states).unwrap_or_default()).push("))");
    query.push(if filter.unknown_states { " OR state NOT BETWEEN 0 AND 5)" } else { ")" });
}

fn bounds(query: &mut QueryBuilder<Sqlite>, filter: &InboxFilter) {
    let bounds = [
        (" AND received_at >= ", filter.since.map(|at| at.0)),
        (" AND received_at < ", filter.until.map(|at| at.0)),
        (" AND id > ", filter.above),
        (" AND id < ", filter.below),
        (" AND state = 0 AND next_at <= ", filter.due_at.map(|at| at.0)),
    ];
    for (text, bound) in bounds {
        if let Some(bound) = bound {
            query.push(text).push_bind(bound);
        }
    }
}

fn listed(row: &SqliteRow) -> Result<Listed, StoreError> {
    let inbox: i64 = get(row, "id")?;
    Ok(stored(row, inbox).map_err(|what| Inconsistent { inbox, what }))
}

fn stored(row: &SqliteRow, inbox: i64) -> Result<Stored, &'static str> {
    Ok(Stored {
        stamp: Stamp { at: Micros(part(row, "received_at")?), inbox },
        body: part::<Vec<u8>>(row, "body")?.into(),
        outcome: Outcome::from_number(part(row, "state")?).ok_or("state")?,
        reason: part(row, "reason")?,
        detail: part(row, "detail")?,
        attempts: part(row, "attempts")?,
        next_at: part::<Option<i64>>(row, "next_at")?.map(Micros),
        account: part::<Option<String>>(row, "account")?.map(Into::into),
        trace: part(row, "trace")?,
    })
}

/// A value of a row, or the name of the column that holds none.
fn part<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, &'static str>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(|_| column)
}

pub(crate) async fn counts(pool: &SqlitePool) -> Result<InboxCounts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS n FROM webhook_inbox INDEXED BY webhook_inbox_unsettled \
         WHERE state NOT IN (1, 2) GROUP BY state",
    )
    .fetch_all(pool)
    .await
    .map_err(sorted)?;
    let mut counts = InboxCounts::default();
    for row in rows {
        let count = row.try_get::<i64, _>("n").map_err(sorted)?.cast_unsigned();
        let state = get::<i64>(&row, "state")?;
        counts.add(i16::try_from(state).ok().and_then(Outcome::from_number), count);
    }
    Ok(counts)
}

/// What is settled stays settled.
pub(crate) async fn postpone(
    c: &mut SqliteConnection,
    inbox: i64,
    again_at: Option<Micros>,
    reason: &'static str,
) -> Result<(), StoreError> {
    let state = if again_at.is_some() { Outcome::Pending } else { Outcome::Quarantined };
    sqlx::query(
        "UPDATE webhook_inbox SET state = ?, reason = ?, next_at = ?, attempts = attempts + 1 \
         WHERE id = ? AND state NOT IN (1, 2)",
    )
    .bind(state as i16)
    .bind(reason)
    .bind(again_at.map(|at| at.0))
    .bind(inbox)
    .execute(c)
    .await
    .map_err(sorted)?;
    Ok(())
}

/// Deletes settled payloads, old digests and facts whose message never came.
pub(crate) async fn prune(
    c: &mut SqliteConnection,
    before: Micros,
    limit: usize,
) -> Result<u64, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statements = [
        "DELETE FROM webhook_inbox WHERE id IN (SELECT id FROM webhook_inbox \
         WHERE received_at < ? AND state IN (1, 2) ORDER BY received_at LIMIT ?)",
        "DELETE FROM webhook_dedupe WHERE (account_key, digest) IN (SELECT account_key, digest \
         FROM webhook_dedupe WHERE first_at < ? ORDER BY first_at LIMIT ?)",
        "DELETE FROM parked_facts WHERE (account_key, upstream_id, at, inbox) IN \
         (SELECT account_key, upstream_id, at, inbox FROM parked_facts WHERE at < ? LIMIT ?)",
    ];
    let mut gone = 0;
    for statement in statements {
        let done = sqlx::query(statement).bind(before.0).bind(limit).execute(&mut *c).await;
        gone += done.map_err(sorted)?.rows_affected();
    }
    Ok(gone)
}

/// Prunes each account's log: the floor rises in the transaction that deletes the rows below it.
pub(crate) async fn prune_log(
    c: &mut SqliteConnection,
    before: Micros,
    keep: u64,
    limit: usize,
) -> Result<u64, StoreError> {
    let heads = sqlx::query("SELECT * FROM account_head WHERE head - floor > ?")
        .bind(keep.cast_signed())
        .fetch_all(&mut *c)
        .await
        .map_err(sorted)?;
    let mut left = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut gone = 0;
    for row in heads {
        let head = decode::head(&row)?;
        let last = head.head.seq.saturating_sub(keep).cast_signed();
        let last = last.min(head.floor.seq.cast_signed().saturating_add(left));
        let floor = sqlx::query(
            // The last row before the first one that is young: a replay may have written an old time later.
            "SELECT seq, tag FROM change_log WHERE account_key = ?1 AND seq <= ?2 \
               AND seq < (SELECT coalesce(min(seq), ?2 + 1) FROM change_log \
                 WHERE account_key = ?1 AND seq > ?4 AND seq <= ?2 AND at >= ?3) \
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(head.account_key)
        .bind(last)
        .bind(before.0)
        .bind(head.floor.seq.cast_signed())
        .fetch_optional(&mut *c)
        .await
        .map_err(sorted)?;
        let Some(floor) = floor else { continue };
        let (seq, tag): (i64, i64) = (get(&floor, "seq")?, get(&floor, "tag")?);
        let done = sqlx::query("DELETE FROM change_log WHERE account_key = ? AND seq <= ?")
            .bind(head.account_key)
            .bind(seq)
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
        sqlx::query("UPDATE account_head SET floor = ?, floor_tag = ? WHERE account_key = ?")
            .bind(seq)
            .bind(tag)
            .bind(head.account_key)
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
        gone += done.rows_affected();
        left -= done.rows_affected().cast_signed();
        if left <= 0 {
            break;
        }
    }
    Ok(gone)
}

/// 4 is reading the account again, after which what it missed is read.
const MISSED: &str = "INSERT INTO work_items (account_key, kind, subject, created_at, due_at) \
    SELECT account_key, 4, id, ?1, ?1 FROM accounts WHERE complete_up_to IS NOT NULL \
    ON CONFLICT (account_key, kind, subject) DO UPDATE SET created_at = excluded.created_at, \
      due_at = min(due_at, excluded.due_at), attempts = 0";

/// Leaves it to be asked what every account has missed.
pub(crate) async fn ask_for_missed(
    connection: &mut SqliteConnection,
    now: Micros,
) -> Result<u64, StoreError> {
    let asked = sqlx::query(MISSED).bind(now.0).execute(connection).await.map_err(sorted)?;
    Ok(asked.rows_affected())
}
