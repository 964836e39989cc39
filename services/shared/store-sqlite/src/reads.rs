//! Lists and single objects.

use crate::decode::{self, ACCOUNT, ATTENDEE, CHAT, MESSAGE, get};
use crate::error::sorted;
use crate::find::find;
use crate::messages::complete;
use crate::open::SqliteStore;
use async_trait::async_trait;
use channel_domain::attendee::{Attendee, Claim};
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, TenantId};
use channel_domain::{Micros, SortKey};
use channel_store::StoreError;
use channel_store::log::Position;
use channel_store::reads::{
    AccountRow, AttendeeQuery, AttendeeRow, ChatPlace, ChatQuery, MessageQuery, Reads, SearchQuery,
};
use channel_store::record::{AttendeeRecord, ChatRecord, MessageRecord};
use const_format::concatcp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

const ACCOUNTS: &str = concatcp!(
    "SELECT ",
    ACCOUNT,
    ", h.head, h.head_tag, h.heard_at FROM accounts a CROSS JOIN account_head h \
     ON h.account_key = a.account_key WHERE "
);
const CHATS: &str = concatcp!(
    "SELECT ",
    CHAT,
    " FROM chats c LEFT JOIN attendees p ON p.account_key = c.account_key \
     AND p.attendee_key = c.counterparty_key WHERE c.account_key = "
);
const MESSAGES: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    " FROM messages m CROSS JOIN chats c ON c.account_key = m.account_key \
     AND c.chat_key = m.chat_key LEFT JOIN attendees s ON s.account_key = m.account_key \
     AND s.attendee_key = m.sender_key WHERE m.account_key = "
);

/// The key of a chat by its id, or one that it had.
fn chat_key(query: &mut QueryBuilder<Sqlite>, account_key: i64, id: &ChatId) {
    query.push("coalesce((SELECT chat_key FROM chats WHERE account_key = ").push_bind(account_key);
    query.push(" AND id = ").push_bind(id.to_string());
    query.push("), (SELECT chat_key FROM chat_aliases WHERE account_key = ");
    query.push_bind(account_key).push(" AND id = ").push_bind(id.to_string()).push("))");
}

#[async_trait]
impl Reads for SqliteStore {
    async fn accounts(&self, tenant: &TenantId) -> Result<Vec<AccountRow>, StoreError> {
        let mut query = QueryBuilder::new(ACCOUNTS);
        query.push("a.tenant = ").push_bind(tenant.as_str()).push(" ORDER BY a.id");
        self.all(query).await?.iter().map(account_row).collect()
    }

    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        let mut query = QueryBuilder::new(ACCOUNTS);
        query.push("a.id = ").push_bind(id.as_str());
        self.all(query).await?.first().map(account_row).transpose()
    }

    async fn chats(
        &self,
        account_key: i64,
        wanted: &ChatQuery,
    ) -> Result<Vec<(ChatPlace, ChatRecord)>, StoreError> {
        let mut query = QueryBuilder::new(CHATS);
        query.push_bind(account_key);
        if let Some(unread) = wanted.unread {
            query.push(if unread { " AND c.unread > 0" } else { " AND c.unread = 0" });
        }
        if let Some(archived) = wanted.archived {
            query.push(" AND c.archived = ").push_bind(archived);
        }
        with_words(&mut query, "c.words", &wanted.words);
        if let Some((place, key)) = &wanted.after {
            query.push(" AND (c.place, c.chat_key) < (").push_bind(&place.as_bytes()[..]);
            query.push(", ").push_bind(key).push(")");
        }
        query.push(" ORDER BY c.place DESC, c.chat_key DESC");
        limit(&mut query, wanted.limit);
        self.all(query).await?.iter().map(chat_row).collect()
    }

    async fn chat(&self, account_key: i64, id: &ChatId) -> Result<Option<ChatRecord>, StoreError> {
        let mut query = QueryBuilder::new(CHATS);
        query.push_bind(account_key).push(" AND c.chat_key = ");
        chat_key(&mut query, account_key, id);
        let found = self.all(query).await?;
        found.first().map(|row| Ok((&decode::chat(row)?).into())).transpose()
    }

    async fn messages(
        &self,
        account_key: i64,
        chat: &ChatId,
        wanted: &MessageQuery,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        let mut query = QueryBuilder::new(MESSAGES);
        query.push_bind(account_key).push(" AND m.chat_key = ");
        chat_key(&mut query, account_key, chat);
        if let Some(before) = &wanted.before {
            query.push(if wanted.inclusive { " AND m.place <= " } else { " AND m.place < " });
            query.push_bind(&before.as_bytes()[..]);
        }
        if let Some(after) = &wanted.after {
            query.push(if wanted.inclusive { " AND m.place >= " } else { " AND m.place > " });
            query.push_bind(&after.as_bytes()[..]);
        }
        let forward = wanted.after.is_some() && wanted.before.is_none();
        query.push(if forward { " ORDER BY m.place" } else { " ORDER BY m.place DESC" });
        limit(&mut query, wanted.limit);
        let mut found = self.message_records(query).await?;
        if forward {
            found.reverse();
        }
        Ok(found)
    }

    async fn message(
        &self,
        account_key: i64,
        id: &MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let mut query = QueryBuilder::new(MESSAGES);
        query.push_bind(account_key).push(" AND m.id = ").push_bind(id.0);
        Ok(self.message_records(query).await?.pop())
    }

    async fn search(
        &self,
        account_key: i64,
        wanted: &SearchQuery,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        find(self, account_key, wanted).await
    }

    async fn attendees(
        &self,
        account_key: i64,
        wanted: &AttendeeQuery,
    ) -> Result<Vec<AttendeeRow>, StoreError> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(ATTENDEE);
        if let Some(chat) = &wanted.chat {
            query.push(", j.since_at, j.left_at FROM chat_attendees j JOIN attendees a ");
            query.push("ON a.account_key = j.account_key AND a.attendee_key = j.attendee_key ");
            query.push("AND j.chat_key = (SELECT c.chat_key FROM chats c WHERE c.account_key = ");
            query.push_bind(account_key).push(" AND c.id = ").push_bind(chat.as_str()).push(")");
        } else {
            query.push(", NULL AS since_at, NULL AS left_at FROM attendees a");
        }
        query.push(" WHERE a.account_key = ").push_bind(account_key);
        if wanted.each_once {
            query.push(" AND coalesce(a.ties->'joined'->>'person', a.id) = a.id");
        }
        with_words(&mut query, "a.words", &wanted.words);
        if let Some(after) = wanted.after {
            query.push(" AND a.attendee_key > ").push_bind(after);
        }
        query.push(" ORDER BY a.attendee_key");
        limit(&mut query, wanted.limit);
        self.all(query).await?.iter().map(attendee_row).collect()
    }

    async fn attendee(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Option<AttendeeRecord>, StoreError> {
        Ok(self.person(account_key, id).await?.map(|person| (&person).into()))
    }

    async fn identifiers(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Vec<Claim>, StoreError> {
        let person = self.person(account_key, id).await?;
        Ok(person.map(|person| person.identifiers()).unwrap_or_default())
    }
}

impl SqliteStore {
    async fn person(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Option<Attendee>, StoreError> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(ATTENDEE).push(" FROM attendees a WHERE a.account_key = ");
        query.push_bind(account_key).push(" AND a.id = ").push_bind(id.as_str());
        self.all(query).await?.first().map(decode::attendee).transpose()
    }

    async fn all(&self, mut query: QueryBuilder<Sqlite>) -> Result<Vec<SqliteRow>, StoreError> {
        query.build().fetch_all(&self.readers).await.map_err(sorted)
    }

    pub(crate) async fn message_records(
        &self,
        mut query: QueryBuilder<Sqlite>,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        let rows = query.build().fetch_all(&mut *connection).await.map_err(sorted)?;
        let messages = complete(&mut connection, &rows).await?;
        Ok(messages.iter().map(|owned| (&owned.row).into()).collect())
    }
}

pub(crate) fn limit(query: &mut QueryBuilder<Sqlite>, limit: usize) {
    query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
}

/// Each word must begin one of the words in the column.
fn with_words(query: &mut QueryBuilder<Sqlite>, column: &str, words: &[String]) {
    for word in words {
        query.push(" AND instr(").push(column).push(", ");
        query.push_bind(format!(" {word}")).push(") > 0");
    }
}

fn account_row(row: &SqliteRow) -> Result<AccountRow, StoreError> {
    let account = decode::account(row)?;
    Ok(AccountRow {
        key: account.key,
        tenant: account.tenant.clone(),
        record: (&account).into(),
        head: Position {
            seq: decode::seq(get(row, "head")?),
            tag: decode::tag(get(row, "head_tag")?),
        },
        heard_at: get::<Option<i64>>(row, "heard_at")?.map(Micros),
    })
}

fn attendee_row(row: &SqliteRow) -> Result<AttendeeRow, StoreError> {
    let attendee = decode::attendee(row)?;
    let since: Option<i64> = get(row, "since_at")?;
    let left: Option<i64> = get(row, "left_at")?;
    let member = since.map(|since| (Micros(since), left.map(Micros)));
    Ok(AttendeeRow { key: attendee.key, record: (&attendee).into(), member })
}

fn chat_row(row: &SqliteRow) -> Result<(ChatPlace, ChatRecord), StoreError> {
    let chat = decode::chat(row)?;
    let place: (SortKey, i64) = (chat.order, chat.key);
    Ok((place, (&chat).into()))
}
