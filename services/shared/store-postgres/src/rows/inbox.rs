//! Payloads and their digests.

use super::{column, execute};
use crate::decode::get;
use crate::error::sorted;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::intake::Digest;
use channel_store::rows::{InboxRow, InboxUpdate};
use sqlx::postgres::PgConnection;
use std::collections::HashSet;

const NOTE: &str = "INSERT INTO webhook_dedupe (account_key, digest, first_at) \
    SELECT account_key, digest, $3 FROM unnest($1::bigint[], $2::bytea[]) AS u(account_key, digest) \
    ON CONFLICT DO NOTHING RETURNING account_key, digest";

/// Notes digests; says for each whether it was new.
pub(super) async fn note_digests(
    connection: &mut PgConnection,
    digests: &[(i64, Digest)],
    now: Micros,
) -> Result<Vec<bool>, StoreError> {
    let rows = sqlx::query(NOTE)
        .bind(column(digests, |(key, _)| *key))
        .bind(column(digests, |(_, digest)| &digest[..]))
        .bind(now.0)
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    let fresh: HashSet<(i64, &[u8])> = rows
        .iter()
        .map(|row| Ok((get(row, "account_key")?, get(row, "digest")?)))
        .collect::<Result<_, StoreError>>()?;
    let is_fresh = |(key, digest): &(i64, Digest)| fresh.contains(&(*key, &digest[..]));
    Ok(digests.iter().map(is_fresh).collect())
}

/// Takes ids for new payloads, ascending.
pub(super) async fn ids(
    connection: &mut PgConnection,
    count: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut ids: Vec<i64> = sqlx::query_scalar(
        "SELECT nextval('webhook_inbox_ids') FROM generate_series(1, $1::bigint)",
    )
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(sorted)?;
    ids.sort_unstable();
    Ok(ids)
}

const STORE: &str = "INSERT INTO webhook_inbox (id, received_at, account_key, account, headers, body, \
      state, reason, detail, next_at, trace) \
    SELECT id, received_at, account_key, account, headers::json, body, state, reason, detail, next_at, \
      trace \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], \
        $7::smallint[], $8::text[], $9::text[], $10::bigint[], $11::text[]) \
      AS u(id, received_at, account_key, account, headers, body, state, reason, detail, next_at, trace)";

/// Stores payloads.
pub(super) async fn store(
    connection: &mut PgConnection,
    rows: &[InboxRow],
) -> Result<(), StoreError> {
    let query = sqlx::query(STORE)
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
    execute(connection, rows, query).await
}

const UPDATE: &str = "UPDATE webhook_inbox i SET state = u.state, reason = u.reason, \
      detail = u.detail, next_at = NULL, account_key = coalesce(u.account_key, i.account_key), \
      attempts = i.attempts + 1 \
    FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[]) \
      AS u(id, state, reason, detail, account_key) WHERE i.id = u.id";

/// Gives stored payloads their new state.
pub(super) async fn update(
    connection: &mut PgConnection,
    updates: &[InboxUpdate],
) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE)
        .bind(column(updates, |update| update.inbox))
        .bind(column(updates, |update| update.outcome as i16))
        .bind(column(updates, |update| update.reason))
        .bind(column(updates, |update| update.detail.as_deref()))
        .bind(column(updates, |update| update.account_key));
    execute(connection, updates, query).await
}
