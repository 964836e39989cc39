//! Erasing: the statements are those of `channel_store::erase`; here is what SQLite has of its own.

use crate::decode::get;
use crate::error::sorted;
use crate::open::SqliteStore;
use crate::rows::Tx;
use async_trait::async_trait;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::erase::{AccountTable, Deed, Deeds, Erasures, Seen, Shelf, Statement};
use channel_store::projection;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Executor};

/// How lists are written.
const KEYS: &str = "(SELECT value FROM json_each($2))";
const TEXTS: &str = "(SELECT value FROM json_each($3))";

#[async_trait]
impl Erasures for SqliteStore {
    async fn look(&self, statement: Statement) -> Result<Vec<Seen>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(sorted)?;
        look(&mut connection, &statement).await
    }

    async fn deed(&self, deed: Deed) -> Result<Deeds, StoreError> {
        let can_wait = matches!(deed, Deed::Piece(_) | Deed::Prune(..) | Deed::Thin(_));
        let work = self.writer.write_in_turn(can_wait, move |connection| {
            Box::pin(async move {
                // What is erased is overwritten, so that it is not left in the file.
                connection.execute("PRAGMA secure_delete = ON").await.map_err(sorted)?;
                let done = projection::erase::carry(&mut Tx(&mut *connection), deed).await;
                connection.execute("PRAGMA secure_delete = OFF").await.map_err(sorted)?;
                done
            })
        });
        let (done, moved) = work.await?;
        self.tell(&moved);
        Ok(done)
    }
}

#[async_trait]
impl Shelf for Tx<'_> {
    async fn look(&mut self, statement: Statement) -> Result<Vec<Seen>, StoreError> {
        look(self.0, &statement).await
    }

    async fn run(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let text = statement.text(KEYS, TEXTS, "instr", "m.id");
        let query = bound(&text, &statement).execute(&mut *self.0).await;
        Ok(query.map_err(sorted)?.rows_affected())
    }

    async fn forget_words(&mut self, account: i64, messages: &[i64]) -> Result<(), StoreError> {
        let sql = "DELETE FROM message_words WHERE rowid IN (SELECT m.search_id FROM messages m \
            WHERE m.account_key = $1 AND m.message_key IN {keys})";
        self.run(Statement::of(account, sql).keys(messages)).await.map(drop)
    }

    /// A word that was deleted stays in its segment until that is merged, which is done a few pages at a time.
    async fn wipe_words(&mut self, first: bool) -> Result<bool, StoreError> {
        let pages = if first { -MERGED } else { MERGED };
        let before = self.changes().await?;
        let merge = "INSERT INTO message_words (message_words, rank) VALUES ('merge', ?)";
        sqlx::query(merge).bind(pages).execute(&mut *self.0).await.map_err(sorted)?;
        // As SQLite's manual says: nothing was merged if fewer than two rows changed.
        Ok(self.changes().await? - before < 2)
    }

    async fn account_tables(&mut self) -> Result<Vec<AccountTable>, StoreError> {
        let sql = "SELECT m.name AS t, p.name AS c FROM sqlite_schema m, pragma_table_info(m.name) p \
            WHERE m.type = 'table' AND p.pk > 0 AND m.name <> 'webhook_inbox' AND EXISTS \
              (SELECT 1 FROM pragma_table_info(m.name) a WHERE a.name = 'account_key') \
            ORDER BY m.name, p.pk";
        let rows = sqlx::query(sql).fetch_all(&mut *self.0).await.map_err(sorted)?;
        let mut tables: Vec<AccountTable> = Vec::new();
        for row in &rows {
            let (table, column): (String, String) = (get(row, "t")?, get(row, "c")?);
            match tables.last_mut().filter(|(last, _)| *last == table) {
                Some((_, columns)) => columns.push(column),
                None => tables.push((table, vec![column])),
            }
        }
        Ok(tables)
    }
}

/// How many pages of the index of words one piece merges.
const MERGED: i64 = 64;

impl Tx<'_> {
    async fn changes(&mut self) -> Result<i64, StoreError> {
        let changes = sqlx::query_scalar("SELECT total_changes()").fetch_one(&mut *self.0).await;
        changes.map_err(sorted)
    }
}

/// Whether an account was erased, or is being.
pub(crate) async fn is_erased(
    connection: &mut SqliteConnection,
    id: &AccountId,
) -> Result<bool, StoreError> {
    let found = "SELECT EXISTS (SELECT 1 FROM erasures WHERE account = ? AND kind = 2)";
    sqlx::query_scalar(found).bind(id.as_str()).fetch_one(connection).await.map_err(sorted)
}

async fn look(
    connection: &mut SqliteConnection,
    statement: &Statement,
) -> Result<Vec<Seen>, StoreError> {
    let text = statement.text(KEYS, TEXTS, "instr", "m.id");
    let rows = bound(&text, statement).fetch_all(connection).await.map_err(sorted)?;
    rows.iter().map(seen).collect()
}

fn bound<'q>(text: &str, statement: &'q Statement) -> crate::sql::Query<'q> {
    let Statement { account, keys, texts, low, high, words, .. } = statement;
    let [first, second, third] = words;
    sqlx::query(AssertSqlSafe(text.to_owned()))
        .bind(account)
        .bind(serde_json::to_string(keys).unwrap_or_default())
        .bind(serde_json::to_string(texts).unwrap_or_default())
        .bind(low)
        .bind(high)
        .bind(first)
        .bind(second)
        .bind(third)
}

fn seen(row: &SqliteRow) -> Result<Seen, StoreError> {
    let (key, number) = (get(row, "k")?, get(row, "n")?);
    Ok(Seen { key, number, text: get(row, "t")?, bytes: get(row, "b")? })
}
