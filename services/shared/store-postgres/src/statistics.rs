//! The planner's knowledge of tables that grow fast.
//!
//! A prepared statement keeps the plan that was made when it was first used. In a new database that is
//! the plan for empty tables, and until somebody analyses them it reads whole accounts to find a row.
//! PostgreSQL's own analysis comes after a minute or more, which is long in an import; so each time a
//! table has grown fourfold it is analysed here, which also makes everybody plan again.

use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Executor};
use std::collections::HashMap;
use std::time::Duration;

/// How often the tables' sizes are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Smaller tables are read in no time, whatever the plan.
const SMALL: i64 = 256 * 1024;
/// Larger ones are left to PostgreSQL's own analysis.
const LARGE: i64 = 1024 * 1024 * 1024;
/// Held while a table is analysed, so that of many processes one does it.
const LOCK: i64 = 0x6368_616e_0001;

const SIZES: &str = "SELECT c.relname::text, pg_relation_size(c.oid), \
      s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL \
    FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid \
    WHERE c.relkind = 'r' AND s.schemaname = current_schema()";

/// Watches over the tables, for as long as it is polled.
pub(crate) async fn watch(pool: PgPool) {
    let mut known = HashMap::new();
    loop {
        if let Err(error) = look(&pool, &mut known).await {
            tracing::debug!(error = %error, "the tables' sizes cannot be read");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(pool: &PgPool, known: &mut HashMap<String, i64>) -> Result<(), StoreError> {
    let sizes: Vec<(String, i64, bool)> =
        sqlx::query_as(SIZES).fetch_all(pool).await.map_err(sorted)?;
    for (table, size, analysed) in sizes {
        let then = *known.entry(table.clone()).or_insert(if analysed { size } else { 0 });
        if size > SMALL && size < LARGE && size / 4 >= then {
            analyse(pool, &table).await?;
            known.insert(table, size);
        }
    }
    Ok(())
}

async fn analyse(pool: &PgPool, table: &str) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await.map_err(sorted)?;
    let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *transaction)
        .await
        .map_err(sorted)?;
    if mine {
        // The name is one of the schema's own.
        let statement = AssertSqlSafe(format!("ANALYZE \"{table}\""));
        transaction.execute(statement).await.map_err(sorted)?;
    }
    transaction.commit().await.map_err(sorted)
}
