//! The same rows by one statement over one connection, and nothing made of them.

use crate::rows::corpus::{LARGE_ACCOUNT, LARGE_CHAT};
use crate::stats::{Summary, Times};
use anyhow::ensure;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Instant;

const ACCOUNT: &str = "SELECT account_key FROM accounts WHERE id = $1";
const CHAT: &str = "SELECT chat_key FROM chats WHERE id = $1";
const CHATS: &str = "SELECT c.*, p.name, p.phone FROM chats c LEFT JOIN attendees p \
    ON p.account_key = c.account_key AND p.attendee_key = c.counterparty_key \
    WHERE c.account_key = $1 ORDER BY c.place DESC, c.chat_key DESC LIMIT 51";
const MESSAGES: &str = "SELECT m.*, c.id AS chat, s.id AS sender, s.name FROM messages m \
    JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
    LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key \
    WHERE m.account_key = $1 AND m.chat_key = $2 ORDER BY m.place DESC LIMIT 51";

/// A connection of its own.
pub(super) enum Bare {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Bare {
    pub(super) async fn open(place: &str) -> anyhow::Result<Self> {
        if place.starts_with("postgres://") {
            let mut connection = PgConnectOptions::from_str(place)?.connect().await?;
            // As the server would have done by itself a minute later.
            sqlx::query("ANALYZE").execute(&mut connection).await?;
            return Ok(Self::Postgres(connection));
        }
        let file = Path::new(place).join("channel.db");
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let options = options.pragma("mmap_size", "268435456").pragma("cache_size", "-32000");
        Ok(Self::Sqlite(options.connect().await?))
    }

    /// Times both pages.
    pub(super) async fn pages(mut self, reads: usize) -> anyhow::Result<[Summary; 2]> {
        let account = self.key(ACCOUNT, LARGE_ACCOUNT).await?;
        let chat = self.key(CHAT, LARGE_CHAT).await?;
        let chats = self.page(CHATS, &[account], reads).await?;
        let messages = self.page(MESSAGES, &[account, chat], reads).await?;
        match self {
            Self::Postgres(connection) => connection.close().await?,
            Self::Sqlite(connection) => connection.close().await?,
        }
        Ok([chats, messages])
    }

    async fn key(&mut self, sql: &'static str, id: &str) -> anyhow::Result<i64> {
        Ok(match self {
            Self::Postgres(c) => sqlx::query_scalar(sql).bind(id).fetch_one(c).await?,
            Self::Sqlite(c) => sqlx::query_scalar(sql).bind(id).fetch_one(c).await?,
        })
    }

    async fn page(
        &mut self,
        sql: &'static str,
        keys: &[i64],
        reads: usize,
    ) -> anyhow::Result<Summary> {
        let mut times = Times::default();
        while !times.are_enough(reads) {
            let began = Instant::now();
            let rows = match self {
                Self::Postgres(c) => {
                    let query = keys.iter().fold(sqlx::query(sql), |query, key| query.bind(*key));
                    query.fetch_all(c).await?.len()
                }
                Self::Sqlite(c) => {
                    let query = keys.iter().fold(sqlx::query(sql), |query, key| query.bind(*key));
                    query.fetch_all(c).await?.len()
                }
            };
            times.add(began.elapsed());
            ensure!(rows == 51, "the bare statement found {rows} rows");
        }
        Ok(times.summary())
    }
}
