//! Synchronisations: loading them under the account's lock, and writing them.

use super::sent::row_sent;
use super::together::Together;
use super::{json, tried};
use crate::decode::{self, get};
use crate::error::sorted;
use channel_domain::Micros;
use channel_domain::sync::{Sync, SyncChat};
use channel_store::StoreError;
use channel_store::rows::{Owned, Writes};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

/// Loads the synchronisations of an account that go on or read its history, and the one of this id.
pub(super) async fn load(
    connection: &mut PgConnection,
    account: i64,
    id: Option<Uuid>,
) -> Result<Vec<Sync>, StoreError> {
    let rows = sqlx::query(
        "SELECT sync_key, state::text AS state FROM syncs \
         WHERE account_key = $1 AND (is_open OR kind = 1 OR id = $2)",
    )
    .bind(account)
    .bind(id)
    .fetch_all(connection)
    .await
    .map_err(sorted)?;
    rows.iter()
        .map(|row| decode::json("syncs", get(row, "sync_key")?, get(row, "state")?))
        .collect()
}

/// Loads chats of a synchronisation.
pub(super) async fn chats(
    connection: &mut PgConnection,
    account: i64,
    sync: i64,
    chats: &[i64],
) -> Result<Vec<SyncChat>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.*, c.id AS chat FROM sync_chats t JOIN chats c \
           ON c.account_key = t.account_key AND c.chat_key = t.chat_key \
         WHERE t.account_key = $1 AND t.sync_key = $2 AND t.chat_key = ANY($3)",
    )
    .bind(account)
    .bind(sync)
    .bind(chats)
    .fetch_all(connection)
    .await
    .map_err(sorted)?;
    let task = |row| {
        Ok(SyncChat {
            sync_key: get(row, "sync_key")?,
            chat_key: get(row, "chat_key")?,
            chat: get::<String>(row, "chat")?.into(),
            active_at: Micros(get(row, "active_at")?),
            done: get(row, "done")?,
            people: get(row, "people")?,
            cursor: get(row, "cursor")?,
            pages: get::<i32>(row, "pages")?.cast_unsigned(),
        })
    };
    rows.iter().map(task).collect()
}

const WRITE: &str = "INSERT INTO syncs (account_key, sync_key, id, kind, is_open, next_at, state) \
    SELECT account_key, sync_key, id, kind, is_open, next_at, state::jsonb \
    FROM unnest($1::sync_row[]) \
    ON CONFLICT (account_key, sync_key) DO UPDATE SET is_open = excluded.is_open, \
      next_at = excluded.next_at, state = excluded.state";

row_sent!(
    "sync_row",
    struct SyncRow {
        account_key: i64,
        sync_key: i64,
        id: Uuid,
        kind: i16,
        is_open: bool,
        next_at: i64,
        state: String,
    }
);

impl TryFrom<&Owned<Sync>> for SyncRow {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &Owned<Sync>) -> Result<Self, StoreError> {
        Ok(Self {
            account_key: *account_key,
            sync_key: row.key,
            id: row.id,
            kind: row.kind as i16,
            is_open: row.state.is_open(),
            next_at: row.next_at.0,
            state: json(row)?,
        })
    }
}

const WRITE_CHATS: &str = "INSERT INTO sync_chats (account_key, sync_key, chat_key, active_at, done, \
      people, \"cursor\", pages) \
    SELECT account_key, sync_key, chat_key, active_at, done, people, \"cursor\", pages \
    FROM unnest($1::sync_chat_row[]) \
    ON CONFLICT (account_key, sync_key, chat_key) DO UPDATE SET done = excluded.done, \
      people = excluded.people, \"cursor\" = excluded.\"cursor\", pages = excluded.pages";

row_sent!(
    "sync_chat_row",
    struct SyncChatRow<'r> {
        account_key: i64,
        sync_key: i64,
        chat_key: i64,
        active_at: i64,
        done: bool,
        people: bool,
        cursor: Option<&'r str>,
        pages: i32,
    }
);

const COMPLETE: &str = "UPDATE accounts a SET complete_up_to = u.up_to \
    FROM unnest($1::complete_row[]) AS u WHERE a.account_key = u.account_key";

row_sent!(
    "complete_row",
    struct CompleteRow {
        account_key: i64,
        up_to: i64,
    }
);

const COMPLETE_CHATS: &str = "UPDATE chats c SET complete_up_to = u.up_to \
    FROM unnest($1::complete_chat_row[]) AS u \
    WHERE c.account_key = u.account_key AND c.chat_key = u.chat_key";

row_sent!(
    "complete_chat_row",
    struct CompleteChatRow {
        account_key: i64,
        chat_key: i64,
        up_to: i64,
    }
);

/// Writes synchronisations, their chats, and up to when everything of an account is here.
pub(super) fn write(together: &mut Together, writes: &Writes) -> Result<(), StoreError> {
    together.part(WRITE, tried::<_, SyncRow>(&writes.syncs)?);
    let chats = writes.sync_chats.iter().map(|Owned { account_key, row }| SyncChatRow {
        account_key: *account_key,
        sync_key: row.sync_key,
        chat_key: row.chat_key,
        active_at: row.active_at.0,
        done: row.done,
        people: row.people,
        cursor: row.cursor.as_deref(),
        pages: row.pages.cast_signed(),
    });
    together.part(WRITE_CHATS, chats);
    let complete = writes.complete.iter();
    together.part(
        COMPLETE,
        complete.map(|Owned { account_key, row }| CompleteRow {
            account_key: *account_key,
            up_to: row.0,
        }),
    );
    let complete = writes.complete_chats.iter();
    together.part(
        COMPLETE_CHATS,
        complete.map(|Owned { account_key, row: (chat_key, up_to) }| CompleteChatRow {
            account_key: *account_key,
            chat_key: *chat_key,
            up_to: up_to.0,
        }),
    );
    Ok(())
}
