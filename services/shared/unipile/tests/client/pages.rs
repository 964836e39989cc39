//! Lists: cursors, bad items, other accounts.

use crate::support::{ACCOUNT, Canned, Server, received};
use channel_domain::AccountId;
use channel_unipile::upstream::{
    ChatQuery, Chats, Cursor, MessageQuery, Messages, Page, Paging, WalkError, Webhooks, pages,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::pin::pin;

fn account() -> AccountId {
    ACCOUNT.into()
}

async fn list(body: Value) -> Page<channel_unipile::upstream::MessageState> {
    let server = Server::answering([Canned::json(&body)]).await;
    server.client().messages(&account(), &MessageQuery::default()).await.unwrap()
}

#[tokio::test]
async fn missing_null_and_empty_cursors_are_the_end() {
    for body in [
        json!({"items": []}),
        json!({"items": [], "cursor": null}),
        json!({"items": [], "cursor": ""}),
        json!({"items": [], "cursor": {"x": 1}}),
    ] {
        assert_eq!(list(body.clone()).await.next, None, "{body}");
    }
    let next = list(json!({"items": [], "cursor": 7})).await.next.unwrap();
    assert_eq!(next.as_str(), "7");
}

#[tokio::test]
async fn a_bad_item_costs_itself_alone() {
    let items = json!([
        {"id": "m1", "chat_id": "c1"}, null, 5, "x", [], {}, {"id": "m2"}, {"chat_id": "c1"},
        {"id": 7, "chat_id": "c1"}, {"id": "a\u{0}", "chat_id": "c1"}, {"id": "m3", "chat_id": "c1"},
    ]);
    let page = list(json!({"items": items})).await;
    let ids: Vec<_> = page.items.iter().map(|item| received(item).message.as_str()).collect();
    assert_eq!((ids, page.skipped), (vec!["m1", "m3"], 9));
}

/// One key reaches the accounts of all tenants.
#[tokio::test]
async fn what_is_about_another_account_is_left_out_or_refused() {
    let other = json!({"id": "m1", "chat_id": "c1", "account_id": "another"});
    let page =
        list(json!({"items": [other, {"id": "m2", "chat_id": "c1", "account_id": ACCOUNT}]}));
    let page = page.await;
    assert_eq!((page.items.len(), page.skipped), (1, 1));
    let server = Server::answering([Canned::json(&other)]).await;
    let error = server.client().message(&account(), &"m1".into()).await.unwrap_err();
    assert_eq!(error.reason(), "foreign_account");
}

#[tokio::test]
async fn other_networks_are_left_out() {
    let items = json!([
        {"id": "c1", "account_type": "LINKEDIN"}, {"id": "c2", "account_type": "whatsapp"}, {"id": "c3"},
    ]);
    let server = Server::answering([Canned::json(&json!({"items": items}))]).await;
    let chats = server.client().chats(&account(), &ChatQuery::default()).await.unwrap();
    assert_eq!((chats.items.len(), chats.skipped), (2, 1));
}

#[tokio::test]
async fn a_list_without_items_is_no_list() {
    for body in [json!({}), json!({"items": {}}), json!({"data": []})] {
        let server = Server::answering([Canned::json(&body)]).await;
        let error = server.client().webhooks(&Paging::default()).await.unwrap_err();
        assert_eq!(error.reason(), "unreadable", "{body}");
    }
}

fn page(cursor: &str) -> Canned {
    Canned::json(&json!({"items": [{"id": "m", "chat_id": "c"}], "cursor": cursor}))
}

async fn walk(answers: Vec<Canned>, cap: u32) -> (Server, Vec<Result<usize, WalkError>>) {
    let server = Server::answering(answers).await;
    let client = server.client();
    let account = &account();
    let client = &client;
    let fetch = |cursor| async move {
        let paging = Paging { cursor, limit: 50 };
        let query = MessageQuery { sender: Some("s".into()), paging, ..MessageQuery::default() };
        client.messages(account, &query).await
    };
    let walk = pages(None, cap, fetch).map_ok(|page| page.items.len());
    let all = pin!(walk).collect().await;
    (server, all)
}

#[tokio::test]
async fn a_walk_repeats_the_filters_beside_each_cursor_and_ends_with_the_last_page() {
    let (server, all) = walk(vec![page("a"), page("b"), page("")], 10).await;
    assert_eq!(all, [Ok(1), Ok(1), Ok(1)]);
    let start = format!("GET /api/v1/messages?account_id={ACCOUNT}&sender_id=s&limit=50");
    let lines = [start.clone(), format!("{start}&cursor=a"), format!("{start}&cursor=b")];
    assert_eq!(server.lines(), lines);
}

#[tokio::test]
async fn a_walk_in_circles_stops_and_names_the_cursor() {
    let (server, all) = walk(vec![page("a"), page("b"), page("a")], 10).await;
    let last = all.last().unwrap().clone().unwrap_err();
    assert_eq!(last, WalkError::Repeated(Cursor::new("a").unwrap()));
    assert_eq!(last.to_string(), "UniPile repeats the cursor \"a\"");
    assert_eq!((all.len(), server.lines().len()), (4, 3));
}

#[tokio::test]
async fn an_endless_walk_stops_at_its_cap() {
    let answers = (0..9).map(|n| page(&n.to_string())).collect();
    let (server, all) = walk(answers, 3).await;
    assert_eq!(all.last().unwrap(), &Err(WalkError::TooMany { cap: 3 }));
    assert_eq!((all.len(), server.lines().len()), (4, 3));
}

#[tokio::test]
async fn a_failure_ends_a_walk() {
    let (_, all) = walk(vec![page("a"), Canned::new(403, "")], 10).await;
    assert!(matches!(all.as_slice(), [Ok(1), Err(WalkError::Upstream(_))]));
}
