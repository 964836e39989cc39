//! Forgetting what is old.

use crate::error::sorted;
use channel_domain::Micros;
use channel_store::StoreError;
use sqlx::postgres::PgConnection;

/// Settled payloads, digests that no repetition can meet any more, and facts whose message never came. A
/// row that somebody works on is left for the next time.
const INBOX: [&str; 3] = [
    "DELETE FROM webhook_inbox WHERE id IN (SELECT id FROM webhook_inbox \
     WHERE received_at < $1 AND state IN (1, 2) ORDER BY received_at LIMIT $2 \
     FOR UPDATE SKIP LOCKED)",
    "DELETE FROM webhook_dedupe WHERE (account_key, digest) IN (SELECT account_key, digest \
     FROM webhook_dedupe WHERE first_at < $1 ORDER BY first_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM parked_facts WHERE (account_key, upstream_id, at, inbox) IN \
     (SELECT account_key, upstream_id, at, inbox FROM parked_facts WHERE at < $1 ORDER BY at \
      LIMIT $2 FOR UPDATE SKIP LOCKED)",
];

pub(crate) async fn inbox(
    connection: &mut PgConnection,
    before: Micros,
    limit: usize,
) -> Result<u64, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut gone = 0;
    for statement in INBOX {
        let query = sqlx::query(statement).bind(before.0).bind(limit);
        let done = query.execute(&mut *connection).await.map_err(sorted)?;
        gone += done.rows_affected();
    }
    Ok(gone)
}

/// Accounts whose oldest row is old, by the order in which heads are locked.
const CANDIDATES: &str = "SELECT h.account_key FROM account_head h WHERE h.head - h.floor > $1 \
    AND EXISTS (SELECT FROM change_log l WHERE l.account_key = h.account_key \
      AND l.seq = h.floor + 1 AND l.at < $2) ORDER BY h.account_key";

const LOCK: &str = "SELECT FROM account_head WHERE account_key = $1 FOR UPDATE";

/// The floor rises, in the statement that deletes the rows below it, to the last row before the first one
/// that must stay.
const LOG: &str = "WITH room AS (SELECT floor, least(head - $2, floor + $4) AS top \
        FROM account_head WHERE account_key = $1), \
      young AS (SELECT min(l.seq) AS seq FROM room, change_log l WHERE l.account_key = $1 \
        AND l.seq > room.floor AND l.seq <= room.top AND l.at >= $3), \
      cut AS (SELECT least(room.top, young.seq - 1) AS seq FROM room, young), \
      gone AS (DELETE FROM change_log l USING cut WHERE l.account_key = $1 AND l.seq <= cut.seq \
        RETURNING l.seq, l.tag), \
      last AS (SELECT seq, tag FROM gone ORDER BY seq DESC LIMIT 1) \
    UPDATE account_head h SET floor = last.seq, floor_tag = last.tag FROM last \
    WHERE h.account_key = $1 RETURNING (SELECT count(*) FROM gone)";

pub(crate) async fn log(
    connection: &mut PgConnection,
    before: Micros,
    keep: u64,
    limit: usize,
) -> Result<u64, StoreError> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let accounts: Vec<i64> = sqlx::query_scalar(CANDIDATES)
        .bind(keep)
        .bind(before.0)
        .fetch_all(&mut *connection)
        .await
        .map_err(sorted)?;
    let mut gone = 0;
    for account in accounts {
        if gone >= limit {
            break;
        }
        // A statement of its own: the next one must see the log as the last writer left it.
        let lock = sqlx::query(LOCK).bind(account);
        lock.execute(&mut *connection).await.map_err(sorted)?;
        let pruned: Option<i64> = sqlx::query_scalar(LOG)
            .bind(account)
            .bind(keep)
            .bind(before.0)
            .bind(limit - gone)
            .fetch_optional(&mut *connection)
            .await
            .map_err(sorted)?;
        gone += pruned.unwrap_or_default();
    }
    Ok(gone.cast_unsigned())
}
