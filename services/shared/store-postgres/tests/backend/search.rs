//! Texts and files at the edges.

use crate::facts::{at, connect, delivery, file, received, take, text};
use channel_domain::search;
use channel_store::reads::{MessageQuery, Reads, SearchQuery};
use channel_store_postgres::{PostgresStore, testing};

async fn found(store: &PostgresStore, key: i64, words: &str, limit: usize) -> Vec<String> {
    let query = SearchQuery { words: search::query(words), chat: None, before: None, limit };
    let found = store.search(key, &query).await.unwrap();
    found.into_iter().map(|message| message.upstream_id.unwrap()).collect()
}

#[tokio::test]
async fn a_huge_text_is_taken_and_found_by_its_first_words() {
    let store = testing::store().await;
    let words: Vec<String> = (0..60_000).map(|n| format!("ﷺ{n}wwwwwwww")).collect();
    let huge = received("huge", "chat", &words.join(" "), 1);
    let key = take(&store, vec![delivery("a", huge, 1)]).await[0].0;
    assert_eq!(found(&store, key, &words[7], 5).await, ["huge"]);
}

#[tokio::test]
async fn a_file_of_any_claimed_size_is_taken() {
    let store = testing::store().await;
    let mut message = received("m", "chat", "x", 1);
    message.attachments = vec![file("a.bin", u64::MAX), file("b.bin", 5)];
    message.attachments[1].unavailable = true;
    let key = take(&store, vec![delivery("a", message.clone(), 1)]).await[0].0;
    let page = MessageQuery { before: None, after: None, inclusive: false, limit: 9 };
    let read = store.messages(key, &"chat".into(), &page).await.unwrap();
    let sizes: Vec<_> = read[0].attachments.iter().map(|file| file.size).collect();
    assert_eq!(sizes, [Some(i64::MAX.cast_unsigned()), Some(5)]);
    // The payload that was stored first, but applied late, has one file less.
    message.attachments = vec![file("c.bin", 1)];
    take(&store, vec![delivery("a", message, 0)]).await;
    let read = store.messages(key, &"chat".into(), &page).await.unwrap();
    let names: Vec<_> = read[0].attachments.iter().map(|file| file.name.as_deref()).collect();
    assert_eq!(names, [Some("c.bin")]);
}

#[tokio::test]
async fn a_rare_old_word_is_found_behind_thousands_of_newer_messages_of_its_account_only() {
    let url = testing::database().await;
    let store = connect(&url).await;
    take(&store, vec![text("a", "needle", 0), text("b", "needle", 0)]).await;
    let mut key = 0;
    for batch in 0..6 {
        let message = |n: i64| text("a", &format!("hay{}", batch * 1000 + n), 1 + batch * 1000 + n);
        key = take(&store, (0..1000).map(message).collect()).await[0].0;
    }
    assert_eq!(found(&store, key, "need", 5).await, ["needle"]);
    assert_eq!(found(&store, key, "hay", 2).await, ["hay5999", "hay5998"]);
    // No word of a message is that of an account.
    assert!(found(&store, key, &format!("@{key}"), 5).await.is_empty());
    let before = channel_domain::SortKey::first_at(at(100));
    let query = SearchQuery {
        words: vec!["hay".into()],
        chat: Some("chat".into()),
        before: Some(before),
        limit: 2,
    };
    let ids = store.search(key, &query).await.unwrap();
    let ids: Vec<_> = ids.into_iter().map(|message| message.upstream_id.unwrap()).collect();
    assert_eq!(ids, ["hay98", "hay97"]);
}
