//! Actions: loading them under the account's lock, and writing them.

use super::sent::row_sent;
use super::together::Together;
use super::{column, json, tried};
use crate::decode::{self, ACTION, owned};
use crate::error::sorted;
use channel_domain::send::Action;
use channel_store::StoreError;
use channel_store::rows::Owned;
use const_format::concatcp;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

const BY_ID: &str = concatcp!(
    "SELECT ",
    ACTION,
    " FROM unnest($1::bigint[], $2::uuid[]) AS w(account_key, id) \
     JOIN actions x ON x.account_key = w.account_key AND x.id = w.id"
);

/// Loads actions by their ids.
pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &[(i64, Uuid)],
) -> Result<Vec<Owned<Action>>, StoreError> {
    let rows = sqlx::query(BY_ID)
        .bind(column(wanted, |(account, _)| *account))
        .bind(column(wanted, |(_, id)| *id))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::action)).collect()
}

const WRITE: &str = "INSERT INTO actions (account_key, action_key, id, chat_key, message_key, act, before, \
      at, inbox, hash, stage, attempts, refusals, next_at, expires_at, failure) \
    SELECT account_key, action_key, id, chat_key, message_key, act::jsonb, before::jsonb, at, inbox, \
      hash, stage, attempts, refusals, next_at, expires_at, failure::jsonb \
    FROM unnest($1::action_row[]) \
    ON CONFLICT (account_key, action_key) DO UPDATE SET stage = excluded.stage, \
      attempts = excluded.attempts, refusals = excluded.refusals, next_at = excluded.next_at, \
      failure = excluded.failure";

row_sent!(
    "action_row",
    struct ActionRow<'r> {
        account_key: i64,
        action_key: i64,
        id: Uuid,
        chat_key: i64,
        message_key: Option<i64>,
        act: String,
        before: String,
        at: i64,
        inbox: i64,
        hash: &'r [u8],
        stage: i16,
        attempts: i32,
        refusals: i32,
        next_at: i64,
        expires_at: i64,
        failure: Option<String>,
    }
);

impl<'r> TryFrom<&'r Owned<Action>> for ActionRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<Action>) -> Result<Self, StoreError> {
        Ok(Self {
            account_key: *account_key,
            action_key: row.key,
            id: row.id,
            chat_key: row.chat_key,
            message_key: row.message_key,
            act: json(&row.act)?,
            before: json(&row.before)?,
            at: row.stamp.at.0,
            inbox: row.stamp.inbox,
            hash: &row.hash,
            stage: row.stage as i16,
            attempts: row.attempts.cast_signed(),
            refusals: row.refusals.cast_signed(),
            next_at: row.next_at.0,
            expires_at: row.expires_at.0,
            failure: row.failure.as_ref().map(json).transpose()?,
        })
    }
}

/// Writes actions.
pub(super) fn write(together: &mut Together, rows: &[Owned<Action>]) -> Result<(), StoreError> {
    together.part(WRITE, tried::<_, ActionRow<'_>>(rows)?);
    Ok(())
}
