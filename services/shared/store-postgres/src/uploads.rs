//! Files to be sent.

use crate::PostgresStore;
use crate::decode::get;
use crate::error::{nonsense, sorted};
use crate::store::End;
use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::Micros;
use channel_store::StoreError;
use channel_store::uploads::{Upload, Uploads};
use sqlx::postgres::PgRow;
use uuid::Uuid;

const BEGIN: &str = "INSERT INTO uploads (account_key, id, name, mime, kind, size, is_complete, expires_at) \
    VALUES ($1, $2, '', '', '', 0, false, $3) ON CONFLICT DO NOTHING";
const PIECE: &str =
    "INSERT INTO upload_chunks (account_key, id, position, bytes) VALUES ($1, $2, $3, $4)";
const COMPLETE: &str = "UPDATE uploads SET name = $3, mime = $4, kind = $5, size = $6, is_complete = true, \
    expires_at = $7 WHERE account_key = $1 AND id = $2";
const KEEP: &str = "UPDATE uploads SET expires_at = greatest(expires_at, $3) \
    WHERE account_key = $1 AND id = $2 AND is_complete RETURNING *";
const READ: &str = "SELECT * FROM uploads WHERE account_key = $1 AND id = $2 AND is_complete";
const PRUNE: &str = "WITH old AS (DELETE FROM uploads WHERE (account_key, id) IN \
      (SELECT account_key, id FROM uploads WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 \
        FOR UPDATE SKIP LOCKED) RETURNING account_key, id), \
    pieces AS (DELETE FROM upload_chunks c USING old \
      WHERE c.account_key = old.account_key AND c.id = old.id) \
    SELECT count(*) FROM old";

#[async_trait]
impl Uploads for PostgresStore {
    async fn add_piece(
        &self,
        account_key: i64,
        id: Uuid,
        position: u32,
        bytes: Bytes,
        expires_at: Micros,
    ) -> Result<(), StoreError> {
        self.transact(move |connection| {
            let bytes = bytes.clone();
            Box::pin(async move {
                if position == 0 {
                    let begin = sqlx::query(BEGIN).bind(account_key).bind(id).bind(expires_at.0);
                    begin.execute(&mut *connection).await.map_err(sorted)?;
                }
                let piece = sqlx::query(PIECE)
                    .bind(account_key)
                    .bind(id)
                    .bind(position.cast_signed())
                    .bind(&bytes[..]);
                piece.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(()))
            })
        })
        .await
    }

    async fn complete_upload(&self, account_key: i64, upload: &Upload) -> Result<(), StoreError> {
        let upload = upload.clone();
        self.transact(move |connection| {
            let complete = sqlx::query(COMPLETE)
                .bind(account_key)
                .bind(upload.id)
                .bind(upload.name.clone())
                .bind(upload.mime.clone())
                .bind(serde_json::to_string(&upload.kind).unwrap_or_default())
                .bind(upload.size.cast_signed())
                .bind(upload.expires_at.0);
            Box::pin(async move {
                complete.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(()))
            })
        })
        .await
    }

    async fn upload(
        &self,
        account_key: i64,
        id: Uuid,
        keep_until: Option<Micros>,
    ) -> Result<Option<Upload>, StoreError> {
        let Some(until) = keep_until else {
            let read = sqlx::query(READ).bind(account_key).bind(id);
            let row = read.fetch_optional(&self.readers).await.map_err(sorted)?;
            return row.as_ref().map(upload).transpose();
        };
        self.transact(move |connection| {
            let keep = sqlx::query(KEEP).bind(account_key).bind(id).bind(until.0);
            Box::pin(async move {
                let row = keep.fetch_optional(connection).await.map_err(sorted)?;
                Ok(End::Commit(row.as_ref().map(upload).transpose()?))
            })
        })
        .await
    }

    async fn piece(
        &self,
        account_key: i64,
        id: Uuid,
        position: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT bytes FROM upload_chunks WHERE account_key = $1 AND id = $2 AND position = $3",
        )
        .bind(account_key)
        .bind(id)
        .bind(position.cast_signed())
        .fetch_optional(&self.readers)
        .await
        .map_err(sorted)?;
        Ok(bytes.map(Bytes::from))
    }

    async fn prune_uploads(&self, now: Micros, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.transact(move |connection| {
            let prune = sqlx::query_scalar::<_, i64>(PRUNE).bind(now.0).bind(limit);
            Box::pin(async move {
                let gone = prune.fetch_one(connection).await.map_err(sorted)?;
                Ok(End::Commit(gone.cast_unsigned()))
            })
        })
        .await
    }
}

fn upload(row: &PgRow) -> Result<Upload, StoreError> {
    let account_key: i64 = get(row, "account_key")?;
    let kind: &str = get(row, "kind")?;
    Ok(Upload {
        id: get(row, "id")?,
        name: get(row, "name")?,
        mime: get(row, "mime")?,
        kind: serde_json::from_str(kind).map_err(|_| nonsense("uploads", account_key, "kind"))?,
        size: get::<i64>(row, "size")?.cast_unsigned(),
        expires_at: Micros(get(row, "expires_at")?),
    })
}
