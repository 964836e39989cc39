//! The promises of a store, kept by PostgreSQL.

use channel_store::conformance::Fresh;

async fn fresh() -> Fresh {
    Fresh { store: channel_store_postgres::testing::store().await, guard: Box::new(()) }
}

channel_store::store_conformance!(fresh);
