//! SQLite keeps every promise of a store.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

use channel_store::conformance::{Changed, Found, Fresh};
use channel_store_sqlite::{Options, SqliteStore};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, sqlite::SqliteConnectOptions};
use std::sync::Arc;

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
    let file = folder.path().join("channel.db");
    let other = file.clone();
    let sql = move |statement: String| -> Changed {
        let options = SqliteConnectOptions::new().filename(&file);
        Box::pin(async move {
            let mut connection = options.connect().await.unwrap();
            let done = connection.execute(AssertSqlSafe(statement)).await.unwrap();
            done.rows_affected()
        })
    };
    let places = move |text: String| -> Found {
        let options = SqliteConnectOptions::new().filename(&other);
        Box::pin(async move { places(options, &text).await })
    };
    Fresh {
        store: Arc::new(store),
        guard: Box::new(folder),
        sql: Box::new(sql),
        places: Box::new(places),
    }
}

/// The tables behind the index of words are tables too.
async fn places(options: SqliteConnectOptions, text: &str) -> Vec<String> {
    let mut connection = options.connect().await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p \
         WHERE m.type = 'table' ORDER BY 1, 2",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(columns.len() > 200, "the tables are looked through");
    let mut places = Vec::new();
    for (table, column) in columns {
        let find = format!(
            "SELECT count(*) FROM \"{table}\" \
             WHERE instr(CAST(\"{column}\" AS BLOB), CAST(? AS BLOB)) > 0"
        );
        let find = sqlx::query_scalar::<_, i64>(AssertSqlSafe(find)).bind(text);
        if find.fetch_one(&mut connection).await.unwrap() > 0 {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}

channel_store::store_conformance!(fresh);
