//! Every statement finds its rows by an index, even on tables that were empty when it was planned.

use crate::facts::{connect, delivery, file, received, take, text, until};
use channel_store::intake::{InboxFilter, InboxOrder, Intake, Outcome};
use channel_store::reads::{AttendeeQuery, ChatQuery, MessageQuery, Reads, SearchQuery};
use channel_store::{ChangeLog, log::Position};
use channel_store_postgres::{PostgresStore, testing};

async fn use_everything(store: &PostgresStore, round: i64) {
    let mut with_file = received(&format!("file-{round}"), "chat", "look at this", round);
    with_file.attachments = vec![file("plan.pdf", 7)];
    let batch = vec![text("a", &format!("m{round}"), round), delivery("a", with_file, round)];
    let key = take(store, batch).await[0].0;
    let words = vec!["look".to_owned()];
    store.accounts(&"default".into()).await.unwrap();
    store.account(&"a".into()).await.unwrap();
    let chats = ChatQuery { words: vec!["ana".into()], limit: 10, ..ChatQuery::default() };
    assert_eq!(store.chats(key, &chats).await.unwrap().len(), 1);
    store.chat(key, &"chat".into()).await.unwrap();
    let page = MessageQuery { before: None, after: None, inclusive: false, limit: 10 };
    let messages = store.messages(key, &"chat".into(), &page).await.unwrap();
    store.message(key, &channel_domain::MessageId(messages[0].id.parse().unwrap())).await.unwrap();
    for chat in [None, Some("chat".into())] {
        let search =
            SearchQuery { words: words.clone(), chat: chat.clone(), before: None, limit: 10 };
        store.search(key, &search).await.unwrap();
        let people = AttendeeQuery { chat, limit: 10, ..AttendeeQuery::default() };
        assert_eq!(store.attendees(key, &people).await.unwrap().len(), 1);
    }
    store.attendee(key, &"ana".into()).await.unwrap();
    store.heads(&[key]).await.unwrap();
    store.tail(&[(key, 0)], 10).await.unwrap();
    store.resume(key, Position::default(), 10).await.unwrap();
    for outcomes in [vec![], vec![Outcome::Held], vec![Outcome::Applied]] {
        for (ids, order) in [(vec![], InboxOrder::Newest), (vec![1, 2], InboxOrder::Oldest)] {
            let unknown_states = outcomes.contains(&Outcome::Held);
            let outcomes = outcomes.clone();
            let filter = InboxFilter {
                ids,
                outcomes,
                unknown_states,
                order,
                reason: Some("NOT_JSON".into()),
                limit: 10,
                ..InboxFilter::default()
            };
            store.inbox(&filter).await.unwrap();
        }
    }
    let due =
        InboxFilter { due_at: Some(crate::facts::at(0)), limit: 10, ..InboxFilter::default() };
    store.inbox(&due).await.unwrap();
    store.inbox_counts().await.unwrap();
    store.prune_inbox(crate::facts::at(0), 10).await.unwrap();
    store.prune_log(crate::facts::at(0), 10, 10).await.unwrap();
}

#[tokio::test]
async fn no_statement_scans_a_table() {
    let url = testing::database().await;
    let store = connect(&url).await;
    // Often enough for every statement to have got the plan that it keeps.
    for round in 0..12 {
        use_everything(&store, round).await;
    }
    // A session counts its scans for others to see when it ends, at the latest.
    store.close().await;
    let used = "SELECT least(idx_scan, 1) FROM pg_stat_user_tables WHERE relname = 'messages'";
    until(&url, used, 1).await;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'channel'";
    until(&url, sessions, 0).await;
    let scanned = "SELECT coalesce(string_agg(relname, ', '), '') FROM pg_stat_user_tables \
        WHERE seq_scan > 0 AND relname NOT IN ('log_epoch', '_sqlx_migrations')";
    assert_eq!(crate::facts::value::<String>(&url, scanned).await, "");
}

/// Rows in the account that grows.
const GROWN: i64 = 3_000;

#[tokio::test]
async fn a_table_that_grows_fast_is_analysed_and_then_read_by_the_right_index() {
    let url = testing::database().await;
    let store = connect(&url).await;
    for piece in 0..GROWN / 100 {
        let rows = piece * 100..(piece + 1) * 100;
        take(&store, rows.map(|n| text("a", &format!("m{n}"), n)).collect()).await;
    }
    let analysed = "SELECT count(*) FROM pg_stat_user_tables \
        WHERE relname = 'messages' AND last_analyze IS NOT NULL";
    until(&url, analysed, 1).await;
    store.close().await;
    crate::facts::execute(&url, "SELECT pg_stat_reset()").await;
    let store = connect(&url).await;
    for n in GROWN..GROWN + 20 {
        take(&store, vec![text("a", &format!("m{n}"), n)]).await;
    }
    store.close().await;
    let counted = "SELECT count(*) FROM pg_stat_user_tables \
        WHERE relname = 'messages' AND n_tup_ins = 20";
    until(&url, counted, 1).await;
    let read =
        "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'messages'";
    let read = crate::facts::number(&url, read).await;
    assert!(
        read < GROWN,
        "20 messages read {read} entries of the index: whole accounts, again and again"
    );
}
