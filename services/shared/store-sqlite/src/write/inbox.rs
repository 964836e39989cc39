//! Stored payloads, and the work that they leave.

use crate::error::sorted;
use crate::sql::{Query, Rowwise};
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::rows::{InboxRow, InboxUpdate, Owned, Work};
use sqlx::sqlite::SqliteConnection;

pub(super) const INBOX: Rowwise = Rowwise {
    head: "INSERT INTO webhook_inbox (id, received_at, account_key, account, headers, body, state, \
           reason, detail, next_at, trace) VALUES",
    columns: 11,
    tail: "",
};

pub(super) fn inbox<'q>(query: Query<'q>, row: &'q InboxRow) -> Query<'q> {
    query
        .bind(row.stamp.inbox)
        .bind(row.stamp.at.0)
        .bind(row.account_key)
        .bind(row.account.as_ref().map(AccountId::as_str))
        .bind(&row.headers)
        .bind(&row.body[..])
        .bind(row.outcome as i16)
        .bind(row.reason)
        .bind(&row.detail)
        .bind(row.next_at.map(|at| at.0))
        .bind(&row.trace)
}

pub(super) async fn inbox_update(
    c: &mut SqliteConnection,
    update: &InboxUpdate,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_inbox SET state = ?, reason = ?, detail = ?, next_at = NULL, \
         account_key = coalesce(?, account_key), attempts = attempts + 1 WHERE id = ?",
    )
    .bind(update.outcome as i16)
    .bind(update.reason)
    .bind(&update.detail)
    .bind(update.account_key)
    .bind(update.inbox)
    .execute(c)
    .await
    .map_err(sorted)?;
    Ok(())
}

pub(super) const WORK: Rowwise = Rowwise {
    head: "INSERT INTO work_items (account_key, kind, subject, created_at, due_at) \
           SELECT column1, column2, column3, unixepoch() * 1000000, unixepoch() * 1000000 \
           FROM (VALUES",
    columns: 3,
    // Whoever is at it must see that it was asked for again.
    tail: ") WHERE true ON CONFLICT (account_key, kind, subject) DO UPDATE SET attempts = 0, \
           created_at = max(excluded.created_at, created_at + 1), \
           due_at = min(excluded.due_at, due_at)",
};

pub(super) fn work<'q>(query: Query<'q>, row: &'q Owned<Work>) -> Query<'q> {
    query.bind(row.account_key).bind(row.row.kind as i16).bind(&row.row.subject)
}
