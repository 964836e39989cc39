//! The journal of pictures.

use crate::decode::get;
use crate::error::{nonsense, sorted};
use crate::open::SqliteStore;
use crate::sql::Rowwise;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_domain::media::StoredFile;
use channel_domain::picture::Subject;
use channel_store::StoreError;
use channel_store::media::FetchRow;
use channel_store::pictures::{DueLook, LookEnd, PictureWanted, Pictures, SEEN_LATELY};
use channel_store::rows::Owned;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// One row for each account, from an index: however many are due costs nothing.
const DUE: &str = "SELECT a.id AS account, f.*, coalesce(p.id, c.id) AS subject FROM accounts a \
    CROSS JOIN pictures f ON f.account_key = a.account_key AND f.subject_key = \
      (SELECT q.subject_key FROM pictures q INDEXED BY pictures_due WHERE q.account_key = a.account_key \
        AND q.due_at IS NOT NULL ORDER BY q.due_at LIMIT 1) \
    LEFT JOIN attendees p ON p.account_key = f.account_key AND p.attendee_key = f.subject_key \
    LEFT JOIN chats c ON c.account_key = f.account_key AND c.chat_key = f.subject_key \
    WHERE a.connection IN (0, 1) AND coalesce(p.id, c.id) IS NOT NULL";

const BEGIN: &str = "UPDATE pictures SET attempts = attempts + 1, is_open = 1, due_at = ?4, changed = 0 \
    WHERE account_key = ?1 AND subject_key = ?2 AND attempts = ?3 AND due_at = ?5";

const RENEW: &str = "UPDATE pictures SET due_at = ?4 \
    WHERE account_key = ?1 AND subject_key = ?2 AND attempts = ?3 AND is_open";

const ROW: &str = "SELECT attempts, is_open FROM pictures \
    WHERE account_key = ? AND subject_key = ?";

/// Whoever was seen lately is looked for again without being seen once more: that is noted once a day.
const END: &str = "UPDATE pictures SET state = ?3, reason = ?4, is_open = 0, \
      due_at = CASE WHEN ?5 IS NOT NULL THEN ?5 WHEN changed THEN -seen_at \
        WHEN seen_at >= ?6 THEN ?7 END, \
      failures = CASE WHEN ?5 IS NULL THEN 0 ELSE failures + ?8 END, refresh_at = ?7, \
      sha256 = CASE WHEN ?9 THEN ?10 ELSE sha256 END \
    WHERE account_key = ?1 AND subject_key = ?2";

const SHOW: [&str; 2] = [
    "UPDATE attendees SET picture = ?3 WHERE account_key = ?1 AND attendee_key = ?2",
    "UPDATE chats SET picture = ?3 WHERE account_key = ?1 AND chat_key = ?2",
];

/// Whoever was looked for is looked for again once the picture is old, or another one is told of. What is read of the past
/// shows nobody anew.
const WANT: Rowwise = Rowwise {
    head: "WITH wanted (k, subject, is_chat, seen_at, changed) AS (VALUES",
    columns: 5,
    tail: ") INSERT INTO pictures AS p (account_key, subject_key, is_chat, state, attempts, failures, \
             seen_at, changed, due_at) \
           SELECT k, subject, is_chat, 1, 0, 0, seen_at, changed, -seen_at FROM wanted WHERE true \
           ON CONFLICT (account_key, subject_key) DO UPDATE SET \
             seen_at = max(p.seen_at, excluded.seen_at), changed = p.changed OR excluded.changed, \
             due_at = CASE WHEN excluded.changed OR p.due_at <= 0 \
               THEN min(coalesce(p.due_at, excluded.due_at), excluded.due_at) \
               WHEN excluded.seen_at > p.seen_at THEN coalesce(p.due_at, p.refresh_at) \
               ELSE p.due_at END",
};

#[async_trait]
impl Pictures for SqliteStore {
    async fn due_looks(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueLook>, StoreError> {
        let rows = self.rows_due(DUE, but, "f.due_at", limit).await?;
        rows.iter().map(due).collect()
    }

    async fn begin_look(&self, due: &DueLook, until: Micros) -> Result<bool, StoreError> {
        let (account, key, attempts, at) = (due.account_key, due.key, due.attempts, due.at);
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(BEGIN).bind(account).bind(key).bind(attempts);
                    let query = query.bind(until.0).bind(at.0);
                    let done = query.execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }

    async fn renew_look(
        &self,
        account_key: i64,
        key: i64,
        attempt: u32,
        until: Micros,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(RENEW).bind(account_key).bind(key).bind(attempt);
                    let done = query.bind(until.0).execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }
}

fn due(row: &SqliteRow) -> Result<DueLook, StoreError> {
    let subject: String = get(row, "subject")?;
    let is_chat: bool = get(row, "is_chat")?;
    Ok(DueLook {
        account: get::<String>(row, "account")?.into(),
        account_key: get(row, "account_key")?,
        key: get(row, "subject_key")?,
        of: if is_chat { Subject::Chat(subject.into()) } else { Subject::Attendee(subject.into()) },
        attempts: get(row, "attempts")?,
        failures: get(row, "failures")?,
        at: Micros(get(row, "due_at")?),
    })
}

/// Where the look for a picture stands.
pub(crate) async fn row(
    connection: &mut SqliteConnection,
    account: i64,
    subject: i64,
) -> Result<Option<FetchRow>, StoreError> {
    let query = sqlx::query(ROW).bind(account).bind(subject);
    let row = query.fetch_optional(connection).await.map_err(sorted)?;
    row.map(|row| Ok(FetchRow { attempts: get(&row, "attempts")?, is_open: get(&row, "is_open")? }))
        .transpose()
}

/// Notes who was seen, and writes ends of looks.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    wanted: &[Owned<PictureWanted>],
    ends: &[Owned<LookEnd>],
) -> Result<(), StoreError> {
    WANT.execute(connection, wanted, |query, Owned { account_key, row }| {
        let query = query.bind(account_key).bind(row.key).bind(row.is_chat);
        query.bind(row.seen_at.0).bind(row.changed)
    })
    .await?;
    for Owned { account_key, row } in ends {
        let shown = row.look.shown();
        let end = sqlx::query(END)
            .bind(account_key)
            .bind(row.key)
            .bind(row.look.number())
            .bind(row.look.reason())
            .bind(row.next_at.map(|at| at.0))
            .bind(row.at.0.saturating_sub(SEEN_LATELY))
            .bind(row.refresh_at.0)
            .bind(i64::from(row.counts))
            .bind(shown.is_some())
            .bind(shown.flatten().map(|stored| stored.sha256.as_str()));
        end.execute(&mut *connection).await.map_err(sorted)?;
        if let Some(shown) = shown {
            show(connection, *account_key, row, shown).await?;
        }
    }
    Ok(())
}

async fn show(
    connection: &mut SqliteConnection,
    account: i64,
    end: &LookEnd,
    shown: Option<&StoredFile>,
) -> Result<(), StoreError> {
    let unwritable = |_| nonsense("pictures", end.key, "it cannot be written as JSON");
    let json = shown.map(serde_json::to_string).transpose().map_err(unwritable)?;
    let [person, chat] = SHOW;
    let statement = if matches!(end.of, Subject::Chat(_)) { chat } else { person };
    let show = sqlx::query(statement).bind(account).bind(end.key).bind(json);
    show.execute(connection).await.map_err(sorted).map(drop)
}
