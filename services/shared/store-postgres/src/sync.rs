//! Synchronisations: carrying steps out, and finding what is due.

use crate::PostgresStore;
use crate::decode::get;
use crate::error::sorted;
use crate::rows::Tx;
use crate::store::End;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::sync::{NextChat, SyncCarried, SyncDone, SyncDue, SyncOrder, Syncs};
use channel_store::{StoreError, projection};
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Connections: 0 is unknown, 1 is running, 2 is catching up.
const DUE: &str = "SELECT a.id AS account, s.id, s.next_at FROM syncs s \
      JOIN accounts a ON a.account_key = s.account_key \
    WHERE s.is_open AND s.next_at <= $1 AND a.connection IN (0, 1, 2) AND a.id <> ALL($2) \
    ORDER BY s.next_at LIMIT $3";

const NEXT: &str = "SELECT c.id AS chat, t.people, t.\"cursor\", t.pages FROM accounts a \
      JOIN syncs s ON s.account_key = a.account_key AND s.id = $1 \
      JOIN sync_chats t ON t.account_key = s.account_key AND t.sync_key = s.sync_key AND NOT t.done \
      JOIN chats c ON c.account_key = t.account_key AND c.chat_key = t.chat_key \
    WHERE a.id = $2 ORDER BY t.active_at DESC LIMIT 1";

#[async_trait]
impl Syncs for PostgresStore {
    async fn sync_step(&self, order: SyncOrder) -> Result<SyncDone, StoreError> {
        let (done, moved) = self
            .transact(move |connection| {
                let order = order.clone();
                Box::pin(async move {
                    let mut tx = Tx { connection, now: order.now };
                    let carried: SyncCarried = projection::sync_step(&mut tx, order).await?;
                    Ok(End::Commit(carried))
                })
            })
            .await?;
        self.hints.moved(&moved);
        Ok(done)
    }

    async fn syncs_due(
        &self,
        until: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<SyncDue>, StoreError> {
        let but: Vec<&str> = but.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query(DUE)
            .bind(until.0)
            .bind(but)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
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
        let next = |row: &PgRow| {
            Ok(NextChat {
                chat: get::<String>(row, "chat")?.into(),
                people: get(row, "people")?,
                cursor: get(row, "cursor")?,
                pages: get::<i32>(row, "pages")?.cast_unsigned(),
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
