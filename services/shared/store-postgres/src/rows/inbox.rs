//! Writing payloads.

use super::sent::row_sent;
use super::together::Together;
use channel_domain::ids::AccountId;
use channel_store::rows::{InboxRow, InboxUpdate};

const STORE: &str = "INSERT INTO webhook_inbox (id, received_at, account_key, account, headers, body, \
      state, reason, detail, next_at, trace) \
    SELECT id, received_at, account_key, account, headers::json, body, state, reason, detail, next_at, \
      trace \
    FROM unnest($1::webhook_inbox_row[])";

row_sent!(
    "webhook_inbox_row",
    struct Payload<'r> {
        id: i64,
        received_at: i64,
        account_key: Option<i64>,
        account: Option<&'r str>,
        headers: &'r str,
        body: &'r [u8],
        state: i16,
        reason: Option<&'static str>,
        detail: Option<&'r str>,
        next_at: Option<i64>,
        trace: Option<&'r str>,
    }
);

impl<'r> From<&'r InboxRow> for Payload<'r> {
    fn from(row: &'r InboxRow) -> Self {
        Self {
            id: row.stamp.inbox,
            received_at: row.stamp.at.0,
            account_key: row.account_key,
            account: row.account.as_ref().map(AccountId::as_str),
            headers: &row.headers,
            body: &row.body,
            state: row.outcome as i16,
            reason: row.reason,
            detail: row.detail.as_deref(),
            next_at: row.next_at.map(|at| at.0),
            trace: row.trace.as_deref(),
        }
    }
}

/// Stores payloads.
pub(super) fn store(together: &mut Together, rows: &[InboxRow]) {
    together.part(STORE, rows.iter().map(Payload::from));
}

const UPDATE: &str = "UPDATE webhook_inbox i SET state = u.state, reason = u.reason, \
      detail = u.detail, next_at = NULL, account_key = coalesce(u.account_key, i.account_key), \
      attempts = i.attempts + 1 \
    FROM unnest($1::webhook_inbox_update_row[]) AS u WHERE i.id = u.id";

row_sent!(
    "webhook_inbox_update_row",
    struct NewState<'r> {
        id: i64,
        state: i16,
        reason: Option<&'static str>,
        detail: Option<&'r str>,
        account_key: Option<i64>,
    }
);

impl<'r> From<&'r InboxUpdate> for NewState<'r> {
    fn from(update: &'r InboxUpdate) -> Self {
        Self {
            id: update.inbox,
            state: update.outcome as i16,
            reason: update.reason,
            detail: update.detail.as_deref(),
            account_key: update.account_key,
        }
    }
}

/// Gives stored payloads their new state.
pub(super) fn update(together: &mut Together, updates: &[InboxUpdate]) {
    together.part(UPDATE, updates.iter().map(NewState::from));
}
