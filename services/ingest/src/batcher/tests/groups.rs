//! How webhooks form batches, and which writer they go to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel_store::intake::Reading;
use futures::future::join_all;

use super::{deadline, one_writer, run};
use crate::config::IngestConfig;
use crate::testing::{Do, FakeStore, delivery, shared};

#[tokio::test(start_paused = true)]
async fn what_waits_while_a_batch_is_written_is_the_next_batch() {
    let store = shared(|_, _| Do::Work);
    let running = run(store.clone(), &one_writer());
    let numbered = |range: std::ops::Range<u32>| -> Vec<_> {
        range.map(|n| delivery("a", n.to_string())).collect()
    };
    let others = async {
        // Inside the millisecond that the first batch takes.
        tokio::time::sleep(Duration::from_micros(100)).await;
        running.send_all(numbered(1..450)).await
    };
    let (first, others) = tokio::join!(running.send_all(numbered(0..1)), others);
    assert!(first.iter().chain(&others).all(Result::is_ok));
    assert_eq!(store.sizes(), [1, 200, 200, 49]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_holds_no_more_bytes_than_it_may() {
    let store = shared(|_, _| Do::Work);
    let config = IngestConfig { max_batch_bytes: 1_000, ..one_writer() };
    let running = run(store.clone(), &config);
    let body = |bytes: usize| Bytes::from(vec![b' '; bytes]);
    let sizes = [400, 600, 1, 999, 1_000, 5_000, 10];
    let sent = sizes.map(|bytes| running.batcher.store(delivery("a", body(bytes)), deadline()));
    assert!(join_all(sent).await.iter().all(Result::is_ok));
    assert_eq!(store.sizes(), [2, 2, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_account_keeps_its_order_and_its_writer() {
    let store = shared(|_, _| Do::Work);
    let config = IngestConfig { writers: 4, max_batch: 7, ..IngestConfig::default() };
    let running = run(store.clone(), &config);
    let accounts: Vec<String> = (0..40).map(|n| format!("account-{n}")).collect();
    let mut sent = vec![];
    for n in 0..25 {
        for account in &accounts {
            let body = format!("{account}/{n:02}");
            sent.push(delivery(account, body));
        }
    }
    assert!(running.send_all(sent).await.iter().all(Result::is_ok));
    let mut seen: HashMap<String, Vec<String>> = HashMap::new();
    for body in store.stored() {
        let body = String::from_utf8(body.to_vec()).unwrap();
        let (account, n) = body.split_once('/').unwrap();
        seen.entry(account.to_owned()).or_default().push(n.to_owned());
    }
    assert_eq!(seen.len(), accounts.len());
    assert!(seen.values().all(|order| order.len() == 25 && order.is_sorted()));
    let lane = |account: &str| running.batcher.lane_of(&delivery(account, "any"));
    let lanes: Vec<usize> = accounts.iter().map(|it| lane(it)).collect();
    assert!((0..4).all(|lane| lanes.contains(&lane)), "{lanes:?}");
    for (account, lane) in accounts.iter().zip(lanes) {
        assert_eq!(running.batcher.lane_of(&delivery(account, "other")), lane);
    }
}

#[tokio::test(start_paused = true)]
async fn what_names_no_account_is_spread_by_its_bytes() {
    let running = run(shared(|_, _| Do::Work), &IngestConfig::default());
    let lane = |body: String| {
        let mut rejected = delivery("a", body);
        rejected.reading = Reading::Rejected { reason: "NOT_JSON", detail: String::new() };
        running.batcher.lane_of(&rejected)
    };
    let lanes: Vec<usize> = (0..50).map(|n| lane(n.to_string())).collect();
    assert!(lanes.contains(&0) && lanes.contains(&1));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_the_next_one_wait_and_then_tells_it() {
    let mut store = FakeStore::new(|_, _| Do::Work);
    store.takes = Duration::from_secs(30);
    let config = IngestConfig { queue: 2, max_batch: 1, ..one_writer() };
    let running = run(Arc::new(store), &config);
    let send = |n: u32| running.batcher.store(delivery("a", n.to_string()), deadline());
    let answers = join_all((0..6).map(send)).await;
    let reasons: Vec<_> = answers
        .iter()
        .map(|answer| channel_runtime::fault::Fault::reason(answer.as_ref().unwrap_err()))
        .collect();
    let full = reasons.iter().filter(|reason| **reason == "INTAKE_FULL").count();
    let away = reasons.iter().filter(|reason| **reason == "STORE_UNAVAILABLE").count();
    assert_eq!((full, away), (3, 3), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn bodies_that_wait_take_a_bounded_memory() {
    let mut store = FakeStore::new(|_, _| Do::Work);
    store.takes = Duration::from_secs(5);
    let config = IngestConfig { queue_bytes: 1024 * 1024, ..one_writer() };
    let store = Arc::new(store);
    let running = run(store.clone(), &config);
    let body = Bytes::from(vec![b' '; 400 * 1024]);
    let sent = (0..6).map(|_| running.batcher.store(delivery("a", body.clone()), deadline()));
    assert!(join_all(sent).await.iter().all(Result::is_ok));
    assert!(store.sizes().iter().all(|size| *size <= 2), "{:?}", store.sizes());
}
