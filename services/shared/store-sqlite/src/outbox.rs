//! The outbox: carrying commands out, finding what is due, and the rows that commands need.

use crate::decode::{self, JOB, MESSAGE, get, micros};
use crate::error::{nonsense, sorted};
use crate::messages::complete;
use crate::open::SqliteStore;
use crate::rows::{Tx, owned};
use crate::sql::{Query, Rowwise};
use async_trait::async_trait;
use channel_domain::ids::{AccountId, AttendeeId, MessageId};
use channel_domain::message::Message;
use channel_domain::send::{Action, Ahead, Job, Pacing, Phase};
use channel_domain::{Micros, Stamp};
use channel_store::outbox::{Command, Done, Due, DueAct, DueWork, Order, Outbox, Rules, Standing};
use channel_store::record::SendRecord;
use channel_store::rows::{Held, JobsWanted, Owned, Parked, WorkKind};
use channel_store::{StoreError, projection};
use const_format::concatcp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

/// Of each chat its oldest open message alone: messages leave in order. Time runs out for all of them.
/// Connections: 0 is unknown, 1 is running.
const DUE: &str = "SELECT a.id AS account, o.message_key, o.id, o.phase, c.id AS chat_id, o.started_at, \
      CASE o.phase WHEN 1 THEN min(o.next_at, o.expires_at) ELSE o.next_at END AS at, \
      o.phase = 1 AND o.expires_at <= ?1 AS is_expired \
    FROM outbox o INDEXED BY outbox_due \
      CROSS JOIN accounts a ON a.account_key = o.account_key \
      CROSS JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key \
    WHERE o.phase IN (1, 2, 3) \
      AND (o.phase = 1 AND o.expires_at <= ?1 \
        OR (o.phase <> 1 OR a.connection IN (0, 1)) AND NOT EXISTS (SELECT 1 FROM outbox e \
          WHERE e.account_key = o.account_key AND e.chat_key = o.chat_key \
            AND e.message_key < o.message_key AND e.phase IN (1, 2, 3)))";

const DUE_ACTS: &str = "SELECT a.id AS account, x.id, x.next_at \
    FROM actions x INDEXED BY actions_due CROSS JOIN accounts a ON a.account_key = x.account_key \
    WHERE x.stage = 1 AND a.connection IN (0, 1) \
      AND NOT EXISTS (SELECT 1 FROM actions e WHERE e.account_key = x.account_key \
        AND e.chat_key = x.chat_key AND e.action_key < x.action_key AND e.stage = 1)";

/// 3 is fetching files, which is somebody else's work.
const DUE_WORK: &str = "SELECT a.id AS account, w.account_key, w.kind, w.subject, w.created_at, \
      w.attempts, w.due_at FROM work_items w INDEXED BY work_items_due \
    CROSS JOIN accounts a ON a.account_key = w.account_key WHERE w.kind IN (1, 2, 4)";

const STANDING: &str = "SELECT count(*) FILTER (WHERE phase = 1) AS queued, \
      count(*) FILTER (WHERE phase = 2) AS sending, count(*) FILTER (WHERE phase = 3) AS uncertain, \
      (SELECT count(*) FROM outbox INDEXED BY outbox_unconfirmed WHERE phase = 6) AS unconfirmed \
    FROM outbox INDEXED BY outbox_due WHERE phase IN (1, 2, 3)";

const PUT_OFF: &str = "UPDATE work_items SET due_at = ?5, attempts = attempts + 1 \
    WHERE account_key = ?1 AND kind = ?2 AND subject = ?3 AND due_at = ?4";

const DONE: &str = "DELETE FROM work_items \
    WHERE account_key = ?1 AND kind = ?2 AND subject = ?3 AND created_at = ?4";

const SENDING: &str = concatcp!(
    "SELECT ",
    JOB,
    " FROM outbox o CROSS JOIN chats c ON c.account_key = o.account_key \
     AND c.chat_key = o.chat_key WHERE o.account_key = ? AND o.id = ?"
);

#[async_trait]
impl Outbox for SqliteStore {
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
            .writer
            .write(move |connection| {
                Box::pin(async move { projection::command(&mut Tx(connection), order).await })
            })
            .await?;
        self.tell(&moved);
        Ok(done)
    }

    async fn due(
        &self,
        now: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let sql = DUE.replace("?1", &now.0.to_string());
        let rows = self.rows_due(&sql, but, "o.next_at", limit).await?;
        rows.iter().map(due).collect()
    }

    async fn due_acts(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueAct>, StoreError> {
        let rows = self.rows_due(DUE_ACTS, but, "x.next_at", limit).await?;
        let due = |row| {
            let account = get::<String>(row, "account")?.into();
            Ok(DueAct { account, id: get(row, "id")?, at: Micros(get(row, "next_at")?) })
        };
        rows.iter().map(due).collect()
    }

    async fn due_work(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueWork>, StoreError> {
        let rows = self.rows_due(DUE_WORK, but, "w.due_at", limit).await?;
        rows.iter().map(work).collect()
    }

    async fn put_off(&self, work: &DueWork, at: Micros) -> Result<bool, StoreError> {
        let work = work.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(PUT_OFF)
                        .bind(work.account_key)
                        .bind(work.kind as i16)
                        .bind(work.subject)
                        .bind(work.at.0)
                        .bind(at.0);
                    let done = query.execute(connection).await.map_err(sorted)?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }

    async fn work_done(&self, work: &DueWork) -> Result<(), StoreError> {
        let work = work.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(DONE)
                        .bind(work.account_key)
                        .bind(work.kind as i16)
                        .bind(work.subject)
                        .bind(work.asked_at.0);
                    query.execute(connection).await.map(drop).map_err(sorted)
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

impl SqliteStore {
    /// The rows of a query of what is due, the longest due first, without those of some accounts.
    pub(crate) async fn rows_due(
        &self,
        sql: &str,
        but: &[AccountId],
        since: &str,
        limit: usize,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(sql);
        for account in but {
            query.push(" AND a.id <> ").push_bind(account.as_str());
        }
        query.push(" ORDER BY ").push(since);
        crate::reads::limit(&mut query, limit);
        query.build().fetch_all(&self.readers).await.map_err(sorted)
    }
}

fn due(row: &SqliteRow) -> Result<Due, StoreError> {
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

fn work(row: &SqliteRow) -> Result<DueWork, StoreError> {
    let account_key: i64 = get(row, "account_key")?;
    let kind = WorkKind::from_number(get(row, "kind")?);
    Ok(DueWork {
        account: get::<String>(row, "account")?.into(),
        account_key,
        kind: kind.ok_or_else(|| nonsense("work_items", account_key, "kind"))?,
        subject: get(row, "subject")?,
        asked_at: Micros(get(row, "created_at")?),
        attempts: get(row, "attempts")?,
        at: Micros(get(row, "due_at")?),
    })
}

const JOBS_BY_ID: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        JOB,
        " FROM wanted w CROSS JOIN outbox o ON o.account_key = w.k AND o.id = w.id \
         CROSS JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key"
    ),
};

const JOBS_OF_CHATS: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        JOB,
        " FROM wanted w CROSS JOIN chats c ON c.account_key = w.k AND c.id = w.id \
         CROSS JOIN outbox o ON o.account_key = c.account_key AND o.chat_key = c.chat_key \
           AND o.phase IN (2, 3, 5, 6)"
    ),
};

const STARTS: Rowwise = Rowwise {
    head: "WITH wanted (k) AS (VALUES",
    columns: 1,
    tail: concatcp!(
        ") SELECT ",
        JOB,
        " FROM wanted w CROSS JOIN outbox o INDEXED BY outbox_starts ON o.account_key = w.k \
           AND o.phase IN (1, 2, 3, 5, 6) AND o.phase <> 1 AND o.request->>'what' = 'start' \
         CROSS JOIN chats c ON c.account_key = o.account_key AND c.chat_key = o.chat_key"
    ),
};

const ALL_OF_CHATS: Rowwise = Rowwise {
    head: "WITH wanted (k, chat) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        JOB,
        " FROM wanted w CROSS JOIN chats c ON c.account_key = w.k AND c.chat_key = w.chat \
         CROSS JOIN outbox o ON o.account_key = c.account_key AND o.chat_key = c.chat_key"
    ),
};

/// Loads messages of the outbox.
pub(crate) async fn jobs(
    c: &mut SqliteConnection,
    wanted: &JobsWanted,
) -> Result<Vec<Owned<Job>>, StoreError> {
    let mut rows = JOBS_BY_ID.fetch(c, &wanted.ids, |q, (k, id)| q.bind(k).bind(id.0)).await?;
    let of_chats = JOBS_OF_CHATS;
    rows.extend(of_chats.fetch(c, &wanted.chats, |q, (k, id)| q.bind(k).bind(id.as_str())).await?);
    rows.extend(STARTS.fetch(c, &wanted.starts, Query::bind).await?);
    rows.extend(ALL_OF_CHATS.fetch(c, &wanted.all_of, |q, (k, chat)| q.bind(k).bind(chat)).await?);
    rows.iter().map(|row| owned(row, decode::job(row)?)).collect()
}

const MESSAGES_BY_ID: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        MESSAGE,
        " FROM wanted w CROSS JOIN messages m ON m.account_key = w.k AND m.id = w.id \
         CROSS JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
         LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key"
    ),
};

/// Loads messages by their public ids.
pub(crate) async fn messages(
    c: &mut SqliteConnection,
    wanted: &[(i64, MessageId)],
) -> Result<Vec<Owned<Message>>, StoreError> {
    let rows = MESSAGES_BY_ID.fetch(c, wanted, |q, (k, id)| q.bind(k).bind(id.0)).await?;
    complete(c, &rows).await
}

const ACTIONS: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: ") SELECT x.* FROM wanted w CROSS JOIN actions x ON x.account_key = w.k AND x.id = w.id",
};

/// Loads actions by their ids.
pub(crate) async fn actions(
    c: &mut SqliteConnection,
    wanted: &[(i64, Uuid)],
) -> Result<Vec<Owned<Action>>, StoreError> {
    let rows = ACTIONS.fetch(c, wanted, |q, (k, id)| q.bind(k).bind(id)).await?;
    rows.iter().map(|row| owned(row, decode::action(row)?)).collect()
}

/// Loads the own messages that wait for a message's request to end.
pub(crate) async fn held(
    c: &mut SqliteConnection,
    account: i64,
    message_key: i64,
) -> Result<Vec<Held>, StoreError> {
    let rows = sqlx::query(
        "SELECT upstream_id, at, inbox, fact FROM held_echoes \
         WHERE account_key = ? AND message_key = ?",
    )
    .bind(account)
    .bind(message_key)
    .fetch_all(c)
    .await
    .map_err(sorted)?;
    let held = |row| {
        let inbox = get(row, "inbox")?;
        let fact = Parked {
            account_key: account,
            message: get::<String>(row, "upstream_id")?.into(),
            stamp: Stamp { at: Micros(get(row, "at")?), inbox },
            fact: decode::json("held_echoes", inbox, get(row, "fact")?)?,
        };
        Ok(Held { message_key, fact })
    };
    rows.iter().map(held).collect()
}

/// What of an account waits to be sent.
pub(crate) async fn waiting(c: &mut SqliteConnection, account: i64) -> Result<Ahead, StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM outbox WHERE account_key = ?1 AND phase IN (1, 2, 3)) AS messages, \
           (SELECT count(*) FROM outbox INDEXED BY outbox_starts WHERE account_key = ?1 \
             AND phase IN (1, 2, 3, 5, 6) AND phase = 1 AND request->>'what' = 'start') AS starts",
    )
    .bind(account)
    .fetch_one(c)
    .await
    .map_err(sorted)?;
    let count = |name| Ok(u32::try_from(get::<i64>(&row, name)?).unwrap_or(u32::MAX));
    Ok(Ahead { messages: count("messages")?, starts: count("starts")? })
}

/// How fast an account may send.
pub(crate) async fn pacing(c: &mut SqliteConnection, account: i64) -> Result<Pacing, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM account_pacing WHERE account_key = ?")
            .bind(account)
            .fetch_optional(c)
            .await
            .map_err(sorted)?;
    let pacing = state.map(|text| decode::json("account_pacing", account, &text));
    Ok(pacing.transpose()?.unwrap_or_default())
}

/// The id of the account's owner as a person.
pub(crate) async fn owner(
    c: &mut SqliteConnection,
    account: i64,
) -> Result<Option<AttendeeId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM attendees WHERE account_key = ? AND is_self ORDER BY attendee_key LIMIT 1",
    )
    .bind(account)
    .fetch_optional(c)
    .await
    .map_err(sorted)?;
    Ok(id.map(Into::into))
}
