//! The journal of files that are fetched.

use crate::decode::get;
use crate::error::{nonsense, sorted};
use crate::open::SqliteStore;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::media::{DueFetch, FetchEnd, FetchRow, FileId, Media};
use channel_store::rows::Owned;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

const WANTED: &str = "SELECT account_key, subject, due_at FROM work_items INDEXED BY work_items_media \
    WHERE kind = 3 ORDER BY due_at LIMIT ?";

const ENTER: &str = "INSERT INTO media_fetches (account_key, message, attachment, kind, size, state, \
      attempts, failures, next_at) \
    SELECT f.account_key, m.upstream_id, f.id, f.kind, f.size, 1, 0, 0, ?3 \
    FROM messages m CROSS JOIN attachments f ON f.account_key = m.account_key \
      AND f.message_key = m.message_key \
    WHERE m.account_key = ?1 AND m.upstream_id = ?2 AND NOT f.unavailable \
    ON CONFLICT (account_key, message, attachment) DO UPDATE SET state = 1, failures = 0, \
      reason = NULL, next_at = excluded.next_at WHERE media_fetches.state = 4";

const ENTERED: &str = "DELETE FROM work_items WHERE account_key = ? AND kind = 3 AND subject = ?";

const DUE: &str = "SELECT a.id AS account, f.* FROM media_fetches f INDEXED BY media_fetches_due \
    CROSS JOIN accounts a ON a.account_key = f.account_key \
    WHERE f.next_at IS NOT NULL AND a.connection IN (0, 1)";

const BEGIN: &str = "UPDATE media_fetches SET attempts = attempts + 1, next_at = ?5 \
    WHERE account_key = ?1 AND message = ?2 AND attachment = ?3 AND attempts = ?4 AND next_at = ?6";

const RENEW: &str = "UPDATE media_fetches SET next_at = ?5 WHERE account_key = ?1 AND message = ?2 \
    AND attachment = ?3 AND attempts = ?4 AND next_at IS NOT NULL";

const ROW: &str = "SELECT attempts, next_at IS NOT NULL AS is_open FROM media_fetches \
    WHERE account_key = ? AND message = ? AND attachment = ?";

const END: &str = "UPDATE media_fetches SET state = ?4, reason = ?5, next_at = ?6, \
      failures = failures + ?7, sha256 = ?8, thumbnail_turn = ?9 \
    WHERE account_key = ?1 AND message = ?2 AND attachment = ?3";

/// Just stored: its turn for a small picture comes before those of older programs.
const FIRST: i16 = 0;

#[async_trait]
impl Media for SqliteStore {
    async fn enter_fetches(&self, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let any = sqlx::query(WANTED).bind(1_i64).fetch_optional(&self.readers).await;
        // Mostly there is nothing to do, and the one writer is everybody's.
        if any.map_err(sorted)?.is_none() {
            return Ok(0);
        }
        self.writer.write(move |connection| Box::pin(enter(connection, limit))).await
    }

    async fn due_fetches(
        &self,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<DueFetch>, StoreError> {
        let rows = self.rows_due(DUE, but, "f.next_at", limit).await?;
        rows.iter().map(due).collect()
    }

    async fn begin_fetch(&self, due: &DueFetch, until: Micros) -> Result<bool, StoreError> {
        let due = due.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(BEGIN)
                        .bind(due.account_key)
                        .bind(due.file.message.as_str())
                        .bind(&due.file.attachment)
                        .bind(due.attempts)
                        .bind(until.0)
                        .bind(due.at.0);
                    let done = query.execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }

    async fn renew_fetch(
        &self,
        account_key: i64,
        file: &FileId,
        attempt: u32,
        until: Micros,
    ) -> Result<bool, StoreError> {
        let file = file.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(RENEW)
                        .bind(account_key)
                        .bind(file.message.as_str())
                        .bind(&file.attachment)
                        .bind(attempt)
                        .bind(until.0);
                    let done = query.execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }
}

async fn enter(connection: &mut SqliteConnection, limit: i64) -> Result<u64, StoreError> {
    let wanted = sqlx::query(WANTED).bind(limit);
    let wanted = wanted.fetch_all(&mut *connection).await.map_err(sorted)?;
    for row in &wanted {
        let (account, message): (i64, &str) = (get(row, "account_key")?, get(row, "subject")?);
        let enter = sqlx::query(ENTER).bind(account).bind(message);
        let enter = enter.bind(get::<i64>(row, "due_at")?);
        enter.execute(&mut *connection).await.map_err(sorted)?;
        let entered = sqlx::query(ENTERED).bind(account).bind(message);
        entered.execute(&mut *connection).await.map_err(sorted)?;
    }
    Ok(wanted.len() as u64)
}

fn due(row: &SqliteRow) -> Result<DueFetch, StoreError> {
    let account_key: i64 = get(row, "account_key")?;
    let kind: String = get(row, "kind")?;
    let kind = serde_json::from_value(kind.into());
    Ok(DueFetch {
        account: get::<String>(row, "account")?.into(),
        account_key,
        file: FileId {
            message: get::<String>(row, "message")?.into(),
            attachment: get(row, "attachment")?,
        },
        kind: kind.map_err(|_| nonsense("media_fetches", account_key, "kind"))?,
        size: get::<Option<i64>>(row, "size")?.map(i64::cast_unsigned),
        attempts: get(row, "attempts")?,
        failures: get(row, "failures")?,
        at: Micros(get(row, "next_at")?),
    })
}

/// Where the fetching of a file stands.
pub(crate) async fn row(
    connection: &mut SqliteConnection,
    account: i64,
    file: &FileId,
) -> Result<Option<FetchRow>, StoreError> {
    let query = sqlx::query(ROW).bind(account).bind(file.message.as_str()).bind(&file.attachment);
    let row = query.fetch_optional(connection).await.map_err(sorted)?;
    row.map(|row| Ok(FetchRow { attempts: get(&row, "attempts")?, is_open: get(&row, "is_open")? }))
        .transpose()
}

/// Writes ends of tries.
pub(crate) async fn ends(
    connection: &mut SqliteConnection,
    ends: &[Owned<FetchEnd>],
) -> Result<(), StoreError> {
    for Owned { account_key, row } in ends {
        let end = sqlx::query(END)
            .bind(account_key)
            .bind(row.file.message.as_str())
            .bind(&row.file.attachment)
            .bind(row.fetch.number())
            .bind(row.fetch.reason())
            .bind(row.next_at.map(|at| at.0))
            .bind(i64::from(row.counts))
            .bind(row.fetch.stored().map(|stored| stored.sha256.as_str()))
            .bind(row.fetch.stored().filter(|stored| stored.is_image()).map(|_| FIRST));
        end.execute(&mut *connection).await.map_err(sorted)?;
    }
    Ok(())
}
