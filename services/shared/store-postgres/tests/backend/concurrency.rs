//! Many writers, in one process and in several.

use crate::facts::{connect, execute, number, reading, received, take, text, until};
use channel_store::intake::{Adoption, InboxFilter, Mode, Outcome};
use channel_store::log::Stale;
use channel_store::{ChangeLog, Intake, Reads};
use channel_store_postgres::{PostgresConfig, PostgresStore, testing};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::time::Duration;

/// Accounts whose numbers are not 1, 2, 3 … up to the head, or whose tags end otherwise.
const BROKEN: &str = "SELECT count(*) FROM account_head h WHERE h.head <> (SELECT count(*) + h.floor \
    FROM change_log l WHERE l.account_key = h.account_key) OR h.head_tag <> coalesce((SELECT tag \
    FROM change_log l WHERE l.account_key = h.account_key ORDER BY seq DESC LIMIT 1), h.floor_tag) \
    OR EXISTS (SELECT FROM (SELECT seq, lag(seq, 1, h.floor) OVER (ORDER BY seq) AS before \
      FROM change_log l WHERE l.account_key = h.account_key) s WHERE s.seq <> s.before + 1)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_stay_dense_while_several_processes_write_the_same_accounts() {
    let url = testing::database().await;
    let stores = [connect(&url).await, connect(&url).await];
    let writers = (0..8).map(|writer: usize| {
        let store = stores[writer % 2].clone();
        tokio::spawn(async move {
            for round in 0..25 {
                // Each writer meets the accounts in another order; the accounts themselves are new.
                let message = |step: usize| {
                    let account = format!("account-{}", (writer + step * 3) % 4);
                    let id = format!("{writer}-{round}-{step}");
                    text(&account, &id, i64::try_from(round * 4 + step).unwrap())
                };
                take(&store, (0..4).map(message).collect()).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(number(&url, BROKEN).await, 0);
    assert_eq!(number(&url, "SELECT count(*) FROM accounts").await, 4);
    assert_eq!(number(&url, "SELECT count(*) FROM messages").await, 8 * 25 * 4);
}

#[tokio::test]
async fn what_was_taken_is_read_at_once() {
    let store = testing::store().await;
    for round in 0..20 {
        let id = format!("m{round}");
        let moved = take(&store, vec![text("a", &id, round)]).await;
        let account = store.account(&"a".into()).await.unwrap().unwrap();
        assert_eq!(moved, [(account.key, account.head.seq)]);
        let heads = store.heads(&[account.key]).await.unwrap();
        assert_eq!(heads[0].head, account.head);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_transaction_open_and_cancels_nothing() {
    let url = testing::database().await;
    let config = PostgresConfig { max_connections: 4, ..PostgresConfig::new(&url) };
    let store = PostgresStore::connect(config).await.unwrap();
    take(&store, vec![text("a", "first", 0)]).await;
    // Somebody holds the account, so that the callers below go away in the middle of a transaction.
    let mut holder = PgConnection::connect(&url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    let lock = sqlx::query("SELECT FROM account_head FOR UPDATE");
    lock.execute(&mut *held).await.unwrap();
    for round in 0..5 {
        let batch = vec![text("a", &format!("m{round}"), round)];
        let given_up = tokio::time::timeout(Duration::from_millis(20), store.take(batch)).await;
        assert!(given_up.is_err(), "the account is held");
    }
    held.rollback().await.unwrap();
    until(&url, "SELECT count(*) FROM messages", 6).await;
    until(
        &url,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name = 'channel' AND (state LIKE 'idle in transaction%' \
         OR wait_event_type = 'Lock')",
        0,
    )
    .await;
    take(&store, vec![text("a", "last", 9)]).await;
    assert_eq!(number(&url, BROKEN).await, 0);
}

#[tokio::test]
async fn a_reader_beside_a_pruner_sees_every_row_or_is_told() {
    let url = testing::database().await;
    let store = connect(&url).await;
    let batch = (0..200).map(|n| text("a", &format!("m{n}"), n)).collect();
    let moved = take(&store, batch).await;
    let (key, head) = moved[0];
    let rows = store.tail(&[(key, 0)], 10_000).await.unwrap();
    let middle = &rows[rows.len() / 2];
    let from = channel_store::log::Position { seq: middle.seq, tag: middle.tag };
    let pruner = tokio::spawn({
        let store = store.clone();
        async move { while store.prune_log(crate::facts::at(9999), 5, 7).await.unwrap() > 0 {} }
    });
    let mut compacted = false;
    while !compacted {
        match store.resume(key, from, 10_000).await.unwrap().unwrap() {
            Ok(page) => {
                let numbers = page.rows.iter().map(|row| row.seq);
                assert!(numbers.eq(from.seq + 1..=head), "a hole");
            }
            Err(stale) => {
                assert_eq!(stale, Stale::Compacted);
                compacted = true;
            }
        }
    }
    pruner.await.unwrap();
    let floor = store.heads(&[key]).await.unwrap()[0].floor;
    assert_eq!(floor.seq, head - 5);
    assert_eq!(floor.tag, rows[usize::try_from(floor.seq).unwrap() - 1].tag);
    assert_eq!(number(&url, BROKEN).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_settle_the_same_payload_apply_it_once() {
    let url = testing::database().await;
    let stores = [connect(&url).await, connect(&url).await];
    stores[0].keep(vec![text("a", "m", 1)]).await.unwrap();
    let filter =
        InboxFilter { due_at: Some(crate::facts::at(1)), limit: 10, ..InboxFilter::default() };
    let due = stores[0].inbox(&filter).await.unwrap();
    let settle = |store: usize| {
        let (store, one) = (stores[store].clone(), due[0].clone().unwrap());
        let reading = reading("a", received("m", "chat", "m", 1));
        tokio::spawn(async move { store.settle(&one, reading, Mode::First).await.unwrap() })
    };
    let (one, other) = (settle(0), settle(1));
    let outcomes =
        [one.await.unwrap(), other.await.unwrap()].map(|settled| settled.verdict.outcome);
    assert!(
        outcomes.contains(&Outcome::Applied) && outcomes.contains(&Outcome::NoOp),
        "{outcomes:?}"
    );
    let applied = "SELECT count(*) FROM webhook_inbox WHERE state = 1 AND attempts = 1";
    assert_eq!(number(&url, applied).await, 1);
    stores[0].postpone(due[0].as_ref().unwrap().stamp.inbox, None, "LATE").await.unwrap();
    assert_eq!(number(&url, applied).await, 1, "what is settled stays settled");
}

#[tokio::test]
async fn events_of_an_account_that_nobody_owns_are_held() {
    let config = PostgresConfig {
        adoption: Adoption::Nobody,
        ..PostgresConfig::new(testing::database().await)
    };
    let store = PostgresStore::connect(config.clone()).await.unwrap();
    let taken = store.take(vec![text("a", "m", 1)]).await.unwrap();
    assert_eq!(taken.verdicts[0].outcome, Outcome::Held);
    execute(
        &config.url,
        "WITH a AS (INSERT INTO accounts (id, tenant, reports, connection, created_at, \
        rev) VALUES ('a', 't', '[]', 0, 0, 0) RETURNING account_key) \
        INSERT INTO account_head (account_key) SELECT account_key FROM a",
    )
    .await;
    // One account of two is known.
    let taken = store.take(vec![text("a", "n", 2), text("b", "n", 2)]).await.unwrap();
    let outcomes = [taken.verdicts[0].outcome, taken.verdicts[1].outcome];
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Held]);
    assert_eq!(store.inbox_counts().await.unwrap().held, 2);
}
