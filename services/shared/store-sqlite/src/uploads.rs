//! Files to be sent.

use crate::decode::get;
use crate::error::{nonsense, sorted};
use crate::open::SqliteStore;
use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::Micros;
use channel_store::StoreError;
use channel_store::uploads::{Upload, Uploads};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

const BEGIN: &str = "INSERT INTO uploads (account_key, id, name, mime, kind, size, is_complete, expires_at) \
    VALUES (?, ?, '', '', '', 0, 0, ?) ON CONFLICT DO NOTHING";
const PIECE: &str =
    "INSERT INTO upload_chunks (account_key, id, position, bytes) VALUES (?, ?, ?, ?)";
const COMPLETE: &str = "UPDATE uploads SET name = ?3, mime = ?4, kind = ?5, size = ?6, is_complete = 1, \
    expires_at = ?7 WHERE account_key = ?1 AND id = ?2";
const KEEP: &str = "UPDATE uploads SET expires_at = max(expires_at, ?3) \
    WHERE account_key = ?1 AND id = ?2 AND is_complete RETURNING *";
const READ: &str = "SELECT * FROM uploads WHERE account_key = ? AND id = ? AND is_complete";
const OLD: &str = "DELETE FROM uploads WHERE (account_key, id) IN (SELECT account_key, id FROM uploads \
    WHERE expires_at < ? ORDER BY expires_at LIMIT ?) RETURNING account_key, id";
const PIECES: &str = "DELETE FROM upload_chunks WHERE account_key = ? AND id = ?";

#[async_trait]
impl Uploads for SqliteStore {
    async fn add_piece(
        &self,
        account_key: i64,
        id: Uuid,
        position: u32,
        bytes: Bytes,
        expires_at: Micros,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if position == 0 {
                        let begin = sqlx::query(BEGIN).bind(account_key).bind(id);
                        let begin = begin.bind(expires_at.0);
                        begin.execute(&mut *connection).await.map_err(sorted)?;
                    }
                    let piece = sqlx::query(PIECE).bind(account_key).bind(id).bind(position);
                    let piece = piece.bind(bytes.to_vec());
                    piece.execute(connection).await.map(drop).map_err(sorted)
                })
            })
            .await
    }

    async fn complete_upload(&self, account_key: i64, upload: &Upload) -> Result<(), StoreError> {
        let upload = upload.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let complete = sqlx::query(COMPLETE)
                        .bind(account_key)
                        .bind(upload.id)
                        .bind(upload.name)
                        .bind(upload.mime)
                        .bind(serde_json::to_string(&upload.kind).unwrap_or_default())
                        .bind(upload.size.cast_signed())
                        .bind(upload.expires_at.0);
                    complete.execute(connection).await.map(drop).map_err(sorted)
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
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let keep = sqlx::query(KEEP).bind(account_key).bind(id).bind(until.0);
                    let row = keep.fetch_optional(connection).await.map_err(sorted)?;
                    row.as_ref().map(upload).transpose()
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
            "SELECT bytes FROM upload_chunks WHERE account_key = ? AND id = ? AND position = ?",
        )
        .bind(account_key)
        .bind(id)
        .bind(position)
        .fetch_optional(&self.readers)
        .await
        .map_err(sorted)?;
        Ok(bytes.map(Bytes::from))
    }

    async fn prune_uploads(&self, now: Micros, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let old = sqlx::query(OLD).bind(now.0).bind(limit);
                    let old = old.fetch_all(&mut *connection).await.map_err(sorted)?;
                    for row in &old {
                        let (account, id): (i64, Uuid) =
                            (get(row, "account_key")?, get(row, "id")?);
                        let pieces = sqlx::query(PIECES).bind(account).bind(id);
                        pieces.execute(&mut *connection).await.map_err(sorted)?;
                    }
                    Ok(old.len() as u64)
                })
            })
            .await
    }
}

fn upload(row: &SqliteRow) -> Result<Upload, StoreError> {
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
