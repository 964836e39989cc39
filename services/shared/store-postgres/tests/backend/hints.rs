//! Hints between processes.

use crate::facts::{connect, execute, number, take, text};
use channel_store::ChangeLog;
use channel_store::log::{Moved, Wakeups};
use channel_store_postgres::testing;
use std::sync::Arc;
use std::time::Duration;

async fn next(wakeups: &mut Wakeups) -> Arc<[Moved]> {
    let next = tokio::time::timeout(Duration::from_secs(10), wakeups.recv()).await;
    next.expect("a hint in time").unwrap()
}

#[tokio::test]
async fn another_process_is_told_which_accounts_moved() {
    let url = testing::database().await;
    let (writer, reader) = (connect(&url).await, connect(&url).await);
    let mut wakeups = reader.wakeups();
    let moved = take(&writer, vec![text("a", "m", 1), text("b", "m", 1)]).await;
    let hint = next(&mut wakeups).await;
    let hint: Vec<_> = hint.iter().map(|one| (one.account_key, one.head)).collect();
    assert_eq!(hint, moved);
}

#[tokio::test]
async fn a_process_hears_its_own_hints_once_and_at_once() {
    let store = testing::store().await;
    let mut wakeups = store.wakeups();
    for round in 0..3 {
        let moved = take(&store, vec![text("a", &format!("m{round}"), round)]).await;
        // Nothing comes back from the server in between: each hint is the next one.
        assert_eq!(next(&mut wakeups).await[0].head, moved[0].1);
    }
}

#[tokio::test]
async fn a_burst_of_commits_is_a_few_notifications() {
    let url = testing::database().await;
    let (writer, reader) = (connect(&url).await, connect(&url).await);
    let mut wakeups = reader.wakeups();
    let began = std::time::Instant::now();
    let mut last = 0;
    for round in 0..100 {
        last = take(&writer, vec![text("a", &format!("m{round}"), round)]).await[0].1;
    }
    let mut hints = 1;
    while next(&mut wakeups).await[0].head < last {
        hints += 1;
    }
    let most = began.elapsed().as_millis() / 5 + 2;
    assert!(hints <= most, "{hints} notifications, at most {most} in that time");
}

#[tokio::test]
async fn closing_a_store_sends_its_last_hints() {
    let url = testing::database().await;
    let (writer, reader) = (connect(&url).await, connect(&url).await);
    let mut wakeups = reader.wakeups();
    let moved = take(&writer, vec![text("a", "m", 1)]).await;
    writer.close().await;
    assert_eq!(next(&mut wakeups).await[0].head, moved[0].1);
    let refused = channel_store::Intake::take(&*writer, vec![text("a", "n", 2)]).await;
    assert_eq!(refused.unwrap_err().reason(), "STORE_UNAVAILABLE");
}

#[tokio::test]
async fn a_listener_that_was_cut_off_says_that_everything_may_have_moved() {
    let url = testing::database().await;
    let store = connect(&url).await;
    let mut wakeups = store.wakeups();
    execute(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .await;
    assert!(next(&mut wakeups).await.is_empty());
    let listening = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(number(&url, listening).await, 1, "it listens again");
}
