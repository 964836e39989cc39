//! A server that crashes and comes back.

use crate::facts::{connect, execute, number, take, text};
use channel_store::{ChangeLog, Intake, Reads, StoreError};
use channel_store_postgres::testing::{self, Server};
use channel_store_postgres::{PostgresConfig, PostgresStore};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_survives_a_crash_of_its_server_and_loses_nothing_it_answered() {
    // Data pages are written with care here: this is about what a crash leaves.
    let server = Server::start(&[("fsync", "on"), ("full_page_writes", "on")]).unwrap();
    let config = PostgresConfig {
        acquire_timeout: Duration::from_millis(500),
        ..PostgresConfig::new(server.url("postgres"))
    };
    let store = PostgresStore::connect(config.clone()).await.unwrap();
    let moved = take(&store, vec![text("a", "before", 1)]).await;
    let mut wakeups = store.wakeups();

    store.answers().await.unwrap();

    server.crash().unwrap();
    let away = store.answers().await.unwrap_err();
    assert!(matches!(away, StoreError::Unavailable(_)), "{away:?}");
    let refused = store.take(vec![text("a", "while", 2)]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(store.accounts(&"default".into()).await.unwrap_err().is_temporary());

    server.resume().unwrap();
    store.answers().await.unwrap();
    let heads = store.heads(&[moved[0].0]).await.unwrap();
    assert_eq!(heads[0].head.seq, moved[0].1);
    take(&store, vec![text("a", "after", 3)]).await;
    // The listener comes back too, and says that it was away.
    let told = async { while !wakeups.recv().await.unwrap().is_empty() {} };
    tokio::time::timeout(Duration::from_secs(10), told).await.expect("it was away");
    assert_eq!(number(&config.url, "SELECT count(*) FROM messages").await, 2);
}

#[tokio::test]
async fn a_broken_connection_costs_the_caller_nothing() {
    let url = testing::database().await;
    let store = connect(&url).await;
    for round in 0..5 {
        take(&store, vec![text("a", &format!("m{round}"), round)]).await;
        store.answers().await.unwrap();
        store.accounts(&"default".into()).await.unwrap();
        execute(
            &url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }
    assert_eq!(number(&url, "SELECT count(*) FROM messages").await, 5);
}

#[tokio::test]
async fn a_commit_is_on_disk_even_where_the_server_would_not_wait() {
    let url = testing::database().await;
    execute(
        &url,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', \
        current_database()); END $$",
    )
    .await;
    let store = connect(&url).await;
    execute(
        &url,
        "CREATE TABLE seen (setting text); \
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
        CREATE TRIGGER note AFTER INSERT ON messages EXECUTE FUNCTION note()",
    )
    .await;
    take(&store, vec![text("a", "m", 1)]).await;
    assert_eq!(number(&url, "SELECT count(*) FROM seen WHERE setting = 'on'").await, 1);
}

#[tokio::test]
async fn a_deadlock_with_somebody_else_is_tried_again() {
    let url = testing::database().await;
    let store = connect(&url).await;
    take(&store, vec![text("a", "m", 1), text("b", "m", 1)]).await;
    execute(
        &url,
        "CREATE SEQUENCE tries; \
        CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF nextval('tries') = 1 THEN RAISE 'conflict' USING ERRCODE = '40P01'; END IF; \
        RETURN NULL; END $$; \
        CREATE TRIGGER once AFTER INSERT ON messages EXECUTE FUNCTION once()",
    )
    .await;
    take(&store, vec![text("a", "n", 2)]).await;
    assert_eq!(number(&url, "SELECT last_value FROM tries").await, 2);
    let payloads = "SELECT count(*) FROM webhook_inbox";
    assert_eq!(number(&url, payloads).await, 3, "the first try left nothing");
}

#[tokio::test]
async fn a_refusal_quotes_no_stored_value() {
    let url = testing::database().await;
    let store = connect(&url).await;
    execute(&url, "ALTER TABLE messages ADD CONSTRAINT short CHECK (length(text) < 10)").await;
    let error = store.take(vec![text("a", "a very private text", 1)]).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_REFUSED");
    let shown = format!("{error:?} {error}");
    assert!(shown.contains("short") && !shown.contains("private"), "{shown}");
    assert_eq!(number(&url, "SELECT count(*) FROM webhook_inbox").await, 0);
}
