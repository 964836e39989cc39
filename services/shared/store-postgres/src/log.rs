//! Reading the change log.

use crate::decode::{self, get, head, log_row};
use crate::error::{nonsense, sorted};
use crate::{PostgresStore, schema};
use async_trait::async_trait;
use channel_store::StoreError;
use channel_store::log::{ChangeLog, Head, LogPage, LogRow, Position, Stale, Wakeups, check};
use const_format::concatcp;
use sqlx::postgres::PgRow;

const ROW: &str =
    "l.seq, l.tag, l.body_hash, l.unit_end, l.op, l.entity, l.entity_id, l.at, l.body, l.trace";

/// The rows of one account after a number, as a lateral query.
const TAIL: &str = concatcp!(
    "SELECT w.account_key, ",
    ROW,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w(account_key, seq) \
     CROSS JOIN LATERAL (SELECT * FROM change_log l WHERE l.account_key = w.account_key \
       AND l.seq > w.seq ORDER BY l.seq LIMIT $3) AS l ORDER BY w.account_key, l.seq"
);

/// The head, the tag where the reader is and the rows after it, all of one snapshot: a concurrent prune
/// shows as a risen floor, never as a hole.
const RESUME: &str = concatcp!(
    "SELECT h.account_key, h.head, h.head_tag, h.floor, h.floor_tag, \
       (SELECT tag FROM change_log WHERE account_key = $1 AND seq = $2) AS stored, ",
    ROW,
    " FROM account_head h LEFT JOIN LATERAL (SELECT * FROM change_log l \
       WHERE l.account_key = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3) AS l ON true \
     WHERE h.account_key = $1 ORDER BY l.seq"
);

#[async_trait]
impl ChangeLog for PostgresStore {
    async fn epoch(&self) -> Result<u64, StoreError> {
        schema::epoch(&self.readers).await
    }

    async fn heads(&self, account_keys: &[i64]) -> Result<Vec<Head>, StoreError> {
        let rows = sqlx::query(
            "SELECT account_key, head, head_tag, floor, floor_tag FROM account_head \
             WHERE account_key = ANY($1)",
        )
        .bind(account_keys)
        .fetch_all(&self.readers)
        .await
        .map_err(sorted)?;
        rows.iter().map(head).collect()
    }

    async fn tail(&self, after: &[(i64, u64)], limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let keys: Vec<i64> = after.iter().map(|(key, _)| *key).collect();
        let numbers: Vec<i64> = after.iter().map(|(_, seq)| stored(*seq)).collect();
        let rows = sqlx::query(TAIL)
            .bind(keys)
            .bind(numbers)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        rows.iter().map(log_row).collect()
    }

    async fn resume(
        &self,
        account_key: i64,
        from: Position,
        limit: usize,
    ) -> Result<Option<Result<LogPage, Stale>>, StoreError> {
        let rows = sqlx::query(RESUME)
            .bind(account_key)
            .bind(stored(from.seq))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        rows.first().map(|first| page(first, &rows, from)).transpose()
    }

    fn wakeups(&self) -> Wakeups {
        self.hints.listen()
    }
}

/// A number from a cursor, which may be any; beyond the greatest there is nothing either way.
fn stored(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn page(
    first: &PgRow,
    rows: &[PgRow],
    from: Position,
) -> Result<Result<LogPage, Stale>, StoreError> {
    let head = head(first)?;
    let tag: Option<i64> = get(first, "stored")?;
    let tag = tag
        .map(|tag| u32::try_from(tag).map_err(|_| nonsense("change_log", from.seq, "tag")))
        .transpose()?;
    if let Some(stale) = check(&head, from, tag) {
        return Ok(Err(stale));
    }
    // Without rows after it, the head stands beside an empty one.
    let filled = rows.iter().filter(|row| matches!(get::<Option<i64>>(row, "seq"), Ok(Some(_))));
    let rows = filled.map(decode::log_row).collect::<Result<_, _>>()?;
    Ok(Ok(LogPage { head, rows }))
}
