//! Reading the change log.

use crate::decode::{self, get};
use crate::error::sorted;
use crate::open::SqliteStore;
use async_trait::async_trait;
use channel_store::StoreError;
use channel_store::log::{ChangeLog, Head, LogPage, LogRow, Position, Stale, Wakeups, check};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Acquire, Executor};

const ROWS_AFTER: &str = "SELECT account_key, seq, tag, body_hash, unit_end, op, entity, entity_id, \
    at, body, trace FROM change_log WHERE account_key = ? AND seq > ? ORDER BY seq LIMIT ?";

#[async_trait]
impl ChangeLog for SqliteStore {
    async fn epoch(&self) -> Result<u64, StoreError> {
        Ok(self.epoch)
    }

    async fn heads(&self, account_keys: &[i64]) -> Result<Vec<Head>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        let keys = serde_json::to_string(account_keys).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT h.* FROM json_each(?) w CROSS JOIN account_head h ON h.account_key = w.value",
        )
        .bind(keys)
        .fetch_all(&mut *connection)
        .await
        .map_err(sorted)?;
        rows.iter().map(decode::head).collect()
    }

    async fn tail(&self, after: &[(i64, u64)], limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        let mut found = Vec::new();
        for (account_key, seq) in after {
            found.extend(rows_after(&mut connection, *account_key, *seq, limit).await?);
        }
        Ok(found)
    }

    async fn resume(
        &self,
        account_key: i64,
        from: Position,
        limit: usize,
    ) -> Result<Option<Result<LogPage, Stale>>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        let mut snapshot = connection.begin().await.map_err(sorted)?;
        let page = page(&mut snapshot, account_key, from, limit).await;
        snapshot.rollback().await.map_err(sorted)?;
        page
    }

    fn wakeups(&self) -> Wakeups {
        self.listen()
    }
}

async fn page(
    snapshot: &mut SqliteConnection,
    account_key: i64,
    from: Position,
    limit: usize,
) -> Result<Option<Result<LogPage, Stale>>, StoreError> {
    let head = sqlx::query("SELECT * FROM account_head WHERE account_key = ?").bind(account_key);
    let Some(head) = snapshot.fetch_optional(head).await.map_err(sorted)? else {
        return Ok(None);
    };
    let head = decode::head(&head)?;
    let stored = sqlx::query("SELECT tag FROM change_log WHERE account_key = ? AND seq = ?")
        .bind(account_key)
        .bind(from.seq.cast_signed());
    let stored = snapshot.fetch_optional(stored).await.map_err(sorted)?;
    let stored = stored.map(|row| get(&row, "tag").map(decode::tag)).transpose()?;
    if let Some(stale) = check(&head, from, stored) {
        return Ok(Some(Err(stale)));
    }
    let rows = rows_after(snapshot, account_key, from.seq, limit).await?;
    Ok(Some(Ok(LogPage { head, rows })))
}

async fn rows_after(
    connection: &mut SqliteConnection,
    account_key: i64,
    seq: u64,
    limit: usize,
) -> Result<Vec<LogRow>, StoreError> {
    let rows = sqlx::query(ROWS_AFTER)
        .bind(account_key)
        .bind(seq.cast_signed())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(decode::log_row).collect()
}
