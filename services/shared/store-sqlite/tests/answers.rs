//! SQLite says whether it is there.

use channel_store::StoreError;
use channel_store_sqlite::{Options, SqliteStore};

#[tokio::test]
async fn an_open_store_answers_and_a_closed_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
    store.answers().await.unwrap();
    store.close().await;
    assert!(matches!(store.answers().await, Err(StoreError::Unavailable(_))));
}
