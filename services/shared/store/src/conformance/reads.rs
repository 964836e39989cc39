//! What lists promise.

use super::Fresh;
use super::facts::{at, incoming, outgoing, person, read, received};
use crate::reads::{AttendeeQuery, ChatQuery, MessageQuery, Reads, SearchQuery};
use channel_domain::SortKey;
use channel_domain::fact::Received;

pub async fn chats_are_listed_newest_first_page_by_page(fresh: &Fresh) {
    let texts = (1..=7).map(|n| received(from_ana(n, n % 4)));
    fresh.take("acc", texts.collect(), 10).await;
    let account = fresh.account("acc").await;
    let mut query = ChatQuery { limit: 3, ..ChatQuery::default() };
    let mut pages = Vec::new();
    loop {
        let page = fresh.store.chats(account.key, &query).await.unwrap_or_default();
        query.after = page.last().map(|(place, _)| *place);
        pages.push(page.iter().map(|(_, chat)| chat.id.clone()).collect::<Vec<_>>());
        if page.len() < 3 {
            break;
        }
    }
    assert_eq!(pages, [vec!["c7", "c3", "c6"], vec!["c2", "c5", "c1"], vec!["c4"]]);
}

pub async fn chats_are_filtered_by_unread_archived_and_title(fresh: &Fresh) {
    let texts = (1..=7).map(|n| received(from_ana(n, n % 4)));
    fresh.take("acc", texts.collect(), 10).await;
    fresh.take("acc", vec![read("m7")], 60).await;
    let key = fresh.account("acc").await.key;
    let all = ChatQuery { limit: 9, ..Default::default() };
    let cases = [
        (ChatQuery { words: vec!["ana".into(), "7".into()], ..all.clone() }, 1),
        (ChatQuery { words: vec!["na".into()], ..all.clone() }, 0),
        (ChatQuery { unread: Some(true), ..all.clone() }, 6),
        (ChatQuery { unread: Some(false), ..all.clone() }, 1),
        (ChatQuery { archived: Some(true), ..all.clone() }, 0),
        (all, 7),
    ];
    for (query, expected) in cases {
        let found = fresh.store.chats(key, &query).await.unwrap_or_default();
        assert_eq!(found.len(), expected, "{query:?}");
    }
}

/// A text in chat `c<n>` from a person of its own.
fn from_ana(n: i64, second: i64) -> Received {
    let mut text = incoming(&format!("m{n}"), &format!("c{n}"), "Hi", second);
    text.sender = Some(person(&format!("Ana {n}"), &format!("1555010010{n}")));
    text.attendees = vec![];
    text
}

pub async fn messages_are_read_from_any_point_in_both_directions(fresh: &Fresh) {
    let texts = (1..=9).map(|n| received(incoming(&format!("m{n}"), "c1", &n.to_string(), n)));
    fresh.take("acc", texts.collect(), 10).await;
    let place = |second| SortKey::first_at(at(second));
    let base = MessageQuery { before: None, after: None, inclusive: false, limit: 3 };
    let cases = [
        (base, "9 8 7"),
        (MessageQuery { before: Some(place(5)), ..base }, "4 3 2"),
        (MessageQuery { after: Some(place(5)), ..base }, "7 6 5"),
        (MessageQuery { after: Some(place(8)), ..base }, "9 8"),
        (MessageQuery { before: Some(place(1)), ..base }, ""),
    ];
    for (query, expected) in cases {
        assert_eq!(texts_of(fresh, &query).await, expected, "{query:?}");
    }
}

pub async fn a_message_itself_can_be_the_point_of_reading(fresh: &Fresh) {
    let texts = (1..=9).map(|n| received(incoming(&format!("m{n}"), "c1", &n.to_string(), n)));
    fresh.take("acc", texts.collect(), 10).await;
    let base = MessageQuery { before: None, after: None, inclusive: false, limit: 3 };
    let all = fresh.messages("acc", "c1").await;
    let fifth = SortKey::from_bytes(&all[4].sort_key);
    let around = [
        (MessageQuery { before: fifth, inclusive: true, ..base }, "5 4 3"),
        (MessageQuery { before: fifth, ..base }, "4 3 2"),
        (MessageQuery { after: fifth, inclusive: true, ..base }, "7 6 5"),
        (MessageQuery { after: fifth, ..base }, "8 7 6"),
    ];
    for (query, expected) in around {
        assert_eq!(texts_of(fresh, &query).await, expected, "{query:?}");
    }
    let key = fresh.account("acc").await.key;
    let id = all[0].id.parse().unwrap_or(uuid::Uuid::nil());
    let id = channel_domain::MessageId(id);
    let one = fresh.store.message(key, &id);
    assert_eq!(one.await.ok().flatten().as_ref(), Some(&all[0]));
}

async fn texts_of(fresh: &Fresh, query: &MessageQuery) -> String {
    let key = fresh.account("acc").await.key;
    let store: &dyn Reads = &*fresh.store;
    let found = store.messages(key, &"c1".into(), query).await.unwrap_or_default();
    found.into_iter().filter_map(|m| m.text).collect::<Vec<_>>().join(" ")
}

pub async fn words_are_found_newest_first_by_their_beginnings(fresh: &Fresh) {
    let texts = ["Crème brûlée?", "two cremes, please", "no dessert", "CREMA and a brulee"];
    let facts = texts
        .iter()
        .zip(1..)
        .map(|(text, n)| received(incoming(&format!("m{n}"), &format!("c{}", n % 2), text, n)));
    fresh.take("acc", facts.collect(), 10).await;
    fresh.take("other", vec![received(incoming("x", "c", "crème elsewhere", 9))], 10).await;
    assert_eq!(fresh.found("acc", "crem").await, [texts[3], texts[1], texts[0]]);
    assert_eq!(fresh.found("acc", "brul CREM").await, [texts[3], texts[0]]);
    assert!(fresh.found("acc", "reme").await.is_empty());
    assert!(fresh.found("acc", "  ").await.is_empty());
    let key = fresh.account("acc").await.key;
    let words = vec!["crem".to_owned()];
    let query = SearchQuery { words, chat: Some("c1".into()), before: None, limit: 9 };
    let in_chat = fresh.store.search(key, &query).await.unwrap_or_default();
    assert_eq!(in_chat.len(), 1);
    let older = SearchQuery { chat: None, before: Some(SortKey::first_at(at(4))), ..query };
    let older = fresh.store.search(key, &older).await.unwrap_or_default();
    assert_eq!(older.len(), 2);
}

pub async fn pages_of_hits_are_complete_when_many_share_a_second(fresh: &Fresh) {
    // Received in another order than they were stored in.
    for n in 0..20 {
        let text = received(incoming(&format!("m{n}"), "c1", &format!("same {n}"), 7));
        fresh.take("acc", vec![text], 100 - n).await;
    }
    let key = fresh.account("acc").await.key;
    let words = vec!["same".to_owned()];
    let mut query = SearchQuery { words, chat: None, before: None, limit: 3 };
    let mut found = Vec::new();
    loop {
        let page = fresh.store.search(key, &query).await.unwrap_or_default();
        query.before = page.last().and_then(|last| SortKey::from_bytes(&last.sort_key));
        found.extend(page.into_iter().map(|message| message.text.unwrap_or_default()));
        if query.before.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..20).map(|n| format!("same {n}")).collect();
    assert_eq!(found, expected);
}

pub async fn a_rare_word_is_found_behind_many_newer_messages(fresh: &Fresh) {
    let rare = received(incoming("rare", "c1", "the needle", 0));
    let mut batch = vec![rare];
    batch.extend((1..700).map(|n| received(incoming(&format!("m{n}"), "c2", "only hay", n))));
    fresh.take("acc", batch, 1000).await;
    assert_eq!(fresh.found("acc", "needl").await, ["the needle"]);
    assert_eq!(fresh.found("acc", "hay").await.len(), 100);
    assert!(fresh.found("acc", "needle hay").await.is_empty());
}

pub async fn a_search_finds_nothing_of_another_account(fresh: &Fresh) {
    for account in ["one", "two"] {
        let word = format!("only{account}");
        fresh.take(account, vec![received(incoming(&word, "c1", &word, 0))], 1).await;
    }
    // Words that are the numbers and signs by which a database may know an account.
    for account in ["one", "two"] {
        let keys = "0 1 2 3 4 5 _1 _2 §1 §2 1.0.1 @1";
        let text = format!("invoice {keys} of {account}");
        let text = received(incoming(&format!("keys-{account}"), "c1", &text, 2));
        fresh.take(account, vec![text], 3).await;
    }
    for (account, other) in [("one", "two"), ("two", "one")] {
        let found = fresh.found(account, "invoice").await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(account));
        assert!(fresh.found(account, &format!("only{other}")).await.is_empty());
        assert_eq!(fresh.found(account, "1").await.len(), 1, "a number is a word like others");
    }
}

pub async fn people_are_listed_by_chat_and_by_name(fresh: &Fresh) {
    let mut text = incoming("m1", "g1", "Hi", 1);
    text.chat.is_group = Some(true);
    text.attendees = vec![person("Björn", "15550100003"), person("Owner", "15550100001")];
    fresh.take("acc", vec![received(text), received(outgoing("m2", "c1", "Hello", 2))], 10).await;
    let key = fresh.account("acc").await.key;
    let names = |query: AttendeeQuery| async move {
        let people = fresh.store.attendees(key, &query).await.unwrap_or_default();
        let mut names: Vec<_> =
            people.into_iter().map(|it| it.record.name.unwrap_or_default()).collect();
        names.sort();
        names
    };
    let all = AttendeeQuery { limit: 9, ..Default::default() };
    assert_eq!(names(all.clone()).await, ["Ana", "Björn", "Owner"]);
    let in_group = AttendeeQuery { chat: Some("g1".into()), ..all.clone() };
    assert_eq!(names(in_group).await, ["Ana", "Björn", "Owner"]);
    let in_chat = AttendeeQuery { chat: Some("c1".into()), ..all.clone() };
    assert_eq!(names(in_chat).await, ["Ana", "Owner"]);
    let bjorn = AttendeeQuery { words: vec!["bjor".into()], ..all };
    assert_eq!(names(bjorn).await, ["Björn"]);
    let owner = fresh.store.attendee(key, &"att-15550100001".into()).await.ok().flatten();
    assert!(owner.is_some_and(|owner| owner.is_self));
}
