//! Erasing: the statements are those of `channel_store::erase`; here is what PostgreSQL has of its own.

use crate::PostgresStore;
use crate::decode::get;
use crate::error::sorted;
use crate::rows::Tx;
use crate::store::End;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_store::StoreError;
use channel_store::erase::{AccountTable, Deed, Deeds, Erasures, Seen, Shelf, Statement};
use channel_store::projection;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};

/// How lists are written.
const KEYS: &str = "(SELECT unnest($2::bigint[]) AS value)";
const TEXTS: &str = "(SELECT unnest($3::text[]) AS value)";

#[async_trait]
impl Erasures for PostgresStore {
    async fn look(&self, statement: Statement) -> Result<Vec<Seen>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        look(&mut connection, &statement).await
    }

    async fn deed(&self, deed: Deed) -> Result<Deeds, StoreError> {
        let (done, moved) = self
            .transact(move |connection| {
                let deed = deed.clone();
                Box::pin(async move {
                    let mut tx = Tx { connection, now: Micros(0) };
                    Ok(End::Commit(projection::erase::carry(&mut tx, deed).await?))
                })
            })
            .await?;
        self.hints.moved(&moved);
        Ok(done)
    }
}

#[async_trait]
impl Shelf for Tx<'_> {
    async fn look(&mut self, statement: Statement) -> Result<Vec<Seen>, StoreError> {
        look(self.connection, &statement).await
    }

    async fn run(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let text = statement.text(KEYS, TEXTS, "strpos", "uuid_send(m.id)");
        let query = bound(&text, &statement).execute(&mut *self.connection).await;
        Ok(query.map_err(sorted)?.rows_affected())
    }

    async fn forget_words(&mut self, account: i64, messages: &[i64]) -> Result<(), StoreError> {
        let sql = "DELETE FROM message_words WHERE account_key = $1 AND message_key IN {keys}";
        self.run(Statement::of(account, sql).keys(messages)).await.map(drop)
    }

    /// Vacuum does it.
    async fn wipe_words(&mut self, _first: bool) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn account_tables(&mut self) -> Result<Vec<AccountTable>, StoreError> {
        let sql = "SELECT c.relname::text AS t, array_agg(k.attname::text ORDER BY p.place) AS c \
            FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
              CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS p (number, place) \
              JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = p.number \
            WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname <> 'webhook_inbox' \
              AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid \
                AND a.attname = 'account_key' AND NOT a.attisdropped) \
            GROUP BY c.relname ORDER BY c.relname";
        let rows = sqlx::query(sql).fetch_all(&mut *self.connection).await.map_err(sorted)?;
        rows.iter().map(|row| Ok((get(row, "t")?, get(row, "c")?))).collect()
    }
}

async fn look(
    connection: &mut PgConnection,
    statement: &Statement,
) -> Result<Vec<Seen>, StoreError> {
    let text = statement.text(KEYS, TEXTS, "strpos", "uuid_send(m.id)");
    let rows = bound(&text, statement).fetch_all(connection).await.map_err(sorted)?;
    rows.iter().map(seen).collect()
}

fn bound<'q>(
    text: &str,
    statement: &'q Statement,
) -> sqlx::query::Query<'q, sqlx::Postgres, PgArguments> {
    let Statement { account, keys, texts, low, high, words, .. } = statement;
    let [first, second, third] = words;
    sqlx::query(AssertSqlSafe(text.to_owned()))
        .bind(account)
        .bind(keys)
        .bind(texts)
        .bind(low)
        .bind(high)
        .bind(first)
        .bind(second)
        .bind(third)
}

fn seen(row: &PgRow) -> Result<Seen, StoreError> {
    let (key, number) = (get(row, "k")?, get(row, "n")?);
    Ok(Seen { key, number, text: get(row, "t")?, bytes: get(row, "b")? })
}
