//! Cursors, filters, limits.

use std::collections::BTreeSet;

use channel_simulator::SimulatorConfig;
use serde_json::Value;

use crate::rig::{Rig, quiet};

/// Walks a list to its end, and does something between the pages.
async fn walk(rig: &Rig, path: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    for page in 0.. {
        let cursor_part =
            cursor.take().map(|cursor| format!("&cursor={}", cursor.replace('=', "%3D")));
        let page_path = format!("{path}?limit=7{}", cursor_part.unwrap_or_default());
        let (status, body) = rig.get(&page_path).await;
        assert_eq!(status, 200, "{body}");
        let items = body["items"].as_array().unwrap();
        assert!(!items.is_empty(), "a page with a cursor is never followed by an empty one");
        found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = body["cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
        between(page);
    }
    found
}

fn assert_once(found: &[String], all: &BTreeSet<String>) {
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "something came twice");
    assert!(all.is_subset(&distinct), "something was left out");
}

#[tokio::test]
async fn a_walk_over_all_messages_meets_each_once_while_new_ones_arrive() {
    let rig = Rig::start().await;
    let model = rig.running.remote.model();
    let all: BTreeSet<String> = model.messages.keys().cloned().collect();
    assert_eq!(all.len(), 40 * 12);
    let chats: Vec<String> = model.chats.keys().cloned().collect();
    let found = walk(&rig, "/messages", |page| {
        let chat = &chats[page % chats.len()];
        assert!(rig.running.remote.contact_writes(chat, "in between").is_some());
    })
    .await;
    assert_once(&found, &all);
}

#[tokio::test]
async fn a_walk_over_chats_meets_each_once_while_they_change_places() {
    let rig = Rig::with(SimulatorConfig { contacts: 60, ..quiet() }).await;
    let model = rig.running.remote.model();
    let all: BTreeSet<String> = model.chats.keys().cloned().collect();
    let chats: Vec<&String> = model.chats.keys().collect();
    let found = walk(&rig, "/chats", |page| {
        for step in 0..9 {
            let chat = chats[(page * 9 + step) % chats.len()];
            assert!(rig.running.remote.contact_writes(chat, "up").is_some());
        }
    })
    .await;
    assert_once(&found, &all);
    assert_eq!(found.len(), all.len());
}

#[tokio::test]
async fn the_other_lists_are_walked_to_their_ends_as_well() {
    let rig = Rig::with(SimulatorConfig { accounts: 9, ..quiet() }).await;
    let accounts = walk(&rig, "/accounts", |_| {}).await;
    let model = rig.running.remote.model();
    assert_once(&accounts, &model.accounts.keys().cloned().collect());
    let people = walk(&rig, "/chat_attendees", |_| {}).await;
    assert_once(&people, &BTreeSet::new());
    assert_eq!(people.len(), 9 * (1 + 9 + 3));
}

#[tokio::test]
async fn messages_are_newest_first_and_times_exclude() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let times = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["timestamp"].as_str().unwrap().to_owned()).collect()
    };
    let path = format!("/chats/{chat}/messages");
    let all = times(&rig.read(&path).await);
    assert_eq!(all.len(), 40);
    assert!(all.windows(2).all(|pair| pair[0] > pair[1]));
    let between = format!("{path}?before={}&after={}", all[3], all[10]);
    assert_eq!(times(&rig.read(&between).await), all[4..10]);
}

#[tokio::test]
async fn filters_leave_only_what_they_ask_for() {
    let rig = Rig::with(SimulatorConfig { accounts: 2, ..quiet() }).await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    assert_eq!(rig.read("/chats?account_type=LINKEDIN").await["items"], Value::Array(vec![]));
    let own = rig.read(&format!("/chats?account_id={account}&limit=250")).await;
    let ids = own["items"].as_array().unwrap().iter().map(|chat| &chat["account_id"]);
    assert!(ids.clone().count() == 12 && ids.clone().all(|id| *id == *account));
    assert!(rig.running.remote.contact_writes(&chat, "unread").is_some());
    let unread = rig.read("/chats?unread=true").await;
    assert_eq!(unread["items"].as_array().unwrap().len(), 1);
    assert_eq!(unread["items"][0]["id"], *chat);
    assert_eq!(unread["items"][0]["unread_count"], 1);

    let attendees = rig.read(&format!("/chats/{chat}/attendees")).await;
    let (owner, other) = (&attendees["items"][0], &attendees["items"][1]);
    let (owner_jid, jid) =
        (owner["provider_id"].as_str().unwrap(), other["provider_id"].as_str().unwrap());
    let from = rig.read(&format!("/chats/{chat}/messages?sender_id={owner_jid}")).await;
    let items = from["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["is_sender"] == 1));
    let theirs = rig.read(&format!("/chat_attendees/{jid}/messages?limit=250")).await;
    let theirs = theirs["items"].as_array().unwrap();
    assert!(!theirs.is_empty() && theirs.iter().all(|item| item["sender_id"] == *jid));
    let with = rig.read(&format!("/chat_attendees/{jid}/chats")).await;
    assert_eq!(with["items"].as_array().unwrap().len(), 1);
    assert_eq!(with["items"][0]["id"], *chat);
    let account =
        rig.read(&format!("/chats/{chat}")).await["account_id"].as_str().unwrap().to_owned();
    let by_jid = rig.read(&format!("/chats/{jid}?account_id={account}")).await;
    assert_eq!(by_jid["id"], *chat);
}
