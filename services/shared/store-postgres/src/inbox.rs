//! Stored payloads: listing, counting, postponing.

use crate::decode::get;
use crate::error::sorted;
use channel_domain::ids::AccountId;
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::{
    InboxCounts, InboxFilter, InboxOrder, Inconsistent, Listed, Outcome, Stored,
};
use const_format::concatcp;
use sqlx::postgres::{PgConnection, PgPool, PgRow, Postgres};
use sqlx::{Decode, Row, Type};

/// What the filter says beside the places, which are always bounds, so that every plan can use them.
const LIST: &str = "SELECT id, received_at, account, body, state, reason, detail, attempts, next_at, \
      trace FROM webhook_inbox WHERE id > $1 AND id < $2 \
      AND ($3::smallint[] = '{}' AND NOT $4 OR state = ANY($3) OR $4 AND state NOT BETWEEN 0 AND 5) \
      AND ($5::text IS NULL OR account = $5) AND ($6::text IS NULL OR reason = $6) \
      AND ($7::bigint IS NULL OR received_at >= $7) AND ($8::bigint IS NULL OR received_at < $8) ";

const NEWEST: &str = "ORDER BY id DESC LIMIT $9";
const OLDEST: &str = "ORDER BY id LIMIT $9";
const GIVEN: &str = concatcp!(LIST, "AND id = ANY($10) ");
const OPEN: &str = concatcp!(LIST, "AND state NOT IN (1, 2) ");
const DUE: &str = concatcp!(LIST, "AND state = 0 AND next_at <= $10 ORDER BY next_at, id LIMIT $9");

/// The statement whose plan fits the filter; each says again in plain words what its index needs.
fn statement(filter: &InboxFilter) -> &'static str {
    let newest = filter.order == InboxOrder::Newest;
    let (down, up) = if filter.due_at.is_some() {
        return DUE;
    } else if !filter.ids.is_empty() {
        (concatcp!(GIVEN, NEWEST), concatcp!(GIVEN, OLDEST))
    } else if filter.is_of_open_ones() {
        (concatcp!(OPEN, NEWEST), concatcp!(OPEN, OLDEST))
    } else {
        (concatcp!(LIST, NEWEST), concatcp!(LIST, OLDEST))
    };
    if newest { down } else { up }
}

pub(crate) async fn list(pool: &PgPool, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError> {
    let states: Vec<i16> = filter.outcomes.iter().map(|outcome| *outcome as i16).collect();
    let mut query = sqlx::query(statement(filter))
        .bind(filter.above.unwrap_or(i64::MIN))
        .bind(filter.below.unwrap_or(i64::MAX))
        .bind(states)
        .bind(filter.unknown_states)
        .bind(filter.account.as_ref().map(AccountId::as_str))
        .bind(filter.reason.as_deref())
        .bind(filter.since.map(|at| at.0))
        .bind(filter.until.map(|at| at.0))
        .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
    if let Some(due) = filter.due_at {
        query = query.bind(due.0);
    } else if !filter.ids.is_empty() {
        query = query.bind(&filter.ids);
    }
    let rows = query.fetch_all(pool).await.map_err(sorted)?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<Listed, StoreError> {
    let inbox: i64 = get(row, "id")?;
    Ok(stored(row, inbox).map_err(|what| Inconsistent { inbox, what }))
}

fn stored(row: &PgRow, inbox: i64) -> Result<Stored, &'static str> {
    let attempts: i32 = part(row, "attempts")?;
    Ok(Stored {
        stamp: Stamp { at: Micros(part(row, "received_at")?), inbox },
        body: part::<Vec<u8>>(row, "body")?.into(),
        outcome: Outcome::from_number(part(row, "state")?).ok_or("state")?,
        reason: part(row, "reason")?,
        detail: part(row, "detail")?,
        attempts: u32::try_from(attempts).map_err(|_| "attempts")?,
        next_at: part::<Option<i64>>(row, "next_at")?.map(Micros),
        account: part::<Option<String>>(row, "account")?.map(Into::into),
        trace: part(row, "trace")?,
    })
}

/// A value of a row, or the name of the column that holds none.
fn part<'r, T>(row: &'r PgRow, column: &'static str) -> Result<T, &'static str>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|_| column)
}

pub(crate) async fn counts(pool: &PgPool) -> Result<InboxCounts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS count FROM webhook_inbox WHERE state NOT IN (1, 2) GROUP BY state",
    )
    .fetch_all(pool)
    .await
    .map_err(sorted)?;
    let mut counts = InboxCounts::default();
    for row in &rows {
        let count: i64 = get(row, "count")?;
        counts.add(Outcome::from_number(get(row, "state")?), count.cast_unsigned());
    }
    Ok(counts)
}

/// What another process settled meanwhile stays settled.
pub(crate) async fn postpone(
    connection: &mut PgConnection,
    inbox: i64,
    again_at: Option<Micros>,
    reason: &'static str,
) -> Result<(), StoreError> {
    let state = if again_at.is_some() { Outcome::Pending } else { Outcome::Quarantined };
    sqlx::query(
        "UPDATE webhook_inbox SET state = $2, reason = $3, next_at = $4, attempts = attempts + 1 \
         WHERE id = $1 AND state NOT IN (1, 2)",
    )
    .bind(inbox)
    .bind(state as i16)
    .bind(reason)
    .bind(again_at.map(|at| at.0))
    .execute(connection)
    .await
    .map_err(sorted)?;
    Ok(())
}

/// Locks a stored payload; says what has become of it, if it is still there and that is known.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    inbox: i64,
) -> Result<Option<Outcome>, StoreError> {
    let state: Option<i16> =
        sqlx::query_scalar("SELECT state FROM webhook_inbox WHERE id = $1 FOR UPDATE")
            .bind(inbox)
            .fetch_optional(connection)
            .await
            .map_err(sorted)?;
    Ok(state.and_then(Outcome::from_number))
}

/// 4 is reading the account again, after which what it missed is read.
const MISSED: &str = "INSERT INTO work_items AS w (account_key, kind, subject, created_at, due_at) \
    SELECT account_key, 4, id, $1, $1 FROM accounts WHERE complete_up_to IS NOT NULL \
    ON CONFLICT (account_key, kind, subject) DO UPDATE SET created_at = excluded.created_at, \
      due_at = least(w.due_at, excluded.due_at), attempts = 0";

/// Leaves it to be asked what every account has missed.
pub(crate) async fn ask_for_missed(
    connection: &mut PgConnection,
    now: Micros,
) -> Result<u64, StoreError> {
    let asked = sqlx::query(MISSED).bind(now.0).execute(connection).await.map_err(sorted)?;
    Ok(asked.rows_affected())
}
