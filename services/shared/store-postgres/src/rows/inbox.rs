//! Writing payloads.

use super::column;
use super::together::Together;
use channel_domain::ids::AccountId;
use channel_store::rows::{InboxRow, InboxUpdate};

const STORE: &str = "INSERT INTO webhook_inbox (id, received_at, account_key, account, headers, body, \
      state, reason, detail, next_at, trace) \
    SELECT id, received_at, account_key, account, headers::json, body, state, reason, detail, next_at, \
      trace \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], \
        $7::smallint[], $8::text[], $9::text[], $10::bigint[], $11::text[]) \
      AS u(id, received_at, account_key, account, headers, body, state, reason, detail, next_at, trace)";

/// Stores payloads.
pub(super) fn store(together: &mut Together, rows: &[InboxRow]) {
    together
        .part(STORE, rows)
        .bind(column(rows, |row| row.stamp.inbox))
        .bind(column(rows, |row| row.stamp.at.0))
        .bind(column(rows, |row| row.account_key))
        .bind(column(rows, |row| row.account.as_ref().map(AccountId::as_str)))
        .bind(column(rows, |row| row.headers.as_str()))
        .bind(column(rows, |row| &row.body[..]))
        .bind(column(rows, |row| row.outcome as i16))
        .bind(column(rows, |row| row.reason))
        .bind(column(rows, |row| row.detail.as_deref()))
        .bind(column(rows, |row| row.next_at.map(|at| at.0)))
        .bind(column(rows, |row| row.trace.as_deref()));
}

const UPDATE: &str = "UPDATE webhook_inbox i SET state = u.state, reason = u.reason, \
      detail = u.detail, next_at = NULL, account_key = coalesce(u.account_key, i.account_key), \
      attempts = i.attempts + 1 \
    FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[]) \
      AS u(id, state, reason, detail, account_key) WHERE i.id = u.id";

/// Gives stored payloads their new state.
pub(super) fn update(together: &mut Together, updates: &[InboxUpdate]) {
    together
        .part(UPDATE, updates)
        .bind(column(updates, |update| update.inbox))
        .bind(column(updates, |update| update.outcome as i16))
        .bind(column(updates, |update| update.reason))
        .bind(column(updates, |update| update.detail.as_deref()))
        .bind(column(updates, |update| update.account_key));
}
