//! Accounts come, go and come back.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use channel_simulator::AccountStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::shape::{assert_like, fixture};

#[tokio::test]
async fn a_scanned_code_connects_an_account_with_people_and_a_past() {
    let rig = Rig::subscribed().await;
    rig.behave(|behaviour| behaviour.scan_after_ms = None);
    let wish = fixture("account_connect_request_qrcode");
    let (status, checkpoint) = rig.send(Method::POST, "/accounts", &wish).await;
    assert_eq!(status, 202);
    assert_like(&checkpoint, "account_connect_qrcode_checkpoint");
    let id = checkpoint["account_id"].as_str().unwrap();
    assert_eq!(rig.get(&format!("/accounts/{id}")).await.0, 404, "not there before the scan");
    let scanned = rig.control(Method::POST, &format!("/accounts/{id}/scan"), &json!({})).await;
    assert_eq!(scanned.0, 200);
    rig.settle().await;
    assert_eq!(rig.statuses(), ["CREATION_SUCCESS", "OK", "SYNC_SUCCESS"]);
    assert_like(&rig.read(&format!("/accounts/{id}")).await, "account_get_whatsapp");
    let chats = rig.read(&format!("/chats?account_id={id}")).await;
    let chats = chats["items"].as_array().unwrap();
    assert_eq!(chats.len(), 12);
    let chat = chats[0]["id"].as_str().unwrap();
    let messages = rig.read(&format!("/chats/{chat}/messages")).await;
    assert_eq!(messages["items"].as_array().unwrap().len(), 40);
    rig.sent(chat, "First words").await;
}

#[tokio::test]
async fn a_phone_may_be_refused_have_an_account_already_or_come_too_late() {
    let rig = Rig::subscribed().await;
    rig.behave(|behaviour| behaviour.scan_after_ms = None);
    let code = async || {
        let wish = json!({ "provider": "WHATSAPP" });
        let (_, body) = rig.send(Method::POST, "/accounts", &wish).await;
        body["account_id"].as_str().unwrap().to_owned()
    };
    let scan = async |id: &str, how: Value| {
        rig.control(Method::POST, &format!("/accounts/{id}/scan"), &how).await.0
    };
    let refused = code().await;
    assert_eq!(scan(&refused, json!({ "refused": true })).await, 200);
    rig.settle().await;
    assert_eq!(rig.statuses(), ["CREATION_FAIL"]);
    assert_eq!(rig.get(&format!("/accounts/{refused}")).await.0, 404);
    let phone = rig.read(&format!("/accounts/{}", rig.account().await)).await["name"].clone();
    let second = code().await;
    assert_eq!(scan(&second, json!({ "phone": phone })).await, 200);
    rig.settle().await;
    assert_eq!(rig.read(&format!("/accounts/{second}")).await["name"], phone);
    let withdrawn = code().await;
    let path = format!("/accounts/{withdrawn}");
    assert_eq!(rig.send(Method::DELETE, &path, &Value::Null).await.0, 200);
    assert_eq!(scan(&withdrawn, json!({})).await, 404);
    assert_eq!(rig.send(Method::DELETE, &path, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_newer_code_makes_the_older_one_void() {
    let rig = Rig::subscribed().await;
    let account = rig.account().await;
    rig.behave(|behaviour| behaviour.scan_after_ms = None);
    let wish = json!({ "provider": "WHATSAPP" });
    let code = async || {
        let (_, body) = rig.send(Method::POST, &format!("/accounts/{account}"), &wish).await;
        body["checkpoint"]["qrcode"].as_str().unwrap().to_owned()
    };
    assert_ne!(code().await, code().await);
    let scan = format!("/accounts/{account}/scan");
    assert_eq!(rig.control(Method::POST, &scan, &json!({})).await.0, 200);
    assert_eq!(rig.control(Method::POST, &scan, &json!({})).await.0, 404);
}

#[tokio::test]
async fn a_restart_helps_against_errors_and_not_against_lost_credentials() {
    let rig = Rig::start().await;
    let account = rig.account().await;
    let restart = format!("/accounts/{account}/restart");
    for (status, fixture) in [
        (AccountStatus::Error, "account_restarted"),
        (AccountStatus::Credentials, "account_restart_failed"),
    ] {
        assert!(rig.running.remote.set_status(&account, status));
        let (code, answer) = rig.send(Method::POST, &restart, &Value::Null).await;
        assert_eq!(code, 200);
        assert_like(&answer, fixture);
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_with_all_that_it_had() {
    let rig = Rig::subscribed().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    let message = rig.sent(&chat, "The last one").await;
    rig.settle().await;
    let (status, answer) =
        rig.send(Method::DELETE, &format!("/accounts/{account}"), &Value::Null).await;
    assert_eq!(status, 200);
    assert_like(&answer, "account_deleted");
    rig.settle().await;
    assert_eq!(rig.statuses(), ["DELETED"]);
    for path in
        [format!("/accounts/{account}"), format!("/chats/{chat}"), format!("/messages/{message}")]
    {
        assert_eq!(rig.get(&path).await.0, 404, "{path}");
    }
    for path in ["/accounts", "/chats", "/messages", "/chat_attendees"] {
        assert_eq!(rig.read(path).await["items"], json!([]), "{path}");
    }
}

type Calls = Arc<Mutex<Vec<Value>>>;

#[tokio::test]
async fn a_hosted_link_connects_and_tells_its_caller() {
    let rig = Rig::subscribed().await;
    let calls = Calls::default();
    let note = async |State(calls): State<Calls>, axum::Json(body): axum::Json<Value>| {
        calls.lock().unwrap().push(body);
    };
    let router = Router::new().route("/notify", post(note)).with_state(Arc::clone(&calls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let notify = format!("http://{}/notify", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    for (kind, told) in
        [("create", "hosted_notify_creation_success"), ("reconnect", "hosted_notify_reconnected")]
    {
        let mut wish = fixture(&format!("hosted_link_request_{kind}"));
        wish["notify_url"] = json!(notify);
        wish["expiresOn"] = json!("2036-01-01T00:00:00.000Z");
        wish.as_object_mut().unwrap().remove("success_redirect_url");
        if kind == "reconnect" {
            wish["reconnect_account"] = json!(rig.account().await);
        }
        let (_, link) = rig.send(Method::POST, "/hosted/accounts/link", &wish).await;
        let page = rig.client.get(link["url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let call = loop {
            if let Some(call) = calls.lock().unwrap().pop() {
                break call;
            }
            tokio::task::yield_now().await;
        };
        assert_like(&call, told);
        assert_eq!(call["status"], fixture(told)["status"]);
        assert_eq!(
            rig.get(&format!("/accounts/{}", call["account_id"].as_str().unwrap())).await.0,
            200
        );
    }
}

#[tokio::test]
async fn a_link_that_has_expired_opens_nothing() {
    let rig = Rig::start().await;
    let mut wish = fixture("hosted_link_request_create");
    wish["expiresOn"] = json!("2020-01-01T00:00:00.000Z");
    let (_, link) = rig.send(Method::POST, "/hosted/accounts/link", &wish).await;
    let page = rig.client.get(link["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(page.status(), 401);
}
