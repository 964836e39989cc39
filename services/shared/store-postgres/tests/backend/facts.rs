//! Facts to feed a store with, and ways to look behind it.

use bytes::Bytes;
use channel_domain::Micros;
use channel_domain::fact::{Attachment, ChatClaim, Fact, OwnerClaim, Person, Received, Statement};
use channel_store::Intake;
use channel_store::intake::{Delivery, Reading};
use channel_store_postgres::{PostgresConfig, PostgresStore};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub(crate) const NOON: i64 = 1_769_940_000_000_000;

/// `seconds` after noon.
pub(crate) const fn at(seconds: i64) -> Micros {
    Micros(NOON + seconds * 1_000_000)
}

pub(crate) fn received(message: &str, chat: &str, text: &str, second: i64) -> Received {
    let ana = Person {
        id: Some("ana".into()),
        name: Some("Ana".into()),
        phone: Some("+15550100002".into()),
        ..Person::default()
    };
    Received {
        message: message.into(),
        provider_id: None,
        chat: ChatClaim {
            id: chat.into(),
            provider_id: None,
            is_group: Some(false),
            subject: None,
            pinned: None,
        },
        owner: OwnerClaim::default(),
        is_sender: Some(false),
        sender: Some(ana),
        attendees: vec![],
        text: Some(text.into()),
        attachments: vec![],
        sent_at: Some(at(second)),
        event: None,
        hidden: false,
        forwarded: false,
        quoted: None,
    }
}

pub(crate) fn file(name: &str, size: u64) -> Attachment {
    Attachment {
        id: name.into(),
        name: Some(name.into()),
        size: Some(size),
        ..Attachment::default()
    }
}

pub(crate) fn reading(account: &str, fact: Received) -> Reading {
    let mut hasher = DefaultHasher::new();
    (account, format!("{fact:?}")).hash(&mut hasher);
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    let statement = Statement { account: account.into(), fact: Fact::Received(Box::new(fact)) };
    Reading::Statement { statement: Box::new(statement), digest }
}

pub(crate) fn delivery(account: &str, fact: Received, second: i64) -> Delivery {
    Delivery {
        received_at: at(second),
        body: Bytes::from_static(b"{}"),
        headers: "{}".into(),
        reading: reading(account, fact),
        trace: None,
    }
}

/// One text message.
pub(crate) fn text(account: &str, message: &str, second: i64) -> Delivery {
    delivery(account, received(message, "chat", message, second), second)
}

pub(crate) async fn take(store: &PostgresStore, batch: Vec<Delivery>) -> Vec<(i64, u64)> {
    let taken = store.take(batch).await.unwrap();
    taken.moved.iter().map(|moved| (moved.account_key, moved.head)).collect()
}

/// A store on a database that another one may use too.
pub(crate) async fn connect(url: &str) -> Arc<PostgresStore> {
    let config = PostgresConfig { max_connections: 8, ..PostgresConfig::new(url) };
    PostgresStore::connect(config).await.unwrap()
}

/// One number, from behind the store's back.
pub(crate) async fn number(url: &str, statement: &str) -> i64 {
    value(url, statement).await
}

/// The only value that a statement gives.
pub(crate) async fn value<T>(url: &str, statement: &str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let mut connection = PgConnection::connect(url).await.unwrap();
    let query = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
    let value = query.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    value
}

pub(crate) async fn execute(url: &str, statement: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let query = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    query.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Waits until a statement gives this number.
pub(crate) async fn until(url: &str, statement: &str, wanted: i64) {
    let waiting = async {
        while number(url, statement).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await;
    assert!(came.is_ok(), "never {wanted}: {statement}");
}
