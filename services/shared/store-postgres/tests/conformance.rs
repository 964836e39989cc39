//! The promises of a store, kept by PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

use channel_store::conformance::{Changed, Found, Fresh};

use channel_store_postgres::{PostgresConfig, PostgresStore, testing};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

async fn fresh() -> Fresh {
    let url = testing::database().await;
    let config = PostgresConfig { max_connections: 8, ..PostgresConfig::new(url.clone()) };
    let store = PostgresStore::connect(config).await.unwrap();
    let other = url.clone();
    let sql = move |statement: String| -> Changed {
        let url = url.clone();
        Box::pin(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let done = connection.execute(AssertSqlSafe(statement)).await.unwrap();
            done.rows_affected()
        })
    };
    let places = move |text: String| -> Found {
        let url = other.clone();
        Box::pin(async move { places(&url, &text).await })
    };
    Fresh { store, guard: Box::new(()), sql: Box::new(sql), places: Box::new(places) }
}

async fn places(url: &str, text: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1, 2",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(columns.len() > 200, "the tables are looked through");
    let mut places = Vec::new();
    for (table, column, kind) in columns {
        let bytes = match kind.as_str() {
            "bytea" => format!("\"{column}\""),
            _ => format!("convert_to(\"{column}\"::text, 'UTF8')"),
        };
        let find = format!(
            "SELECT count(*) FROM \"{table}\" WHERE position(convert_to($1, 'UTF8') in {bytes}) > 0"
        );
        let find = sqlx::query_scalar::<_, i64>(AssertSqlSafe(find)).bind(text);
        if find.fetch_one(&mut connection).await.unwrap() > 0 {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}

channel_store::store_conformance!(fresh);
