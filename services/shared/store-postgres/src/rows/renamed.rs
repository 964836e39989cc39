//! Chats that got another id, or turned out to be others.

use super::column;
use super::sent::row_sent;
use super::together::Together;
use crate::decode::{get, owned};
use crate::error::sorted;
use channel_domain::ids::ChatId;
use channel_store::StoreError;
use channel_store::rows::{ChatAlias, GoneChat, Owned};
use sqlx::postgres::PgConnection;

const BY_ID: &str = "SELECT a.account_key, a.id, a.chat_key \
    FROM unnest($1::bigint[], $2::text[]) AS w(account_key, id) \
    JOIN chat_aliases a ON a.account_key = w.account_key AND a.id = w.id";

/// Loads which chats had these ids once.
pub(super) async fn aliases(
    connection: &mut PgConnection,
    wanted: &[(i64, ChatId)],
) -> Result<Vec<Owned<ChatAlias>>, StoreError> {
    let rows = sqlx::query(BY_ID)
        .bind(column(wanted, |(account, _)| *account))
        .bind(column(wanted, |(_, id)| id.as_str()))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    let alias = |row: &_| {
        let id = get::<String>(row, "id")?.into();
        Ok(ChatAlias { id, chat_key: get(row, "chat_key")? })
    };
    rows.iter().map(|row| owned(row, alias)).collect()
}

const ALIASES: &str = "INSERT INTO chat_aliases (account_key, id, chat_key) \
    SELECT account_key, id, chat_key FROM unnest($1::chat_alias_row[]) \
    ON CONFLICT (account_key, id) DO UPDATE SET chat_key = excluded.chat_key";

row_sent!(
    "chat_alias_row",
    struct AliasRow<'r> {
        account_key: i64,
        id: &'r str,
        chat_key: i64,
    }
);

/// Writes former ids of chats.
pub(super) fn write(together: &mut Together, aliases: &[Owned<ChatAlias>]) {
    let rows = aliases.iter().map(|Owned { account_key, row }| AliasRow {
        account_key: *account_key,
        id: row.id.as_str(),
        chat_key: row.chat_key,
    });
    together.part(ALIASES, rows);
}

const GONE: [&str; 7] = [
    "UPDATE messages t SET chat_key = w.became FROM unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
    "UPDATE outbox t SET chat_key = w.became FROM unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
    "UPDATE actions t SET chat_key = w.became FROM unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
    "UPDATE chat_aliases t SET chat_key = w.became FROM unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
    "DELETE FROM pictures t USING unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.subject_key = w.chat_key",
    "DELETE FROM chat_attendees t USING unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
    "DELETE FROM chats t USING unnest($1::gone_chat_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.chat_key = w.chat_key",
];

row_sent!(
    "gone_chat_row",
    struct GoneChatRow {
        account_key: i64,
        chat_key: i64,
        became: i64,
    }
);

/// Removes chats whose messages are another one's.
pub(super) fn gone(together: &mut Together, rows: &[Owned<GoneChat>]) {
    for table in GONE {
        let gone = rows.iter().map(|Owned { account_key, row }| GoneChatRow {
            account_key: *account_key,
            chat_key: row.chat_key,
            became: row.into,
        });
        together.part(table, gone);
    }
}
