//! Synchronisations: carrying steps out, finding what is due, and their rows.

use crate::decode::{self, get};
use crate::error::{nonsense, sorted};
use crate::open::SqliteStore;
use crate::rows::Tx;
use crate::sql::Rowwise;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_domain::sync::{Sync, SyncChat};
use channel_store::rows::Owned;
use channel_store::sync::{NextChat, SyncDone, SyncDue, SyncOrder, Syncs};
use channel_store::{StoreError, projection};
use sqlx::QueryBuilder;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

/// Connections: 0 is unknown, 1 is running, 2 is catching up.
const DUE: &str = "SELECT a.id AS account, s.id, s.next_at FROM syncs s INDEXED BY syncs_due \
    CROSS JOIN accounts a ON a.account_key = s.account_key \
    WHERE s.is_open AND a.connection IN (0, 1, 2)";

const NEXT: &str = "SELECT c.id AS chat, t.people, t.cursor, t.pages FROM accounts a \
    CROSS JOIN syncs s ON s.account_key = a.account_key AND s.id = ? \
    CROSS JOIN sync_chats t INDEXED BY sync_chats_open \
      ON t.account_key = s.account_key AND t.sync_key = s.sync_key AND NOT t.done \
    CROSS JOIN chats c ON c.account_key = t.account_key AND c.chat_key = t.chat_key \
    WHERE a.id = ? ORDER BY t.active_at DESC LIMIT 1";

#[async_trait]
impl Syncs for SqliteStore {
    async fn sync_step(&self, order: SyncOrder) -> Result<SyncDone, StoreError> {
        let can_wait = order.step.can_wait();
        let (done, moved) = self
            .writer
            .write_in_turn(can_wait, move |connection| {
                Box::pin(async move { projection::sync_step(&mut Tx(connection), order).await })
            })
            .await?;
        self.tell(&moved);
        Ok(done)
    }

    async fn syncs_due(
        &self,
        until: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<SyncDue>, StoreError> {
        let mut query = QueryBuilder::new(DUE);
        query.push(" AND s.next_at <= ").push_bind(until.0);
        for account in but {
            query.push(" AND a.id <> ").push_bind(account.as_str());
        }
        query.push(" ORDER BY s.next_at");
        crate::reads::limit(&mut query, limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(sorted)?;
        let due = |row| {
            let account = get::<String>(row, "account")?.into();
            Ok(SyncDue { account, id: get(row, "id")?, at: Micros(get(row, "next_at")?) })
        };
        rows.iter().map(due).collect()
    }

    async fn next_chat(
        &self,
        account: &AccountId,
        sync: Uuid,
    ) -> Result<Option<NextChat>, StoreError> {
        let query = sqlx::query(NEXT).bind(sync).bind(account.as_str());
        let row = query.fetch_optional(&self.readers).await.map_err(sorted)?;
        let next = |row: &SqliteRow| {
            Ok(NextChat {
                chat: get::<String>(row, "chat")?.into(),
                people: get(row, "people")?,
                cursor: get(row, "cursor")?,
                pages: get(row, "pages")?,
            })
        };
        row.as_ref().map(next).transpose()
    }

    async fn imported_accounts(&self) -> Result<Vec<(AccountId, Micros)>, StoreError> {
        let accounts: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, complete_up_to FROM accounts WHERE complete_up_to IS NOT NULL",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(sorted)?;
        Ok(accounts.into_iter().map(|(id, up_to)| (id.into(), Micros(up_to))).collect())
    }
}

/// Loads the synchronisations of an account that go on or read its history, and the one of this id.
pub(crate) async fn syncs(
    c: &mut SqliteConnection,
    account: i64,
    id: Option<Uuid>,
) -> Result<Vec<Sync>, StoreError> {
    let rows = sqlx::query(
        "SELECT sync_key, state FROM syncs WHERE account_key = ? AND (is_open OR kind = 1 OR id = ?)",
    )
    .bind(account)
    .bind(id)
    .fetch_all(c)
    .await
    .map_err(sorted)?;
    rows.iter()
        .map(|row| decode::json("syncs", get(row, "sync_key")?, get(row, "state")?))
        .collect()
}

const CHATS: Rowwise = Rowwise {
    head: "WITH wanted (k, s, c) AS (VALUES",
    columns: 3,
    tail: ") SELECT t.*, c.id AS chat FROM wanted w CROSS JOIN sync_chats t \
           ON t.account_key = w.k AND t.sync_key = w.s AND t.chat_key = w.c \
           CROSS JOIN chats c ON c.account_key = t.account_key AND c.chat_key = t.chat_key",
};

/// Loads chats of a synchronisation.
pub(crate) async fn chats(
    c: &mut SqliteConnection,
    account: i64,
    sync: i64,
    chats: &[i64],
) -> Result<Vec<SyncChat>, StoreError> {
    let rows =
        CHATS.fetch(c, chats, |query, chat| query.bind(account).bind(sync).bind(chat)).await?;
    let task = |row| {
        Ok(SyncChat {
            sync_key: get(row, "sync_key")?,
            chat_key: get(row, "chat_key")?,
            chat: get::<String>(row, "chat")?.into(),
            active_at: Micros(get(row, "active_at")?),
            done: get(row, "done")?,
            people: get(row, "people")?,
            cursor: get(row, "cursor")?,
            pages: get(row, "pages")?,
        })
    };
    rows.iter().map(task).collect()
}

const WRITE: Rowwise = Rowwise {
    head: "INSERT INTO syncs (account_key, sync_key, id, kind, is_open, next_at, state) VALUES",
    columns: 7,
    tail: "ON CONFLICT (account_key, sync_key) DO UPDATE SET is_open = excluded.is_open, \
           next_at = excluded.next_at, state = excluded.state",
};

const WRITE_CHATS: Rowwise = Rowwise {
    head: "INSERT INTO sync_chats (account_key, sync_key, chat_key, active_at, done, people, cursor, \
           pages) VALUES",
    columns: 8,
    tail: "ON CONFLICT (account_key, sync_key, chat_key) DO UPDATE SET done = excluded.done, \
           people = excluded.people, cursor = excluded.cursor, pages = excluded.pages",
};

/// Writes synchronisations, their chats, and up to when everything of an account is here.
pub(crate) async fn write(
    c: &mut SqliteConnection,
    syncs: &[Owned<Sync>],
    chats: &[Owned<SyncChat>],
    complete: &[Owned<Micros>],
) -> Result<(), StoreError> {
    let unwritable = |_| nonsense("syncs", "", "its state cannot be written as JSON");
    let states: Result<Vec<_>, _> =
        syncs.iter().map(|sync| serde_json::to_string(&sync.row).map_err(unwritable)).collect();
    let rows: Vec<_> = syncs.iter().zip(states?).collect();
    WRITE
        .execute(c, &rows, |query, (Owned { account_key, row }, state)| {
            let query = query.bind(account_key).bind(row.key).bind(row.id).bind(row.kind as i16);
            query.bind(row.state.is_open()).bind(row.next_at.0).bind(state)
        })
        .await?;
    WRITE_CHATS
        .execute(c, chats, |query, Owned { account_key, row }| {
            let query = query.bind(account_key).bind(row.sync_key).bind(row.chat_key);
            let query = query.bind(row.active_at.0).bind(row.done).bind(row.people);
            query.bind(&row.cursor).bind(row.pages)
        })
        .await?;
    for Owned { account_key, row } in complete {
        sqlx::query("UPDATE accounts SET complete_up_to = ? WHERE account_key = ?")
            .bind(row.0)
            .bind(account_key)
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
    }
    Ok(())
}

/// Writes up to when everything of chats is here.
pub(crate) async fn complete_chats(
    c: &mut SqliteConnection,
    chats: &[Owned<(i64, Micros)>],
) -> Result<(), StoreError> {
    for Owned { account_key, row: (chat, up_to) } in chats {
        sqlx::query("UPDATE chats SET complete_up_to = ? WHERE account_key = ? AND chat_key = ?")
            .bind(up_to.0)
            .bind(account_key)
            .bind(chat)
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
    }
    Ok(())
}
