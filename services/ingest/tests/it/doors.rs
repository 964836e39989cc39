//! Who may deliver, and what the others hear.

use channel_ingest::IngestConfig;
use channel_runtime::config::Secret;
use channel_store::intake::Outcome;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Running, SECRET, answer, config, message, start};

async fn knock(running: &Running, path: &str, secret: Option<&str>) -> StatusCode {
    let mut request = running.request(path).body(message("a", "m"));
    if let Some(secret) = secret {
        request = request.header("unipile-auth", secret);
    }
    answer(request.send().await.unwrap()).await.0
}

#[tokio::test]
async fn without_the_secret_nothing_is_stored() {
    let running = start(config()).await;
    for wrong in [None, Some(""), Some("wrong"), Some("s3cre")] {
        assert_eq!(knock(&running, "/", wrong).await, StatusCode::UNAUTHORIZED);
    }
    assert!(running.inbox(&[]).await.is_empty());
    assert_eq!(knock(&running, "/", Some(SECRET)).await, StatusCode::OK);
    assert_eq!(running.inbox(&[]).await.len(), 1);
}

#[tokio::test]
async fn while_secrets_change_both_are_good() {
    let running =
        start(IngestConfig { webhook_secret_next: Secret::new("next"), ..config() }).await;
    assert_eq!(knock(&running, "/", Some(SECRET)).await, StatusCode::OK);
    assert_eq!(knock(&running, "", Some("next")).await, StatusCode::OK);
    let wrong = knock(&running, "/", Some("other")).await;
    assert_eq!(wrong, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_path_with_an_unguessable_part_is_needed_once_it_is_configured() {
    let running = start(IngestConfig { path_token: Secret::new("u-n_g"), ..config() }).await;
    for (path, status) in [
        ("/u-n_g/", StatusCode::OK),
        ("/u-n_g", StatusCode::OK),
        ("/other/", StatusCode::UNAUTHORIZED),
        ("/", StatusCode::UNAUTHORIZED),
        ("", StatusCode::UNAUTHORIZED),
        ("/u-n_g/more", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(knock(&running, path, Some(SECRET)).await, status, "{path}");
    }
    let no_secret = knock(&running, "/u-n_g/", None).await;
    assert_eq!(no_secret, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_header_may_have_another_name() {
    let running = start(IngestConfig { secret_header: "X-Secret".to_owned(), ..config() }).await;
    assert_eq!(knock(&running, "/", Some(SECRET)).await, StatusCode::UNAUTHORIZED);
    let request = running.request("/").header("x-secret", SECRET);
    let sent = request.body(message("a", "m")).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_demo_without_a_secret_takes_everything() {
    let running = start(IngestConfig {
        webhook_secret: Secret::default(),
        allow_unauthenticated: true,
        ..config()
    })
    .await;
    assert_eq!(knock(&running, "/", None).await, StatusCode::OK);
}

#[tokio::test]
async fn only_post_is_served() {
    let running = start(config()).await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let url = format!("http://{}/api/v1/webhooks/unipile/", running.address);
        let request = reqwest::Client::new().request(method, url);
        let response = request.header("unipile-auth", SECRET).send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST");
        let (status, body) = answer(response).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(body["reason"], "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_announced_or_not() {
    let running = start(IngestConfig { body_limit_bytes: 1_000, ..config() }).await;
    let large = json!({"event": "SECRETTEXT".repeat(100)}).to_string();
    let (status, body) = running.send(large.clone()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    insta::assert_snapshot!(body, @r#"{"detail":"the body is larger than 1000 bytes","reason":"BODY_TOO_LARGE","status":413,"title":"Payload Too Large"}"#);

    let pieces = futures::stream::iter((0..30).map(|_| Ok::<_, std::io::Error>("x".repeat(50))));
    let (status, _) = running.send(reqwest::Body::wrap_stream(pieces)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(running.inbox(&[]).await.is_empty());

    let exact = format!("{:<1000}", message("a", "m"));
    assert_eq!(running.send(exact).await.0, StatusCode::OK);
}

#[tokio::test]
async fn after_the_end_began_senders_are_told_to_come_again() {
    let running = start(config()).await;
    assert_eq!(running.send(message("a", "m1")).await.0, StatusCode::OK);
    running.ingest.drain().await;
    let request = running.request("/").header("unipile-auth", SECRET);
    let response = request.body(message("a", "m2")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "5");
    let (status, body) = answer(response).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["reason"], "SHUTTING_DOWN");
    assert_eq!(running.inbox(&[Outcome::Applied]).await.len(), 1);
}

#[tokio::test]
async fn the_process_ends_cleanly_with_everything_answered() {
    let running = start(config()).await;
    let send = |n: usize| running.send(message("a", &format!("m{n}")));
    let answers = futures::future::join_all((0..50).map(send)).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK));
    let grace = std::time::Duration::from_secs(10);
    let outcome = running.supervisor.run(std::future::ready(()), grace).await;
    assert!(outcome.is_clean(), "{outcome:?}");
}
