//! Subscriptions over the API.

use channel_simulator::AccountStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::shape::{Shape, assert_like, fixture};

#[tokio::test]
async fn subscriptions_are_made_listed_and_ended() {
    let rig = Rig::start().await;
    let mut wish = fixture("webhook_create_request_messaging");
    wish["request_url"] = json!(rig.hook_url());
    wish["account_ids"] = json!([rig.account().await]);
    wish["data"] = fixture("webhooks_list")["items"][0]["data"].clone();
    let (status, created) = rig.send(Method::POST, "/webhooks", &wish).await;
    assert_eq!(status, 201);
    assert_like(&created, "webhook_created");
    let list = rig.read("/webhooks").await;
    Shape::of([&fixture("webhooks_list")]).fits(&list, &[]);
    assert_eq!(list["items"][0]["id"], created["webhook_id"]);
    let path = format!("/webhooks/{}", created["webhook_id"].as_str().unwrap());
    let (_, deleted) = rig.send(Method::DELETE, &path, &Value::Null).await;
    assert_like(&deleted, "webhook_deleted");
    assert_eq!(rig.read("/webhooks").await["items"], json!([]));
    assert_eq!(rig.send(Method::DELETE, &path, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn deliveries_carry_the_headers_and_the_name_that_were_asked_for() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    rig.sent(&chat, "Hello").await;
    rig.settle().await;
    let hooks = rig.hooks.lock().unwrap();
    let (body, headers) = &hooks[0];
    assert_eq!(headers["unipile-auth"], "FIXTURE-SECRET");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], "axios/1.7.7");
    assert_eq!(body["webhook_name"], "fixture messaging");
}

#[tokio::test]
async fn only_what_was_asked_for_is_sent() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let account = rig.account().await;
    // By default messages are told of, and receipts are not; of accounts, only what matters.
    for source in ["messaging", "account_status"] {
        let wish = json!({ "source": source, "request_url": rig.hook_url() });
        assert_eq!(rig.send(Method::POST, "/webhooks", &wish).await.0, 201);
    }
    let wish = json!({ "source": "messaging", "request_url": rig.hook_url(), "enabled": false });
    assert_eq!(rig.send(Method::POST, "/webhooks", &wish).await.0, 201);
    let id = rig.sent(&chat, "Hello").await;
    rig.settle().await;
    assert_eq!(rig.events(&id), ["message_received"]);
    for status in [AccountStatus::Connecting, AccountStatus::Error, AccountStatus::Ok] {
        assert!(rig.running.remote.set_status(&account, status));
    }
    rig.settle().await;
    assert_eq!(rig.statuses(), ["ERROR"]);
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused() {
    let rig = Rig::start().await;
    let url = rig.hook_url();
    for (wish, status) in [
        (json!({ "source": "messaging" }), 400),
        (json!({ "request_url": url }), 400),
        (json!({ "source": "messaging", "request_url": "nowhere" }), 400),
        (json!({ "source": "messaging", "request_url": url, "events": ["message_failed"] }), 400),
        (json!({ "source": "messaging", "request_url": url, "account_ids": ["x"] }), 404),
    ] {
        assert_eq!(rig.send(Method::POST, "/webhooks", &wish).await.0, status, "{wish}");
    }
}
