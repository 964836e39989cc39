//! Lists and single objects. One method, one statement, so one snapshot.

mod accounts;
mod attendees;
mod chats;
mod messages;

use crate::error::sorted;
use crate::{PostgresStore, search};
use async_trait::async_trait;
use channel_domain::attendee::Claim;
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, TenantId};
use channel_store::StoreError;
use channel_store::reads::{
    AccountRow, AttendeeQuery, AttendeeRow, ChatPlace, ChatQuery, MessageQuery, Reads, SearchQuery,
};
use channel_store::record::{AttendeeRecord, ChatRecord, MessageRecord};
use sqlx::postgres::{PgArguments, PgPool, PgRow, Postgres};

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

#[async_trait]
impl Reads for PostgresStore {
    async fn accounts(&self, tenant: &TenantId) -> Result<Vec<AccountRow>, StoreError> {
        accounts::of_tenant(&self.readers, tenant).await
    }

    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        accounts::one(&self.readers, id).await
    }

    async fn chats(
        &self,
        account_key: i64,
        query: &ChatQuery,
    ) -> Result<Vec<(ChatPlace, ChatRecord)>, StoreError> {
        chats::list(&self.readers, account_key, query).await
    }

    async fn chat(&self, account_key: i64, id: &ChatId) -> Result<Option<ChatRecord>, StoreError> {
        chats::one(&self.readers, account_key, id).await
    }

    async fn messages(
        &self,
        account_key: i64,
        chat: &ChatId,
        query: &MessageQuery,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        messages::list(&self.readers, account_key, chat, query).await
    }

    async fn message(
        &self,
        account_key: i64,
        id: &MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        messages::one(&self.readers, account_key, id).await
    }

    async fn search(
        &self,
        account_key: i64,
        query: &SearchQuery,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        search::find(&self.readers, account_key, query).await
    }

    async fn attendees(
        &self,
        account_key: i64,
        query: &AttendeeQuery,
    ) -> Result<Vec<AttendeeRow>, StoreError> {
        attendees::list(&self.readers, account_key, query).await
    }

    async fn attendee(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Option<AttendeeRecord>, StoreError> {
        let person = attendees::one(&self.readers, account_key, id).await?;
        Ok(person.map(|person| (&person).into()))
    }

    async fn identifiers(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Vec<Claim>, StoreError> {
        let person = attendees::one(&self.readers, account_key, id).await?;
        Ok(person.map(|person| person.identifiers()).unwrap_or_default())
    }
}

async fn all<T>(
    pool: &PgPool,
    query: Query<'_>,
    decode: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let rows = query.fetch_all(pool).await.map_err(sorted)?;
    rows.iter().map(decode).collect()
}

async fn at_most_one<T>(
    pool: &PgPool,
    query: Query<'_>,
    decode: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let row = query.fetch_optional(pool).await.map_err(sorted)?;
    row.as_ref().map(decode).transpose()
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Each word must begin one of the words in a column of them. Words are letters and digits only, so no
/// sign in them means anything to LIKE; what else a caller may pass is left out.
fn beginnings(words: &[String]) -> Vec<String> {
    let plain = |word: &String| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    words.iter().map(|word| format!("% {}%", plain(word))).collect()
}
