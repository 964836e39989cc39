//! Stored payloads: listing, postponing, pruning.

use crate::decode::{self, get};
use crate::error::{nonsense, sorted};
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::{InboxCounts, InboxFilter, Outcome, Stored};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

pub(crate) async fn list(
    pool: &SqlitePool,
    filter: &InboxFilter,
) -> Result<Vec<Stored>, StoreError> {
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
        "SELECT id, received_at, account, body, state, reason, detail, attempts, trace \
         FROM webhook_inbox WHERE true",
    );
    if !filter.ids.is_empty() {
        query.push(" AND id IN (SELECT value FROM json_each(");
        query.push_bind(serde_json::to_string(&filter.ids).unwrap_or_default()).push("))");
    }
    if !filter.outcomes.is_empty() {
        let states: Vec<i16> = filter.outcomes.iter().map(|outcome| *outcome as i16).collect();
        query.push(" AND state IN (SELECT value FROM json_each(");
        query.push_bind(serde_json::to_string(&states).unwrap_or_default()).push("))");
    }
    if let Some(since) = filter.since {
        query.push(" AND received_at >= ").push_bind(since.0);
    }
    if let Some(until) = filter.until {
        query.push(" AND received_at < ").push_bind(until.0);
    }
    if let Some(below) = filter.below {
        query.push(" AND id < ").push_bind(below);
    }
    match filter.due_at {
        Some(now) => {
            query.push(" AND state = 0 AND next_at <= ").push_bind(now.0);
            query.push(" ORDER BY next_at, id");
        }
        None => {
            query.push(" ORDER BY id DESC");
        }
    }
    query.push(" LIMIT ").push_bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
    let rows = query.build().fetch_all(pool).await.map_err(sorted)?;
    rows.iter().map(stored).collect()
}

fn stored(row: &SqliteRow) -> Result<Stored, StoreError> {
    let inbox: i64 = get(row, "id")?;
    let outcome = Outcome::from_number(get(row, "state")?);
    Ok(Stored {
        stamp: Stamp { at: Micros(get(row, "received_at")?), inbox },
        body: get::<Vec<u8>>(row, "body")?.into(),
        outcome: outcome.ok_or_else(|| nonsense("webhook_inbox", inbox, "state"))?,
        reason: get(row, "reason")?,
        detail: get(row, "detail")?,
        attempts: get(row, "attempts")?,
        account: get::<Option<String>>(row, "account")?.map(Into::into),
        trace: get(row, "trace")?,
    })
}

pub(crate) async fn counts(pool: &SqlitePool) -> Result<InboxCounts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS n FROM webhook_inbox INDEXED BY webhook_inbox_waiting \
         WHERE state IN (0, 3, 4) GROUP BY state",
    )
    .fetch_all(pool)
    .await
    .map_err(sorted)?;
    let mut counts = InboxCounts::default();
    for row in rows {
        let count = row.try_get::<i64, _>("n").map_err(sorted)?.cast_unsigned();
        match Outcome::from_number(get(&row, "state")?) {
            Some(Outcome::Pending) => counts.pending = count,
            Some(Outcome::Quarantined) => counts.quarantined = count,
            Some(Outcome::Held) => counts.held = count,
            _ => {}
        }
    }
    Ok(counts)
}

pub(crate) async fn postpone(
    c: &mut SqliteConnection,
    inbox: i64,
    again_at: Option<Micros>,
    reason: &'static str,
) -> Result<(), StoreError> {
    let state = if again_at.is_some() { Outcome::Pending } else { Outcome::Quarantined };
    sqlx::query(
        "UPDATE webhook_inbox SET state = ?, reason = ?, next_at = ?, attempts = attempts + 1 \
         WHERE id = ?",
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
            "SELECT seq, tag FROM change_log WHERE account_key = ? AND seq <= ? AND at < ? \
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(head.account_key)
        .bind(last)
        .bind(before.0)
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
