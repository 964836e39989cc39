//! What becomes of bodies, good and bad.

use channel_ingest::IngestConfig;
use channel_store::ChangeLog;
use channel_store::intake::Outcome;
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{SECRET, answer, config, message, start};

#[tokio::test]
async fn json_is_json_whatever_the_content_type_says() {
    let running = start(config()).await;
    let types = [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
        "multipart/form-data",
        "nonsense",
    ];
    for (n, kind) in types.into_iter().enumerate() {
        let request = running.request("/").header("unipile-auth", SECRET);
        let request = request.header("content-type", kind);
        let sent = request.body(message("a", &format!("m{n}"))).send().await;
        let (status, body) = answer(sent.unwrap()).await;
        assert_eq!((status, &body["outcome"]), (StatusCode::OK, &json!("applied")));
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_kept_byte_for_byte_with_its_reason() {
    let running = start(config()).await;
    let deep = "[".repeat(10_000).into_bytes();
    let nul = message("a\u{0}b", "m");
    let wrong =
        json!({"event": "message_received", "account_id": 5, "message_id": "m", "chat_id": "c"});
    let v2 = json!({"id": "evt_1", "type": "message.new", "account_id": "acc", "payload": {}});
    let cases: [(Vec<u8>, &str); 9] = [
        (b"".into(), "EMPTY"),
        (b"{\"event\":".into(), "TRUNCATED"),
        (b"{broken}".into(), "NOT_JSON"),
        (b"{\"event\":\"\xff\xfe\"}".into(), "NOT_UTF8"),
        (b"[1,2]".into(), "NOT_AN_OBJECT"),
        (deep, "TOO_DEEP"),
        (nul.into(), "BAD_ID"),
        (wrong.to_string().into(), "WRONG_TYPE"),
        (v2.to_string().into(), "V2_EVENT"),
    ];
    let count = cases.len();
    for (body, reason) in cases {
        let (status, answer) = running.send(body.clone()).await;
        let expected = json!({"outcome": "quarantined", "reason": reason});
        assert_eq!((status, answer), (StatusCode::OK, expected));
        let newest = running.inbox(&[Outcome::Quarantined]).await.remove(0);
        assert_eq!((&*newest.body, newest.reason.as_deref()), (&*body, Some(reason)));
    }
    assert_eq!(running.inbox(&[]).await.len(), count);
    let (_, good) = running.send(message("a", "m")).await;
    assert_eq!(good["outcome"], "applied");
}

#[tokio::test]
async fn what_is_not_for_us_is_stored_and_changes_nothing() {
    let running = start(config()).await;
    let unknown = json!({"event": "message_sung", "account_id": "a"}).to_string();
    let (status, body) = running.send(unknown).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body, json!({"outcome": "no_op", "reason": "UNKNOWN_EVENT"}));
    assert_eq!(running.inbox(&[Outcome::NoOp]).await.len(), 1);
}

#[tokio::test]
async fn a_fact_has_one_effect_however_often_it_comes() {
    let running = start(config()).await;
    let (_, first) = running.send(message("a", "m")).await;
    assert_eq!(first["outcome"], "applied");
    let before = running.store.heads(&[1]).await.unwrap();
    assert!(before[0].head.seq > 0);
    for _ in 0..3 {
        let (status, again) = running.send(message("a", "m")).await;
        assert_eq!((status, &again["outcome"]), (StatusCode::OK, &json!("duplicate")));
    }
    assert_eq!(running.store.heads(&[1]).await.unwrap(), before);
    assert_eq!(running.inbox(&[]).await.len(), 1);
}

fn raw(body: &str, announced: usize) -> String {
    format!(
        "POST /api/v1/webhooks/unipile/ HTTP/1.1\r\nhost: x\r\nunipile-auth: {SECRET}\r\n\
         content-length: {announced}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_sender_that_hangs_up_after_the_body_cancels_nothing() {
    let running = start(config()).await;
    for n in 0..20 {
        let body = message("a", &format!("m{n}"));
        let mut sender = TcpStream::connect(running.address).await.unwrap();
        let head = raw("", body.len()).replacen("\r\n", "\r\nexpect: 100-continue\r\n", 1);
        sender.write_all(head.as_bytes()).await.unwrap();
        // So the request is under way before the body and the end of the connection arrive together.
        let mut interim = [0; 25];
        sender.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        sender.write_all(body.as_bytes()).await.unwrap();
    }
    running.until(Outcome::Applied, 20).await;
}

#[tokio::test]
async fn half_a_body_is_no_webhook() {
    let running = start(IngestConfig { hold_seconds: 1, ..config() }).await;
    let body = message("a", "m");
    let mut broken = TcpStream::connect(running.address).await.unwrap();
    broken.write_all(raw(&body, body.len() + 9).as_bytes()).await.unwrap();
    drop(broken);
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(raw(&body, body.len() + 9).as_bytes()).await.unwrap();
    let mut heard = vec![0; 64];
    let read = slow.read(&mut heard).await.unwrap();
    let heard = String::from_utf8_lossy(&heard[..read]).into_owned();
    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
    assert!(running.inbox(&[]).await.is_empty());
}

#[tokio::test]
async fn many_senders_at_once_are_all_stored_and_answered() {
    let running = start(config()).await;
    let send = |n: usize| running.send(message(&format!("a{}", n % 9), &format!("m{n}")));
    let answers = futures::future::join_all((0..300).map(send)).await;
    assert!(answers.iter().all(|(status, body)| *status == 200 && body["outcome"] == "applied"));
    assert_eq!(running.inbox(&[Outcome::Applied]).await.len(), 300);
}
