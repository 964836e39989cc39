//! The control endpoint, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

#[tokio::test]
async fn faults_are_set_listed_and_taken_back_while_it_runs() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let rule = json!({
        "route": "send_message", "chat_id": chat, "times": 2,
        "fault": { "kind": "answer", "status": 429, "retry_after": 3 },
    });
    let (_, made) = rig.control(Method::POST, "/faults", &rule).await;
    assert_eq!(rig.text(&chat, "Hi").await.0, 429);
    let (_, list) = rig.control(Method::GET, "/faults", &Value::Null).await;
    assert_eq!((&list[0]["id"], &list[0]["struck"]), (&made["id"], &json!(1)));
    let path = format!("/faults/{}", made["id"]);
    assert_eq!(rig.control(Method::DELETE, &path, &Value::Null).await.0, 200);
    assert_eq!(rig.text(&chat, "Hi").await.0, 201);
    let unknown = json!({ "fault": { "kind": "earthquake" } });
    assert_eq!(rig.control(Method::POST, "/faults", &unknown).await.0, 400);
}

#[tokio::test]
async fn behaviour_is_read_and_set() {
    let rig = Rig::start().await;
    let (_, mut behaviour) = rig.control(Method::GET, "/behaviour", &Value::Null).await;
    behaviour["reactions"] = json!("plural");
    let (_, set) = rig.control(Method::PUT, "/behaviour", &behaviour).await;
    assert_eq!(set, behaviour);
    let message = rig.sent(&rig.chat().await, "Hi").await;
    let emoji = json!({ "reaction": "👍" });
    let singular = format!("/messages/{message}/reaction");
    let (status, body) = rig.send(Method::POST, &singular, &emoji).await;
    assert_eq!((status, body.get("type")), (404, None));
    let plural = format!("/messages/{message}/reactions");
    assert_eq!(rig.send(Method::POST, &plural, &emoji).await.0, 200);
}

#[tokio::test]
async fn somebody_who_waits_is_answered_when_it_happens_or_when_time_is_up() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let wish = json!({
        "until": { "accepted": { "count": 1, "which": { "text": "Now" } } }, "timeout_ms": 20_000,
    });
    let line = json!({ "chat_id": chat, "text": "Now" });
    let (waited, sent) = tokio::join!(
        rig.control(Method::POST, "/wait", &wish),
        rig.control(Method::POST, "/phone", &line),
    );
    assert_eq!((waited.1, sent.0), (json!({ "outcome": "met" }), 200));
    let never = json!({ "until": { "message": { "id": "x", "status": "read" } }, "timeout_ms": 1 });
    let (_, waited) = rig.control(Method::POST, "/wait", &never).await;
    assert_eq!(waited, json!({ "outcome": "timed_out" }));
    let id = sent.1["message_id"].as_str().unwrap();
    let read = json!({ "until": { "message": { "id": id, "status": "read" }, "settled": true } });
    let (_, waited) = rig.control(Method::POST, "/wait", &read).await;
    assert_eq!(waited, json!({ "outcome": "met" }));
}

#[tokio::test]
async fn the_ledger_and_the_truth_can_be_read() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let line = json!({ "chat_id": chat, "text": "Psst" });
    let (_, written) = rig.control(Method::POST, "/contact", &line).await;
    let (_, ledger) = rig.control(Method::POST, "/ledger", &json!({ "route": "contact" })).await;
    assert_eq!(
        (ledger[0]["message_id"].clone(), ledger[1].clone()),
        (written["message_id"].clone(), Value::Null)
    );
    let path = format!("/messages/{}", written["message_id"].as_str().unwrap());
    let (_, truth) = rig.control(Method::GET, &path, &Value::Null).await;
    assert_eq!((&truth["text"], &truth["is_sender"]), (&json!("Psst"), &json!(false)));
    rig.settle().await;
    let (_, counts) = rig.control(Method::GET, "/deliveries", &Value::Null).await;
    assert_eq!(counts["acked"], 1);
    let (_, calls) = rig.control(Method::GET, "/calls", &Value::Null).await;
    assert_eq!(calls["create_webhook"], json!({ "received": 2, "answered": 2 }));
}
