//! SQLite keeps every promise of a store.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

use channel_store::conformance::Fresh;
use channel_store_sqlite::{Options, SqliteStore};
use std::sync::Arc;

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
    Fresh { store: Arc::new(store), guard: Box::new(folder) }
}

channel_store::store_conformance!(fresh);
