//! What happens when the store fails, the caller goes away, or the process ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use channel_runtime::fault::Fault;
use channel_store::intake::{Delivery, Outcome};
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::{deadline, one_writer, run};
use crate::config::IngestConfig;
use crate::counters::IntakeMode;
use crate::testing::{Do, delivery, shared};

fn has(batch: &[Delivery], body: &[u8]) -> bool {
    batch.iter().any(|delivery| delivery.body == body)
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_retried_at_once() {
    let failures = std::sync::atomic::AtomicU32::new(0);
    let store = shared(move |_, _| match failures.fetch_add(1, Ordering::SeqCst) {
        0 => Do::BeAway,
        _ => Do::Work,
    });
    let running = run(store.clone(), &one_writer());
    let verdict = running.batcher.store(delivery("a", "x"), deadline()).await;
    assert_eq!(verdict.unwrap().outcome, Outcome::Applied);
    let calls = store.calls.lock().unwrap();
    assert_eq!(calls.len(), 2);
    // The first call itself takes one.
    assert_eq!(calls[1].1 - calls[0].1, Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_asked_for_once_at_the_beginning_and_once_after_webhooks_were_turned_away()
 {
    let store = shared(|_, _| Do::Work);
    let running = run(store.clone(), &one_writer());
    let asked = || store.asked_for_missed.load(Ordering::SeqCst);
    for (number, expected) in [("1", 1), ("2", 1)] {
        running.batcher.store(delivery("a", number), deadline()).await.unwrap();
        sleep(Duration::from_millis(5)).await;
        assert_eq!(asked(), expected, "webhook {number}");
    }
    running.parts.counters.turned_away();
    running.batcher.store(delivery("a", "3"), deadline()).await.unwrap();
    sleep(Duration::from_millis(5)).await;
    assert_eq!(asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_applied_is_stored_as_it_is() {
    let store = shared(|way, _| if way == "take" { Do::Refuse } else { Do::Work });
    let running = run(store.clone(), &one_writer());
    let send = |n: u32| running.batcher.store(delivery("a", n.to_string()), deadline());
    for answer in join_all((0..50).map(send)).await {
        assert_eq!(answer.unwrap().outcome, Outcome::Pending);
    }
    assert_eq!(store.stored().len(), 50);
    assert_eq!(running.parts.counters.mode(), IntakeMode::StoreOnly);
    // The worker was told.
    timeout(Duration::from_secs(1), running.parts.kept.notified()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_store_costs_nobody_a_webhook() {
    let store = shared(|way, _| if way == "take" { Do::Panic } else { Do::Work });
    let running = run(store.clone(), &one_writer());
    let verdict = running.batcher.store(delivery("a", "x"), deadline()).await;
    assert_eq!(verdict.unwrap().outcome, Outcome::Pending);
}

#[tokio::test(start_paused = true)]
async fn only_the_one_that_cannot_be_kept_is_refused() {
    let store = shared(|way, batch| match way {
        "take" => Do::Refuse,
        _ if has(batch, b"13") => Do::Refuse,
        _ => Do::Work,
    });
    let running = run(store.clone(), &one_writer());
    let send = |n: u32| running.batcher.store(delivery("a", n.to_string()), deadline());
    let answers = join_all((0..50).map(send)).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Ok(verdict) => assert_eq!((verdict.outcome, n == 13), (Outcome::Pending, false)),
            Err(refusal) => assert_eq!((refusal.reason(), n), ("NOT_STORED", 13)),
        }
    }
    let stored = store.stored();
    assert_eq!(stored.len(), 49);
    assert!(!stored.iter().any(|body| body == "13"));
}

/// A minute without a database, webhooks all the while.
#[tokio::test(start_paused = true)]
async fn with_the_store_away_everybody_is_answered_in_time_and_nobody_is_lied_to() {
    let began = Instant::now();
    let away = 5..65;
    let store =
        shared(
            move |_, _| {
                if away.contains(&began.elapsed().as_secs()) { Do::BeAway } else { Do::Work }
            },
        );
    let running = run(store.clone(), &IngestConfig::default());
    let send = |n: u64| {
        let batcher = running.batcher.clone();
        async move {
            sleep(Duration::from_millis(250 * n)).await;
            let sent = Instant::now();
            let delivery = delivery(&format!("a{}", n % 7), n.to_string());
            let answer = batcher.store(delivery, deadline()).await;
            (n, answer, sent.elapsed())
        }
    };
    let answers = join_all((0..320).map(send)).await;
    let stored = store.stored();
    let (mut good, mut bad) = (0, 0);
    for (n, answer, took) in answers {
        assert!(took < Duration::from_secs(25), "{n} took {took:?}");
        match answer {
            Ok(_) => {
                good += 1;
                assert!(stored.contains(&n.to_string().into()), "{n} was not stored");
            }
            Err(refusal) => {
                bad += 1;
                assert_eq!(refusal.reason(), "STORE_UNAVAILABLE");
                assert!(refusal.retry_after().is_some());
            }
        }
    }
    // Those of 40 s could not be held long enough; the others could.
    assert!((155..=170).contains(&bad) && good + bad == 320, "{good} {bad}");
    assert_eq!(running.parts.counters.mode(), IntakeMode::Normal);
}

#[tokio::test(start_paused = true)]
async fn the_mode_says_that_the_store_is_away() {
    let running = run(shared(|_, _| Do::BeAway), &one_writer());
    let store = running.batcher.store(delivery("a", "x"), deadline());
    assert!(timeout(Duration::from_secs(3), store).await.is_err());
    assert_eq!(running.parts.counters.mode(), IntakeMode::StoreAway);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_cancels_nothing() {
    let store = shared(|_, _| Do::Work);
    let running = run(store.clone(), &one_writer());
    for n in 0..20_u32 {
        let asked = running.batcher.store(delivery("a", n.to_string()), deadline());
        // Polled once, then dropped: in the queue, or in the middle of a batch.
        assert!(timeout(Duration::ZERO, asked).await.is_err());
    }
    let last = running.batcher.store(delivery("a", "last"), deadline());
    last.await.unwrap();
    assert_eq!(store.stored().len(), 21);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_what_waits_is_written_and_later_ones_are_told() {
    let store = shared(|_, _| Do::Work);
    let running = run(store.clone(), &IngestConfig::default());
    let send = |n: u32| running.batcher.store(delivery(&format!("a{n}"), "x"), deadline());
    let end = async {
        running.parts.closing.cancel();
    };
    let (answers, ()) = tokio::join!(join_all((0..30).map(send)), end);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(store.stored().len(), 30);
    let late = send(99).await.unwrap_err();
    assert_eq!(late.reason(), "SHUTTING_DOWN");
    for writer in running.writers {
        writer.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_store_that_is_away() {
    let running = run(shared(|_, _| Do::BeAway), &one_writer());
    let asked = running.batcher.store(delivery("a", "x"), deadline());
    running.parts.ending.cancel();
    let began = Instant::now();
    assert_eq!(asked.await.unwrap_err().reason(), "STORE_UNAVAILABLE");
    assert!(began.elapsed() < Duration::from_secs(1));
}
