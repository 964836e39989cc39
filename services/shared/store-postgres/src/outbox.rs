//! Carrying commands out, and finding what is due.

use crate::PostgresStore;
use crate::decode::{self, JOB, get, micros};
use crate::error::{nonsense, sorted};
use crate::rows::Tx;
use crate::store::End;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::{AccountId, MessageId};
use channel_domain::send::Phase;
use channel_store::outbox::{Command, Done, Due, DueAct, DueWork, Order, Outbox, Rules, Standing};
use channel_store::projection;
use channel_store::record::SendRecord;
use channel_store::rows::WorkKind;
use channel_store::{StoreError, outbox};
use const_format::concatcp;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Of each chat its oldest open message alone: messages leave in order. Time runs out for all of them.
/// Connections: 0 is unknown, 1 is running.
const DUE: &str = "SELECT a.id AS account, o.message_key, o.id, o.phase, c.id AS chat_id, o.started_at, \
      CASE o.phase WHEN 1 THEN least(o.next_at, o.expires_at) ELSE o.next_at END AS at, \
      o.phase = 1 AND o.expires_at <= $1 AS is_expired \
    FROM outbox o JOIN accounts a ON a.account_key = o.account_key \
      JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key \
    WHERE o.phase IN (1, 2, 3) AND a.id <> ALL($2) \
      AND (o.phase = 1 AND o.expires_at <= $1 \
        OR (o.phase <> 1 OR a.connection IN (0, 1)) AND NOT EXISTS (SELECT 1 FROM outbox e \
          WHERE e.account_key = o.account_key AND e.chat_key = o.chat_key \
            AND e.message_key < o.message_key AND e.phase IN (1, 2, 3))) \
    ORDER BY o.next_at LIMIT $3";

const DUE_ACTS: &str = "SELECT a.id AS account, x.id, x.next_at FROM actions x \
      JOIN accounts a ON a.account_key = x.account_key \
    WHERE x.stage = 1 AND a.id <> ALL($1) AND a.connection IN (0, 1) \
      AND NOT EXISTS (SELECT 1 FROM actions e WHERE e.account_key = x.account_key \
        AND e.chat_key = x.chat_key AND e.action_key < x.action_key AND e.stage = 1) \
    ORDER BY x.next_at LIMIT $2";

/// 3 is fetching files, which is somebody else's work.
const DUE_WORK: &str = "SELECT a.id AS account, w.account_key, w.kind, w.subject, w.created_at, \
      w.attempts, w.due_at \
    FROM work_items w JOIN accounts a ON a.account_key = w.account_key \
    WHERE w.kind IN (1, 2, 4) AND a.id <> ALL($1) ORDER BY w.due_at LIMIT $2";

const STANDING: &str = "SELECT count(*) FILTER (WHERE phase = 1) AS queued, \
      count(*) FILTER (WHERE phase = 2) AS sending, count(*) FILTER (WHERE phase = 3) AS uncertain, \
      (SELECT count(*) FROM outbox WHERE phase = 6) AS unconfirmed \
    FROM outbox WHERE phase IN (1, 2, 3)";

const PUT_OFF: &str = "UPDATE work_items SET due_at = $5, attempts = attempts + 1 \
    WHERE account_key = $1 AND kind = $2 AND subject = $3 AND due_at = $4";

const DONE: &str = "DELETE FROM work_items \
    WHERE account_key = $1 AND kind = $2 AND subject = $3 AND created_at = $4";

const SENDING: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM outbox o JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key \
     WHERE o.account_key = $1 AND o.id = $2"
);

#[async_trait]
impl Outbox for PostgresStore {
    async fn command(
        &self,
        account: &AccountId,
        command: Command,
        rules: &Rules,
        now: Micros,
        trace: Option<String>,
    ) -> Result<Done, StoreError> {
        let order = Order { account: account.clone(), command, rules: *rules, now, trace };
        let (done, moved) = self
            .transact(move |connection| {
                let order = order.clone();
                Box::pin(async move {
                    let mut tx = Tx { connection, now };
                    let carried: outbox::Carried = projection::command(&mut tx, order).await?;
                    Ok(End::Commit(carried))
                })
            })
            .await?;
        self.hints.moved(&moved);
        Ok(done)
    }

    async fn due(
        &self,
        now: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let but: Vec<&str> = but.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query(DUE)
            .bind(now.0)
            .bind(but)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        rows.iter().map(due).collect()
    }

    async fn due_acts(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueAct>, StoreError> {
        let but: Vec<&str> = but.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query(DUE_ACTS)
            .bind(but)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        let due = |row| {
            let account = get::<String>(row, "account")?.into();
            Ok(DueAct { account, id: get(row, "id")?, at: Micros(get(row, "next_at")?) })
        };
        rows.iter().map(due).collect()
    }

    async fn due_work(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueWork>, StoreError> {
        let but: Vec<&str> = but.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query(DUE_WORK)
            .bind(but)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(sorted)?;
        rows.iter().map(work).collect()
    }

    async fn put_off(&self, work: &DueWork, at: Micros) -> Result<bool, StoreError> {
        let work = work.clone();
        self.transact(move |connection| {
            let query = sqlx::query(PUT_OFF)
                .bind(work.account_key)
                .bind(work.kind as i16)
                .bind(work.subject.clone())
                .bind(work.at.0)
                .bind(at.0);
            Box::pin(async move {
                let done = query.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(done.rows_affected() == 1))
            })
        })
        .await
    }

    async fn work_done(&self, work: &DueWork) -> Result<(), StoreError> {
        let work = work.clone();
        self.transact(move |connection| {
            let query = sqlx::query(DONE)
                .bind(work.account_key)
                .bind(work.kind as i16)
                .bind(work.subject.clone())
                .bind(work.asked_at.0);
            Box::pin(async move {
                query.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(()))
            })
        })
        .await
    }

    async fn standing(&self) -> Result<Standing, StoreError> {
        let row = sqlx::query(STANDING).fetch_one(&self.readers).await.map_err(sorted)?;
        let count = |name| Ok(get::<i64>(&row, name)?.cast_unsigned());
        Ok(Standing {
            queued: count("queued")?,
            sending: count("sending")?,
            uncertain: count("uncertain")?,
            unconfirmed: count("unconfirmed")?,
        })
    }

    async fn sending(
        &self,
        account_key: i64,
        message: &MessageId,
    ) -> Result<Option<SendRecord>, StoreError> {
        let row = sqlx::query(SENDING)
            .bind(account_key)
            .bind(message.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(sorted)?;
        row.map(|row| Ok((&decode::job(&row)?).into())).transpose()
    }
}

fn due(row: &PgRow) -> Result<Due, StoreError> {
    let key: i64 = get(row, "message_key")?;
    let phase = Phase::from_number(get(row, "phase")?);
    Ok(Due {
        account: get::<String>(row, "account")?.into(),
        message: MessageId(get::<Uuid>(row, "id")?),
        phase: phase.ok_or_else(|| nonsense("outbox", key, "phase"))?,
        chat: get::<String>(row, "chat_id")?.into(),
        started_at: micros(row, "started_at")?,
        at: Micros(get(row, "at")?),
        is_expired: get(row, "is_expired")?,
    })
}

fn work(row: &PgRow) -> Result<DueWork, StoreError> {
    let account_key = get(row, "account_key")?;
    let kind = WorkKind::from_number(get(row, "kind")?);
    Ok(DueWork {
        account: get::<String>(row, "account")?.into(),
        account_key,
        kind: kind.ok_or_else(|| nonsense("work_items", account_key, "kind"))?,
        subject: get(row, "subject")?,
        asked_at: Micros(get(row, "created_at")?),
        attempts: get::<i32>(row, "attempts")?.cast_unsigned(),
        at: Micros(get(row, "due_at")?),
    })
}
