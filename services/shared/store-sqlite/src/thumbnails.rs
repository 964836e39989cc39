//! The journal of small pictures.

use crate::decode::{get, part};
use crate::error::sorted;
use crate::open::SqliteStore;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::media::{Fetch, Thumbnail};
use channel_store::StoreError;
use channel_store::media::FileId;
use channel_store::rows::Owned;
use channel_store::thumbnails::{DueThumbnail, Thumbnails};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

const DUE: &str = "SELECT a.id AS account, f.account_key, f.message, f.attachment, f.sha256, \
      b.fetched, coalesce(t.attempts, 0) AS attempts, t.made \
    FROM media_fetches f INDEXED BY media_fetches_thumbnails CROSS JOIN accounts a ON a.account_key = f.account_key \
      LEFT JOIN media_thumbnails t ON t.sha256 = f.sha256 \
      LEFT JOIN messages m ON m.account_key = f.account_key AND m.upstream_id = f.message \
      LEFT JOIN attachments b ON b.account_key = m.account_key AND b.message_key = m.message_key \
        AND b.id = f.attachment \
    WHERE f.state = 2 AND f.thumbnail_turn IS NOT NULL AND (t.next_at IS NULL OR t.next_at <= ?1) \
    ORDER BY f.thumbnail_turn LIMIT ?2";

const PASS: &str = "UPDATE media_fetches SET thumbnail_turn = NULL \
    WHERE account_key = ?1 AND message = ?2 AND attachment = ?3";

const BEGIN: &str = "INSERT INTO media_thumbnails AS t (sha256, attempts, next_at) VALUES (?1, 1, ?4) \
    ON CONFLICT (sha256) DO UPDATE SET attempts = t.attempts + 1, next_at = excluded.next_at \
      WHERE t.attempts = ?2 AND t.next_at <= ?3";

const HOLD: &str = "UPDATE media_thumbnails SET next_at = ?3, attempts = attempts - ?4 \
    WHERE sha256 = ?1 AND attempts = ?2 AND next_at IS NOT NULL";

const MADE: &str = "UPDATE media_thumbnails SET next_at = NULL, made = ?3 \
    WHERE sha256 = ?1 AND attempts = ?2 AND next_at IS NOT NULL";

#[async_trait]
impl Thumbnails for SqliteStore {
    async fn due_thumbnails(
        &self,
        now: Micros,
        limit: usize,
    ) -> Result<Vec<DueThumbnail>, StoreError> {
        let query = sqlx::query(DUE).bind(now.0).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.readers).await.map_err(sorted)?;
        rows.iter().map(due).collect()
    }

    async fn pass_thumbnails(&self, files: &[DueThumbnail]) -> Result<(), StoreError> {
        let own =
            |due: &DueThumbnail| Owned { account_key: due.account_key, row: due.file.clone() };
        let files: Vec<_> = files.iter().map(own).collect();
        self.writer
            .write(move |connection| Box::pin(async move { looked_at(connection, &files).await }))
            .await
    }

    async fn begin_thumbnail(
        &self,
        sha256: &str,
        attempts: u32,
        now: Micros,
        until: Micros,
    ) -> Result<bool, StoreError> {
        self.one(BEGIN, sha256, attempts, vec![now.0, until.0], None).await
    }

    async fn hold_thumbnail(
        &self,
        sha256: &str,
        attempt: u32,
        until: Micros,
        counts: bool,
    ) -> Result<bool, StoreError> {
        self.one(HOLD, sha256, attempt, vec![until.0, i64::from(!counts)], None).await
    }

    async fn end_thumbnail(
        &self,
        sha256: &str,
        attempt: u32,
        made: &Thumbnail,
    ) -> Result<bool, StoreError> {
        let made =
            serde_json::to_string(made).map_err(|error| StoreError::Refused(error.into()))?;
        self.one(MADE, sha256, attempt, vec![], Some(made)).await
    }
}

impl SqliteStore {
    /// Changes the row of one image, if it stands at this try.
    async fn one(
        &self,
        sql: &'static str,
        sha256: &str,
        attempt: u32,
        numbers: Vec<i64>,
        made: Option<String>,
    ) -> Result<bool, StoreError> {
        let sha256 = sha256.to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(sql).bind(sha256).bind(attempt);
                    let query = numbers.into_iter().fold(query, Query::bind);
                    let query = made.into_iter().fold(query, Query::bind);
                    let done = query.execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }
}

fn due(row: &SqliteRow) -> Result<DueThumbnail, StoreError> {
    let account_key = get(row, "account_key")?;
    let sha256: &str = get(row, "sha256")?;
    let fetched: Option<Fetch> = part(row, "attachments", account_key, "fetched")?;
    let stored = match fetched {
        Some(Fetch::Stored(stored)) if stored.sha256 == sha256 => Some(stored),
        _ => None,
    };
    Ok(DueThumbnail {
        account: get::<String>(row, "account")?.into(),
        account_key,
        file: FileId {
            message: get::<String>(row, "message")?.into(),
            attachment: get(row, "attachment")?,
        },
        stored,
        attempts: get(row, "attempts")?,
        made: part(row, "media_thumbnails", account_key, "made")?,
    })
}

/// Files that are not to be looked at any more.
pub(crate) async fn looked_at(
    connection: &mut SqliteConnection,
    files: &[Owned<FileId>],
) -> Result<(), StoreError> {
    for Owned { account_key, row } in files {
        let pass = sqlx::query(PASS).bind(account_key).bind(row.message.as_str());
        pass.bind(&row.attachment).execute(&mut *connection).await.map_err(sorted)?;
    }
    Ok(())
}
