//! Against a real HTTP server: headers, attempts, and books that are exact.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use channel_simulator::{
    DeliveryConfig, Faults, Mix, Outcome, Report, Simulator, SimulatorConfig, run,
};

/// What a receiver answers to the n-th request for a body, counted from 1; `None` hangs.
type Answers = dyn Fn(u32) -> Option<StatusCode> + Send + Sync;

struct Receiver {
    url: String,
    seen: Arc<Seen>,
}

struct Seen {
    answers: Box<Answers>,
    requests: Mutex<Vec<(Bytes, HeaderMap)>>,
    accepted: Mutex<BTreeMap<Vec<u8>, u32>>,
}

async fn receive(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let nth = {
        let mut requests = seen.requests.lock().unwrap();
        requests.push((body.clone(), headers));
        requests.iter().filter(|(earlier, _)| *earlier == body).count()
    };
    let Some(status) = (seen.answers)(u32::try_from(nth).unwrap()) else {
        return std::future::pending().await;
    };
    if status == StatusCode::OK {
        *seen.accepted.lock().unwrap().entry(body.to_vec()).or_default() += 1;
    }
    status
}

impl Receiver {
    async fn start(answers: impl Fn(u32) -> Option<StatusCode> + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Seen {
            answers: Box::new(answers),
            requests: Mutex::default(),
            accepted: Mutex::default(),
        });
        let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    fn config(&self, total: u64) -> SimulatorConfig {
        let delivery = DeliveryConfig {
            target_url: self.url.clone(),
            retry_delay_scale: 0.0,
            paced: false,
            keep_events: true,
            ..DeliveryConfig::default()
        };
        SimulatorConfig { delivery, ..SimulatorConfig::load(21, total) }
    }

    fn requests(&self) -> Vec<(Bytes, HeaderMap)> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The books agree with what this side saw: acknowledged is exactly what was answered 200.
    fn agrees_with(&self, report: &Report) {
        let mut acked: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for event in report.ledger.acked() {
            *acked.entry(event.body.to_vec()).or_default() += 1;
        }
        assert_eq!(acked, *self.seen.accepted.lock().unwrap());
        let counts = report.ledger.counts();
        let attempts: u32 = report.ledger.entries().iter().map(|entry| entry.attempts).sum();
        assert_eq!(counts.attempts, u64::from(attempts));
        assert_eq!(attempts as usize, self.requests().len());
        assert_eq!(counts.acked, report.ledger.acked().len() as u64);
        assert_eq!(counts.failed, report.ledger.failed().len() as u64);
    }
}

async fn never() {
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn requests_look_like_those_of_unipile() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let mut config = receiver.config(1);
    config.delivery.secret_header = "X-Hook-Secret".to_owned();
    config.delivery.secret_value = Some("s3cret".to_owned().into());
    run(config, never()).await.unwrap();
    let (body, headers) = receiver.requests().remove(0);
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(headers["user-agent"], "axios/1.7.7");
    assert_eq!(headers["accept"], "application/json, text/plain, */*");
    assert_eq!(headers["x-hook-secret"], "s3cret");
    assert_eq!(headers["content-length"], body.len().to_string());
}

#[tokio::test]
async fn everything_is_acknowledged_once_by_a_receiver_that_answers_200() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let report = run(receiver.config(2_000), never()).await.unwrap();
    let counts = report.ledger.counts();
    assert_eq!((counts.sent, counts.acked, counts.attempts), (2_000, 2_000, 2_000));
    receiver.agrees_with(&report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_one_request_at_a_time_events_arrive_in_order() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let mut config = receiver.config(300);
    config.delivery.concurrency = 1;
    let report = run(config, never()).await.unwrap();
    let arrived: Vec<Bytes> = receiver.requests().into_iter().map(|(body, _)| body).collect();
    let sent: Vec<Bytes> = report.ledger.entries().into_iter().map(|e| e.event.body).collect();
    assert_eq!(arrived, sent);
}

#[tokio::test]
async fn anything_but_a_literal_200_is_tried_again_with_the_same_bytes() {
    for status in [204, 202, 302, 400, 404, 500, 503] {
        let refused = StatusCode::from_u16(status).unwrap();
        let receiver =
            Receiver::start(move |nth| Some(if nth < 4 { refused } else { StatusCode::OK })).await;
        let report = run(receiver.config(3), never()).await.unwrap();
        assert!(report.ledger.entries().iter().all(|entry| entry.attempts == 4), "{status}");
        assert_eq!(report.ledger.counts().acked, 3, "{status}");
        receiver.agrees_with(&report);
    }
}

#[tokio::test]
async fn after_five_more_attempts_an_event_is_given_up() {
    let receiver = Receiver::start(|_| Some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let report = run(receiver.config(4), never()).await.unwrap();
    for entry in report.ledger.entries() {
        assert_eq!((entry.attempts, entry.outcome), (6, Outcome::Failed));
    }
    receiver.agrees_with(&report);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_no_answer() {
    let receiver = Receiver::start(|nth| (nth > 1).then_some(StatusCode::OK)).await;
    let mut config = receiver.config(2);
    config.delivery.timeout_ms = 50;
    let report = run(config, never()).await.unwrap();
    assert!(report.ledger.entries().iter().all(|entry| entry.attempts == 2));
    receiver.agrees_with(&report);
}

#[tokio::test]
async fn events_that_wait_for_another_attempt_do_not_hold_up_the_others() {
    // Every second distinct body is refused the first time, and its next attempt is far away.
    let receiver = Receiver::start(|nth| {
        Some(if nth == 1 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })
    })
    .await;
    let mut config = receiver.config(20);
    config.delivery.concurrency = 1;
    config.delivery.retry_delays_ms = vec![3_600_000];
    config.delivery.retry_delay_scale = 1.0;
    let simulator = Simulator::new(config).unwrap();
    let ledger = simulator.ledger();
    let counts = Arc::clone(&ledger);
    let report = simulator
        .run(async move {
            counts.until(|c| c.attempts == 20).await;
        })
        .await;
    // Stopped while all of them waited: none is acknowledged, none is forgotten.
    assert_eq!(report.ledger.counts().pending(), 0);
    assert_eq!(report.ledger.failed().len(), 20);
    assert_eq!(receiver.requests().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn the_waits_between_attempts_are_those_of_the_schedule() {
    // Nothing listens on the port: every attempt is refused at once, so time passes only in waits.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = SimulatorConfig::load(1, 1);
    config.delivery.target_url = format!("http://127.0.0.1:{port}/");
    config.delivery.retry_delays_ms = vec![1_000, 5_000, 20_000, 60_000, 300_000];
    let began = tokio::time::Instant::now();
    let report = run(config, never()).await.unwrap();
    assert_eq!(report.ledger.entries()[0].attempts, 6);
    assert_eq!(began.elapsed().as_secs(), 386);
}

#[tokio::test(start_paused = true)]
async fn paced_events_are_sent_at_their_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = SimulatorConfig::load(1, 20);
    config.rate_per_second = 0.5;
    config.start = Some("2026-05-01T08:00:00Z".parse().unwrap());
    config.delivery.target_url = format!("http://127.0.0.1:{port}/");
    config.delivery.paced = true;
    config.delivery.retry_delays_ms.clear();
    let began = tokio::time::Instant::now();
    let report = run(config.clone(), never()).await.unwrap();
    let last = report.ledger.entries().pop().unwrap().event.at;
    let expected = last.duration_since(config.start.unwrap());
    let late = began.elapsed().as_secs_f64() - expected.as_secs_f64();
    assert!((0.0..0.1).contains(&late), "late by {late} s");
    assert!((20.0..60.0).contains(&expected.as_secs_f64()));
}

#[tokio::test]
async fn copies_and_poison_are_sent_too_and_drops_are_not() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let mut config = receiver.config(400);
    config.faults = Faults { drop: 0.2, oversize_bytes: 10_000, ..Faults::rough() };
    config.mix = Mix::default();
    let report = run(config, never()).await.unwrap();
    let acked = report.ledger.acked();
    assert!(acked.iter().any(|event| event.duplicate));
    assert!(acked.iter().any(channel_simulator::Event::is_poison));
    let dropped =
        report.faults.iter().filter(|r| r.fault == channel_simulator::Fault::Dropped).count();
    let genuine = acked.iter().filter(|event| !event.duplicate && !event.is_poison()).count();
    assert_eq!(genuine + dropped, 400);
    receiver.agrees_with(&report);
}

#[tokio::test]
async fn a_stop_ends_an_endless_run_and_lets_requests_finish() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let mut config = receiver.config(0);
    config.total = None;
    let simulator = Simulator::new(config).unwrap();
    let ledger = simulator.ledger();
    let run = simulator.run(async move {
        ledger.until(|c| c.acked >= 200).await;
    });
    let report = tokio::time::timeout(Duration::from_mins(1), run).await.unwrap();
    let counts = report.ledger.counts();
    assert!(counts.acked >= 200);
    assert_eq!(counts.pending(), 0);
    receiver.agrees_with(&report);
}

#[tokio::test]
async fn only_counts_are_kept_when_events_are_not_wanted() {
    let receiver = Receiver::start(|_| Some(StatusCode::OK)).await;
    let mut config = receiver.config(100);
    config.delivery.keep_events = false;
    let report = run(config, never()).await.unwrap();
    assert_eq!(report.ledger.counts().acked, 100);
    assert!(report.ledger.entries().is_empty());
}
