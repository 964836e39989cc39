//! Migrations, and the number of the history.

use crate::facts::{connect, execute, number};
use channel_store::{ChangeLog, Intake, Pictures, Reads};
use channel_store_postgres::{PostgresConfig, PostgresStore, Promotion, testing};
use sqlx::Connection;
use sqlx::postgres::PgConnection;

#[tokio::test]
async fn a_database_behind_the_program_is_refused_unless_it_may_be_migrated() {
    let url = testing::empty_database().await;
    let careful = PostgresConfig { migrate: false, ..PostgresConfig::new(&url) };
    let pending = PostgresStore::pending(&careful).await.unwrap();
    let all = [
        "1 receive",
        "2 unsettled",
        "3 rows sent",
        "4 send",
        "5 start",
        "6 media",
        "7 history",
        "8 account names",
        "9 people",
        "10 pictures",
        "11 erasure",
        "12 hosted links",
        "13 complete chats",
        "14 thumbnails",
        "15 members told",
    ];
    assert_eq!(pending, all);
    let refused = PostgresStore::connect(careful.clone()).await.unwrap_err();
    assert_eq!(refused.reason(), "STORE_REFUSED");
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("1 receive"), "{why}");

    PostgresStore::connect(PostgresConfig::new(&url)).await.unwrap();
    assert!(PostgresStore::pending(&careful).await.unwrap().is_empty());
    PostgresStore::connect(careful).await.unwrap();
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once_and_agree_on_the_history() {
    let url = testing::empty_database().await;
    let start = || tokio::spawn(PostgresStore::connect(PostgresConfig::new(&url)));
    let mut epochs = Vec::new();
    for starting in [start(), start(), start(), start()] {
        let store = starting.await.unwrap().unwrap();
        epochs.push(store.epoch().await.unwrap());
    }
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0] && *epoch > 0), "{epochs:?}");
}

#[tokio::test]
async fn a_restart_keeps_the_history_and_a_restore_elsewhere_ends_it() {
    let url = testing::database().await;
    let before = connect(&url).await.epoch().await.unwrap();
    assert_eq!(connect(&url).await.epoch().await.unwrap(), before);
    execute(&url, "UPDATE log_epoch SET system_id = '42'").await;
    let after = connect(&url).await.epoch().await.unwrap();
    assert_ne!(after, before);
    let restored = "SELECT count(*) FROM log_epoch WHERE reason = 'restored'";
    assert_eq!(number(&url, restored).await, 1);
    assert_eq!(connect(&url).await.epoch().await.unwrap(), after);
}

#[tokio::test]
async fn a_promotion_ends_the_history_unless_nothing_can_be_lost() {
    let url = testing::database().await;
    let promote = "UPDATE log_epoch SET timeline = timeline + 1";
    let before = connect(&url).await.epoch().await.unwrap();
    execute(&url, promote).await;
    let keeping = PostgresConfig { promotion: Promotion::Keep, ..PostgresConfig::new(&url) };
    let kept = PostgresStore::connect(keeping).await.unwrap();
    assert_eq!(kept.epoch().await.unwrap(), before);
    execute(&url, promote).await;
    assert_ne!(connect(&url).await.epoch().await.unwrap(), before);
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_identity_keeps_its_history() {
    let url = testing::database().await;
    let before = connect(&url).await.epoch().await.unwrap();
    execute(&url, "UPDATE log_epoch SET system_id = '42'").await;
    execute(
        &url,
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; \
        DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; \
        GRANT ALL ON ALL TABLES IN SCHEMA public TO plain; GRANT CREATE ON SCHEMA public TO plain",
    )
    .await;
    let plain = url.replace("postgres@", "plain@");
    assert_eq!(connect(&plain).await.epoch().await.unwrap(), before);
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_with_its_rows() {
    let url = testing::empty_database().await;
    let mut first = sqlx::migrate!("./migrations");
    first.migrations.to_mut().retain(|migration| migration.version == 1);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    first.run_direct(None, &mut connection, false).await.unwrap();
    let row = "INSERT INTO webhook_inbox (id, received_at, headers, body, state) \
        VALUES (1, 1, '{}', '\\x7b7d', 3)";
    execute(&url, row).await;
    let account = "WITH a AS (INSERT INTO accounts (id, tenant, reports, connection, created_at, rev) \
        VALUES ('acc', 'default', '[{\"stamp\":{\"at\":5,\"inbox\":1},\"status\":\"OK\"}]', 1, 1, 1) \
        RETURNING account_key) INSERT INTO account_head (account_key) SELECT account_key FROM a";
    execute(&url, account).await;
    let file = "INSERT INTO attachments (account_key, message_key, position, id, kind, unavailable) \
        VALUES (1, 1, 0, 'f', 'image', false)";
    execute(&url, file).await;
    execute(&url, "INSERT INTO attendees VALUES (1, 1, 'ana', false, NULL, NULL, '[]', '', 1)")
        .await;
    let store = connect(&url).await;
    assert_eq!(store.inbox_counts().await.unwrap().quarantined, 1);
    let account = store.account(&"acc".into()).await.unwrap().unwrap().record;
    assert_eq!((account.name.as_str(), account.connection_since), ("acc", Some(5)));
    assert_eq!(account.connection_source, channel_domain::account::Source::Webhook as i32);
    let files = "SELECT count(*) FROM attachments WHERE id = 'f' AND fetched IS NULL";
    assert_eq!(number(&url, files).await, 1, "its bytes are pending");
    let person = store.attendee(1, &"ana".into()).await.unwrap().unwrap();
    assert!(person.picture.is_none() && store.due_looks(&[], 9).await.unwrap().is_empty());
}
