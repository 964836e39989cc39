//! The journal of files that are fetched.

use crate::PostgresStore;
use crate::decode::get;
use crate::error::{nonsense, sorted};
use crate::store::End;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::media::{DueFetch, FetchEnd, FetchRow, FileId, Media};
use channel_store::rows::Owned;
use sqlx::postgres::{PgConnection, PgRow};

const ENTER: &str = "WITH wanted AS (DELETE FROM work_items w USING \
      (SELECT account_key, subject FROM work_items WHERE kind = 3 ORDER BY due_at LIMIT $1 \
        FOR UPDATE SKIP LOCKED) AS o \
      WHERE w.account_key = o.account_key AND w.kind = 3 AND w.subject = o.subject \
      RETURNING w.account_key, w.subject, w.due_at), \
    entered AS (INSERT INTO media_fetches (account_key, message, attachment, kind, size, state, \
        attempts, failures, next_at) \
      SELECT DISTINCT ON (f.account_key, m.upstream_id, f.id) f.account_key, m.upstream_id, f.id, \
        f.kind, f.size, 1, 0, 0, w.due_at \
      FROM wanted w JOIN messages m ON m.account_key = w.account_key AND m.upstream_id = w.subject \
        JOIN attachments f ON f.account_key = m.account_key AND f.message_key = m.message_key \
      WHERE NOT f.unavailable \
      ON CONFLICT (account_key, message, attachment) DO UPDATE SET state = 1, failures = 0, \
        reason = NULL, next_at = excluded.next_at WHERE media_fetches.state = 4) \
    SELECT count(*) FROM wanted";

const DUE: &str = "SELECT a.id AS account, f.* FROM media_fetches f \
      JOIN accounts a ON a.account_key = f.account_key \
    WHERE f.next_at IS NOT NULL AND a.connection IN (0, 1) AND a.id <> ALL($1) \
    ORDER BY f.next_at LIMIT $2";

const BEGIN: &str = "UPDATE media_fetches SET attempts = attempts + 1, next_at = $5 \
    WHERE account_key = $1 AND message = $2 AND attachment = $3 AND attempts = $4 AND next_at = $6";

const RENEW: &str = "UPDATE media_fetches SET next_at = $5 WHERE account_key = $1 AND message = $2 \
    AND attachment = $3 AND attempts = $4 AND next_at IS NOT NULL";

const ROW: &str = "SELECT attempts, next_at IS NOT NULL AS is_open FROM media_fetches \
    WHERE account_key = $1 AND message = $2 AND attachment = $3 FOR UPDATE";

const END: &str = "UPDATE media_fetches SET state = $4, reason = $5, next_at = $6, \
      failures = failures + $7, sha256 = $8, thumbnail_turn = $9 \
    WHERE account_key = $1 AND message = $2 AND attachment = $3";

/// Just stored: its turn for a small picture comes before those of older programs.
const FIRST: i16 = 0;

#[async_trait]
impl Media for PostgresStore {
    async fn enter_fetches(&self, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.transact(move |connection| {
            Box::pin(async move {
                let enter = sqlx::query_scalar::<_, i64>(ENTER).bind(limit);
                let entered = enter.fetch_one(connection).await.map_err(sorted)?;
                Ok(End::Commit(entered.cast_unsigned()))
            })
        })
        .await
    }

    async fn due_fetches(
        &self,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<DueFetch>, StoreError> {
        let but: Vec<&str> = but.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query(DUE)
            .bind(but)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        rows.iter().map(due).collect()
    }

    async fn begin_fetch(&self, due: &DueFetch, until: Micros) -> Result<bool, StoreError> {
        let due = due.clone();
        self.transact(move |connection| {
            let query = sqlx::query(BEGIN)
                .bind(due.account_key)
                .bind(due.file.message.to_string())
                .bind(due.file.attachment.clone())
                .bind(due.attempts.cast_signed())
                .bind(until.0)
                .bind(due.at.0);
            Box::pin(async move {
                let done = query.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(done.rows_affected() == 1))
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
        self.transact(move |connection| {
            let query = sqlx::query(RENEW)
                .bind(account_key)
                .bind(file.message.to_string())
                .bind(file.attachment.clone())
                .bind(attempt.cast_signed())
                .bind(until.0);
            Box::pin(async move {
                let done = query.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(done.rows_affected() == 1))
            })
        })
        .await
    }
}

fn due(row: &PgRow) -> Result<DueFetch, StoreError> {
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
        attempts: get::<i32>(row, "attempts")?.cast_unsigned(),
        failures: get::<i32>(row, "failures")?.cast_unsigned(),
        at: Micros(get(row, "next_at")?),
    })
}

/// Where the fetching of a file stands.
pub(crate) async fn row(
    connection: &mut PgConnection,
    account: i64,
    file: &FileId,
) -> Result<Option<FetchRow>, StoreError> {
    let query = sqlx::query(ROW).bind(account).bind(file.message.as_str()).bind(&file.attachment);
    let row = query.fetch_optional(connection).await.map_err(sorted)?;
    row.map(|row| {
        let attempts = get::<i32>(&row, "attempts")?.cast_unsigned();
        Ok(FetchRow { attempts, is_open: get(&row, "is_open")? })
    })
    .transpose()
}

/// Writes ends of tries; a command has one.
pub(crate) async fn ends(
    connection: &mut PgConnection,
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
            .bind(i32::from(row.counts))
            .bind(row.fetch.stored().map(|stored| stored.sha256.as_str()))
            .bind(row.fetch.stored().filter(|stored| stored.is_image()).map(|_| FIRST));
        end.execute(&mut *connection).await.map_err(sorted)?;
    }
    Ok(())
}
