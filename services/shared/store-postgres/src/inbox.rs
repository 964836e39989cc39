//! Stored payloads: listing, counting, postponing.

use crate::decode::{get, micros};
use crate::error::{nonsense, sorted};
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::{InboxCounts, InboxFilter, Outcome, Stored};
use const_format::concatcp;
use sqlx::postgres::{PgConnection, PgPool, PgRow};

const LIST: &str = "SELECT id, received_at, account, body, state, reason, detail, attempts, trace \
    FROM webhook_inbox WHERE ($1::bigint[] = '{}' OR id = ANY($1)) \
      AND ($2::smallint[] = '{}' OR state = ANY($2)) \
      AND ($3::bigint IS NULL OR received_at >= $3) AND ($4::bigint IS NULL OR received_at < $4) \
      AND ($5::bigint IS NULL OR id < $5) ";

const NEWEST: &str = concatcp!(LIST, "ORDER BY id DESC LIMIT $6");
const GIVEN: &str = concatcp!(LIST, "AND id = ANY($1) ORDER BY id DESC LIMIT $6");
const WAITING: &str = concatcp!(LIST, "AND state IN (0, 3, 4) ORDER BY id DESC LIMIT $6");
const DUE: &str = concatcp!(LIST, "AND state = 0 AND next_at <= $7 ORDER BY next_at, id LIMIT $6");

/// The statement whose plan fits the filter; each says again in plain words what its index needs.
fn statement(filter: &InboxFilter) -> &'static str {
    let waiting = [Outcome::Pending, Outcome::Quarantined, Outcome::Held];
    if filter.due_at.is_some() {
        DUE
    } else if !filter.ids.is_empty() {
        GIVEN
    } else if !filter.outcomes.is_empty()
        && filter.outcomes.iter().all(|outcome| waiting.contains(outcome))
    {
        WAITING
    } else {
        NEWEST
    }
}

pub(crate) async fn list(pool: &PgPool, filter: &InboxFilter) -> Result<Vec<Stored>, StoreError> {
    let states: Vec<i16> = filter.outcomes.iter().map(|outcome| *outcome as i16).collect();
    let mut query = sqlx::query(statement(filter))
        .bind(&filter.ids)
        .bind(states)
        .bind(filter.since.map(|at| at.0))
        .bind(filter.until.map(|at| at.0))
        .bind(filter.below)
        .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
    if let Some(due) = filter.due_at {
        query = query.bind(due.0);
    }
    let rows = query.fetch_all(pool).await.map_err(sorted)?;
    rows.iter().map(stored).collect()
}

fn stored(row: &PgRow) -> Result<Stored, StoreError> {
    let inbox: i64 = get(row, "id")?;
    let attempts: i32 = get(row, "attempts")?;
    let outcome = Outcome::from_number(get(row, "state")?);
    Ok(Stored {
        stamp: Stamp { at: micros(row, "received_at")?.unwrap_or_default(), inbox },
        body: get::<Vec<u8>>(row, "body")?.into(),
        outcome: outcome.ok_or_else(|| nonsense("webhook_inbox", inbox, "state"))?,
        reason: get(row, "reason")?,
        detail: get(row, "detail")?,
        attempts: u32::try_from(attempts).unwrap_or_default(),
        account: get::<Option<String>>(row, "account")?.map(Into::into),
        trace: get(row, "trace")?,
    })
}

pub(crate) async fn counts(pool: &PgPool) -> Result<InboxCounts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS count FROM webhook_inbox WHERE state IN (0, 3, 4) GROUP BY state",
    )
    .fetch_all(pool)
    .await
    .map_err(sorted)?;
    let mut counts = InboxCounts::default();
    for row in &rows {
        let count: i64 = get(row, "count")?;
        let count = count.cast_unsigned();
        match Outcome::from_number(get(row, "state")?) {
            Some(Outcome::Pending) => counts.pending = count,
            Some(Outcome::Quarantined) => counts.quarantined = count,
            Some(Outcome::Held) => counts.held = count,
            _ => {}
        }
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
         WHERE id = $1 AND state IN (0, 3, 4)",
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

/// Locks a stored payload; says what has become of it, if it is still there.
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
    let known = |state| {
        Outcome::from_number(state).ok_or_else(|| nonsense("webhook_inbox", inbox, "state"))
    };
    state.map(known).transpose()
}
