//! The promises of a store, kept by PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

use channel_store::conformance::{Changed, Fresh};

use channel_store_postgres::{PostgresConfig, PostgresStore, testing};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

async fn fresh() -> Fresh {
    let url = testing::database().await;
    let config = PostgresConfig { max_connections: 8, ..PostgresConfig::new(url.clone()) };
    let store = PostgresStore::connect(config).await.unwrap();
    let sql = move |statement: String| -> Changed {
        let url = url.clone();
        Box::pin(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let done = connection.execute(AssertSqlSafe(statement)).await.unwrap();
            done.rows_affected()
        })
    };
    Fresh { store, guard: Box::new(()), sql: Box::new(sql) }
}

channel_store::store_conformance!(fresh);
