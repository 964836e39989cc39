//! What is refused, and how.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::shape::{assert_like, fixture};

fn assert_problem(answer: &(u16, Value), name: &str) {
    assert_like(&answer.1, name);
    let fixture = fixture(name);
    assert_eq!(answer.1["type"], fixture["type"], "{name}");
    assert_eq!(
        (json!(answer.0), &answer.1["status"]),
        (fixture["status"].clone(), &fixture["status"])
    );
}

/// The type of an error.
fn kind(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["type"].as_str().unwrap().trim_start_matches("errors/"))
}

#[tokio::test]
async fn without_the_right_key_nothing_is_answered() {
    let rig = Rig::start().await;
    for key in [None, Some("wrong")] {
        for path in ["/api/v1/accounts", "/simulator/faults"] {
            let mut request = rig.client.get(format!("{}{path}", rig.running.url));
            if let Some(key) = key {
                request = request.header("X-API-KEY", key);
            }
            let answer = rig.answer(request).await;
            assert_eq!(kind(&answer), (401, "missing_credentials"));
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_a_wrong_path_is_no_problem_of_unipiles() {
    let rig = Rig::start().await;
    for path in [
        "/accounts/x",
        "/chats/x",
        "/messages/x",
        "/chat_attendees/x",
        "/chats/x/messages",
        "/chat_attendees/x/picture",
    ] {
        assert_problem(&rig.get(path).await, "error_404_resource_not_found");
    }
    let (status, body) = rig.get("/nonsense").await;
    assert_eq!(status, 404);
    assert!(body.get("type").is_none(), "{body}");
}

#[tokio::test]
async fn limits_times_and_cursors_have_to_be_right() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    for query in [
        "limit=0",
        "limit=251",
        "limit=x",
        "before=2026-02-01T10:00:00Z",
        "after=yesterday",
        "before=2026-19-01T10:00:00.000Z",
        "cursor=!!",
        "cursor=e30%3D",
    ] {
        let answer = rig.get(&format!("/chats/{chat}/messages?{query}")).await;
        assert_problem(&answer, "error_400_invalid_parameters");
    }
}

#[tokio::test]
async fn a_send_has_to_be_a_form_with_something_in_it_that_fits() {
    let rig = Rig::start().await;
    rig.behave(|behaviour| (behaviour.longest_text, behaviour.largest_file) = (10, 10));
    let chat = rig.chat().await;
    let path = format!("/chats/{chat}/messages");
    let json = rig.send(Method::POST, &path, &json!({ "text": "Hello" })).await;
    assert_problem(&json, "error_415_unsupported_media_type");
    let bare = rig.request(Method::POST, &path).header("content-type", "multipart/form-data");
    assert_eq!(kind(&rig.answer(bare.body("x")).await), (400, "malformed_request"));
    let form = async |fields: &[(&str, &str)]| rig.answer(rig.form(&path, fields)).await;
    assert_eq!(kind(&form(&[]).await), (400, "missing_parameters"));
    assert_eq!(kind(&form(&[("text", "")]).await), (400, "missing_parameters"));
    assert_eq!(kind(&form(&[("text", "12345678901")]).await), (400, "too_many_characters"));
    assert_eq!(kind(&form(&[("text", "a"), ("account_id", "x")]).await), (403, "account_mismatch"));
    assert_eq!(kind(&form(&[("text", "a"), ("quote_id", "x")]).await), (422, "invalid_message"));
    let large = [("attachments", "a.pdf", "application/pdf", &[7_u8; 11][..])];
    let large = rig.answer(rig.form_with(&path, &[], &large)).await;
    assert_eq!(kind(&large), (400, "content_too_large"));
    assert!(rig.running.remote.accepted(&channel_simulator::Which::default()).is_empty());
}

#[tokio::test]
async fn a_chat_is_started_only_with_people_on_whatsapp() {
    let rig = Rig::start().await;
    let account = rig.account().await;
    for jid in ["15550100000@s.whatsapp.net", "15550777001", "900@lid", "x@s.whatsapp.net"] {
        let fields = [("account_id", &*account), ("attendees_ids", jid), ("text", "Hi")];
        let answer = rig.answer(rig.form("/chats", &fields)).await;
        assert_problem(&answer, "error_422_invalid_recipient");
    }
    let nobody = rig.get(&format!("/users/15550100000?account_id={account}")).await;
    assert_problem(&nobody, "error_404_resource_not_found");
}

#[tokio::test]
async fn others_messages_and_closed_chats_stay_as_they_are() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let theirs = rig.running.remote.contact_writes(&chat, "Mine").unwrap();
    let path = format!("/messages/{theirs}");
    let edit = rig.send(Method::PATCH, &path, &json!({ "text": "Yours" })).await;
    assert_eq!(kind(&edit), (403, "insufficient_permissions"));
    let delete = rig.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(kind(&delete), (403, "insufficient_permissions"));
    let closed = format!("/chats/{chat}/read_only");
    let (status, _) = rig.control(Method::POST, &closed, &json!({ "read_only": 1 })).await;
    assert_eq!(status, 200);
    assert_eq!(kind(&rig.text(&chat, "Hello?").await), (422, "cant_send_message"));
    let dance = json!({ "action": "dance", "value": true });
    let answer = rig.send(Method::PATCH, &format!("/chats/{chat}"), &dance).await;
    assert_eq!(kind(&answer), (400, "invalid_action"));
}

#[tokio::test]
async fn what_whatsapp_accounts_cannot_do_is_not_implemented() {
    let rig = Rig::start().await;
    let account = rig.account().await;
    let sync = rig.get(&format!("/accounts/{account}/sync")).await;
    assert_problem(&sync, "error_501_feature_not_implemented");
    let me = rig.get(&format!("/users/me?account_id={account}")).await;
    assert_problem(&me, "error_501_feature_not_implemented");
}
