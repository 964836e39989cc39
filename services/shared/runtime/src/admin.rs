//! The HTTP server for machines: is it alive, is it ready, how is it doing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::ServerConfig;
use crate::server::{TlsError, Transport, serve_http};
use crate::telemetry::Metrics;

/// More than probes and collectors need.
const MOST_CONNECTIONS: usize = 256;
/// How long an answer may take that was under way at the end.
const GOODBYE: Duration = Duration::from_secs(1);

/// The named conditions that must all hold before traffic is welcome. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<watch::Sender<BTreeMap<String, Standing>>>);

/// One condition, to be set from where it is known.
#[derive(Debug, Clone)]
pub struct Condition {
    name: String,
    readiness: Readiness,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Holds,
    /// It does not, for a reason where one is known.
    Missing(Option<String>),
}

impl Readiness {
    /// Adds a condition, which does not hold yet.
    #[must_use]
    pub fn condition(&self, name: &str) -> Condition {
        self.set(name, Standing::Missing(None));
        Condition { name: name.to_owned(), readiness: self.clone() }
    }

    fn set(&self, name: &str, state: Standing) {
        self.0.send_if_modified(|all| {
            let changed = all.get(name) != Some(&state);
            all.insert(name.to_owned(), state);
            changed
        });
    }

    /// What does not hold, by name, and why, where that is known.
    #[must_use]
    pub fn unready(&self) -> BTreeMap<String, Option<String>> {
        let missing = |(name, state): (&String, &Standing)| match state {
            Standing::Holds => None,
            Standing::Missing(reason) => Some((name.clone(), reason.clone())),
        };
        self.0.borrow().iter().filter_map(missing).collect()
    }

    /// Waits until everything holds.
    pub async fn wait(&self) {
        let all_hold = |all: &BTreeMap<_, _>| all.values().all(|state| *state == Standing::Holds);
        // Cannot end early: the sender lives in `self`.
        let _ = self.0.subscribe().wait_for(all_hold).await;
    }
}

impl Condition {
    /// Says whether the condition holds.
    pub fn set(&self, holds: bool) {
        let state = if holds { Standing::Holds } else { Standing::Missing(None) };
        self.readiness.set(&self.name, state);
    }

    /// Says that it does not, and why. Whoever asks may read the reason, so it holds no secret.
    pub fn fail(&self, reason: impl Into<String>) {
        self.readiness.set(&self.name, Standing::Missing(Some(reason.into())));
    }
}

/// The routes `/healthz`, `/readyz` and `/metrics`.
pub fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(render).with_state(metrics))
}

/// Serves the routes until `stop`.
///
/// # Errors
///
/// When the transport cannot be built.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), TlsError> {
    let config = ServerConfig { max_connections: MOST_CONNECTIONS, ..ServerConfig::default() };
    let transport = Transport::new(&config, true)?;
    let router =
        router(readiness, metrics).map_request(|request: Request<_>| request.map(Body::new));
    serve_http(listener, router, transport, stop, GOODBYE).await;
    Ok(())
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    let unready = readiness.unready();
    let status = if unready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let names: Vec<_> = unready.keys().collect();
    let reasons: BTreeMap<_, _> = unready.iter().filter(|(_, reason)| reason.is_some()).collect();
    let ready = unready.is_empty();
    let body = serde_json::json!({ "ready": ready, "waiting_for": names, "reasons": reasons });
    (status, Json(body))
}

async fn render(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn get(router: &Router, path: &str) -> (StatusCode, String) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_names_what_is_missing_until_all_holds() {
        let readiness = Readiness::default();
        let (store, upstream) = (readiness.condition("store"), readiness.condition("upstream"));
        let router = router(readiness.clone(), Metrics::install().unwrap());

        store.set(true);
        let (status, body) = get(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        insta::assert_snapshot!(body, @r#"{"ready":false,"reasons":{},"waiting_for":["upstream"]}"#);

        upstream.fail("it is asleep");
        let (_, body) = get(&router, "/readyz").await;
        insta::assert_snapshot!(body, @r#"{"ready":false,"reasons":{"upstream":"it is asleep"},"waiting_for":["upstream"]}"#);

        upstream.set(true);
        readiness.wait().await;
        assert_eq!(get(&router, "/readyz").await.0, StatusCode::OK);
        store.set(false);
        assert_eq!(get(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn liveness_does_not_depend_on_readiness() {
        let readiness = Readiness::default();
        let _never = readiness.condition("store");
        let router = router(readiness, Metrics::install().unwrap());
        assert_eq!(get(&router, "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_show_what_was_counted() {
        let router = router(Readiness::default(), Metrics::install().unwrap());
        metrics::counter!("channel_admin_test_total").increment(3);
        let (_, text) = get(&router, "/metrics").await;
        assert!(text.contains("channel_admin_test_total 3"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_nothing_is_let_go_and_others_are_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Metrics::install().unwrap();
        tokio::spawn(serve(listener, Readiness::default(), metrics, CancellationToken::new()));
        for (words, answer) in [
            ("", ""),
            ("GET /healthz HTTP/1.1\r\nx-half", ""),
            ("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", "ok\n"),
        ] {
            let rest = crate::silence::after_saying(address, words).await.unwrap_or_default();
            assert!(rest.ends_with(answer.as_bytes()), "{words:?}");
        }
    }

    #[tokio::test]
    async fn the_server_ends_when_it_is_told_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        serve(listener, Readiness::default(), Metrics::install().unwrap(), stop).await.unwrap();
    }
}
