//! SQLite keeps every promise of a store.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

use channel_store::conformance::{Changed, Fresh};
use channel_store_sqlite::{Options, SqliteStore};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, sqlite::SqliteConnectOptions};
use std::sync::Arc;

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
    let file = folder.path().join("channel.db");
    let sql = move |statement: String| -> Changed {
        let options = SqliteConnectOptions::new().filename(&file);
        Box::pin(async move {
            let mut connection = options.connect().await.unwrap();
            let done = connection.execute(AssertSqlSafe(statement)).await.unwrap();
            done.rows_affected()
        })
    };
    Fresh { store: Arc::new(store), guard: Box::new(folder), sql: Box::new(sql) }
}

channel_store::store_conformance!(fresh);
