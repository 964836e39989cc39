//! Each fault does what it says: the answer on one side, the ledger on the other.

use channel_simulator::{ApiFault, FaultRule, Route, Which};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

const SEND: Route = Route::SendMessage;

fn accepted(rig: &Rig, text: &str) -> usize {
    let text = Some(text.to_owned());
    rig.running.remote.accepted(&Which { text, ..Which::default() }).len()
}

#[tokio::test]
async fn errors_come_before_accepting_or_after_it() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let cases = [
        (429, None, false, "too_many_requests"),
        (500, None, false, "provider_error"),
        (500, None, true, "provider_error"),
        (503, Some("no_client_session"), true, "no_client_session"),
        (504, None, true, "request_timeout"),
        (403, Some("account_restricted"), false, "account_restricted"),
    ];
    for (status, error, accept, kind) in cases {
        let error = error.map(str::to_owned);
        rig.next(SEND, ApiFault::Answer { status, error, accepted: accept, retry_after: None });
        let text = format!("{status} {accept} {kind}");
        let (answered, body) = rig.text(&chat, &text).await;
        assert_eq!((answered, &body["type"]), (status, &json!(format!("errors/{kind}"))));
        assert_eq!(accepted(&rig, &text), usize::from(accept), "{text}");
        assert_eq!(rig.text(&chat, "the next one").await.0, 201);
    }
}

#[tokio::test]
async fn retry_after_comes_when_it_is_asked_for() {
    let rig = Rig::start().await;
    let path = format!("/chats/{}/messages", rig.chat().await);
    for retry_after in [Some(7), None] {
        rig.next(SEND, ApiFault::Answer { status: 429, error: None, accepted: false, retry_after });
        let response = rig.form(&path, &[("text", "Hi")]).send().await.unwrap();
        let header = response.headers().get("retry-after").map(|h| h.to_str().unwrap().to_owned());
        assert_eq!(header, retry_after.map(|seconds| seconds.to_string()));
    }
}

#[tokio::test]
async fn ids_are_null_and_the_message_is_there() {
    let rig = Rig::subscribed().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    rig.next(SEND, ApiFault::NullIds);
    assert_eq!(
        rig.text(&chat, "Who am I?").await,
        (201, json!({ "object": "MessageSent", "message_id": null }))
    );
    rig.next(Route::StartChat, ApiFault::NullIds);
    let jid = "15550777001@s.whatsapp.net";
    let fields = [("account_id", &*account), ("attendees_ids", jid), ("text", "Where am I?")];
    let (_, body) = rig.answer(rig.form("/chats", &fields)).await;
    assert_eq!((&body["chat_id"], &body["message_id"]), (&Value::Null, &Value::Null));
    rig.settle().await;
    for text in ["Who am I?", "Where am I?"] {
        assert_eq!(accepted(&rig, text), 1);
        assert_eq!(
            rig.bodies(|h| h["message"] == text && h["event"] == "message_received").len(),
            1
        );
    }
}

#[tokio::test]
async fn echoes_come_early_never_twice_or_altered() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let echoes = |id: &str| rig.events(id).iter().filter(|e| *e == "message_received").count();
    rig.next(SEND, ApiFault::EchoEarly);
    let early = rig.sent(&chat, "Early").await;
    assert_eq!(echoes(&early), 1, "the webhook is there before the answer");
    rig.next(SEND, ApiFault::EchoNever);
    let never = rig.sent(&chat, "Never").await;
    rig.next(SEND, ApiFault::EchoTwice);
    let twice = rig.sent(&chat, "Twice").await;
    rig.next(SEND, ApiFault::EchoAltered { text: Some("Tidied".to_owned()) });
    let altered = rig.sent(&chat, "Untidy").await;
    rig.settle().await;
    assert_eq!((echoes(&early), echoes(&never), echoes(&twice)), (1, 0, 2));
    assert_eq!(rig.events(&never), ["message_delivered", "message_read"]);
    let of = rig.bodies(|hook| hook["message_id"] == *altered);
    assert_eq!((&of[0]["message"], &of[1]["message"]), (&json!("Tidied"), &json!("Untidy")));
    assert_eq!(rig.read(&format!("/messages/{altered}")).await["text"], "Untidy");
}

#[tokio::test]
async fn a_late_echo_comes_after_the_receipts() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    rig.next(SEND, ApiFault::EchoLate { ms: 300 });
    let late = rig.sent(&chat, "Late").await;
    rig.settle().await;
    assert_eq!(rig.events(&late), ["message_delivered", "message_read", "message_received"]);
}

#[tokio::test]
async fn a_good_answer_may_be_without_effect() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let id = rig.sent(&chat, "As it was").await;
    rig.settle().await;
    let (message, chat) = (format!("/messages/{id}"), format!("/chats/{chat}"));
    let calls = [
        (Route::EditMessage, Method::PATCH, message.clone(), json!({ "text": "Other" })),
        (
            Route::ReactToMessage,
            Method::POST,
            format!("{message}/reaction"),
            json!({ "reaction": "👍" }),
        ),
        (Route::DeleteMessage, Method::DELETE, message.clone(), Value::Null),
        (
            Route::PatchChat,
            Method::PATCH,
            chat.clone(),
            json!({ "action": "setArchiveStatus", "value": true }),
        ),
    ];
    let before = (rig.read(&message).await, rig.read(&chat).await, rig.events(&id));
    for (route, method, path, body) in calls {
        rig.next(route, ApiFault::WithoutEffect);
        assert_eq!(rig.send(method, &path, &body).await.0, 200, "{route:?}");
        assert_eq!(
            rig.running.remote.accepted(&Which { route: Some(route), ..Which::default() }).len(),
            1
        );
    }
    rig.settle().await;
    assert_eq!(before, (rig.read(&message).await, rig.read(&chat).await, rig.events(&id)));
}

#[tokio::test]
async fn an_edit_after_the_window_is_answered_and_has_no_effect() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let path = format!("/chats/{chat}/messages?limit=250");
    let own = rig.read(&path).await["items"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|m| m["is_sender"] == 1 && m["text"].is_string())
        .unwrap()
        .clone();
    let path = format!("/messages/{}", own["id"].as_str().unwrap());
    assert_eq!(rig.send(Method::PATCH, &path, &json!({ "text": "Too late" })).await.0, 200);
    assert_eq!(rig.read(&path).await, own);
    rig.behave(|behaviour| behaviour.edit_window_ms = u64::MAX);
    assert_eq!(rig.send(Method::PATCH, &path, &json!({ "text": "In time" })).await.0, 200);
    assert_eq!(rig.read(&path).await["text"], "In time");
}

#[tokio::test]
async fn a_disconnected_account_refuses_and_falls_silent_until_it_is_back() {
    let rig = Rig::subscribed().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    rig.next(SEND, ApiFault::Disconnect);
    for _ in 0..2 {
        let (status, body) = rig.text(&chat, "Anybody?").await;
        assert_eq!((status, body["type"].as_str()), (401, Some("errors/disconnected_account")));
    }
    assert_eq!(accepted(&rig, "Anybody?"), 0);
    assert_eq!(rig.get("/chats").await.0, 200, "lists show what was known last");
    let missed = rig.running.remote.contact_writes(&chat, "Hello?").unwrap();
    rig.settle().await;
    assert_eq!(rig.statuses(), ["CREDENTIALS"]);
    assert!(rig.events(&missed).is_empty());
    let shown = rig.read(&format!("/accounts/{account}")).await;
    assert_eq!(shown["sources"][0]["status"], "CREDENTIALS");

    let wish = json!({ "provider": "WHATSAPP" });
    let (_, checkpoint) = rig.send(Method::POST, &format!("/accounts/{account}"), &wish).await;
    assert_eq!(checkpoint["account_id"], *account);
    rig.settle().await;
    assert_eq!(rig.statuses(), ["CREDENTIALS", "RECONNECTED", "OK"]);
    assert_eq!(rig.events(&missed), ["message_received"]);
    assert_eq!(rig.text(&chat, "Back again").await.0, 201);
}

#[tokio::test]
async fn rules_strike_the_route_account_and_chat_that_they_name() {
    let rig = Rig::start().await;
    let chats = rig.chats(0).await;
    let id = |n: usize| chats[n]["id"].as_str().unwrap().to_owned();
    let refuse = ApiFault::Answer { status: 500, error: None, accepted: false, retry_after: None };
    let mut rule = FaultRule::each(SEND, refuse);
    rule.chat_id = Some(id(1));
    rule.account_id = Some(rig.account().await);
    rig.running.remote.add_fault(rule);
    assert_eq!(rig.text(&id(0), "Hi").await.0, 201);
    for _ in 0..3 {
        assert_eq!(rig.text(&id(1), "Hi").await.0, 500);
    }
    assert_eq!(rig.get(&format!("/chats/{}", id(1))).await.0, 200);
    rig.running.remote.clear_faults();
    assert_eq!(rig.text(&id(1), "Hi").await.0, 201);
}
