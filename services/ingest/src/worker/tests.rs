use std::sync::Arc;
use std::time::Duration;

use channel_runtime::clock::{Clock, ManualClock};
use channel_store::intake::Outcome;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PAGE, Worker, backoff};
use crate::config::IngestConfig;
use crate::reading::Parser;
use crate::testing::{Do, FakeStore, shared, stored};

const NOW: i64 = 1_000_000_000;

fn worker(store: &Arc<FakeStore>) -> Worker {
    let config = IngestConfig::default();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let kept = Arc::new(Notify::new());
    Worker::new(&config, store.clone(), Parser::default(), clock, kept)
}

fn holding(count: i64, outcome: Outcome) -> Arc<FakeStore> {
    let store = shared(|_, _| Do::Work);
    *store.rows.lock().unwrap() = (1..=count).map(|id| stored(id, outcome)).collect();
    store
}

fn left(store: &FakeStore) -> usize {
    store.rows.lock().unwrap().len()
}

/// Lets the worker run for a while.
async fn run_for(worker: &Worker, time: Duration) {
    let stop = CancellationToken::new();
    let end = async {
        tokio::time::sleep(time).await;
        stop.cancel();
    };
    tokio::join!(worker.run(stop.clone()), end);
}

#[tokio::test(start_paused = true)]
async fn all_that_is_due_is_applied_page_after_page() {
    let store = holding(3 * i64::try_from(PAGE).unwrap() + 5, Outcome::Pending);
    run_for(&worker(&store), Duration::from_millis(1)).await;
    assert_eq!(left(&store), 0);
}

#[tokio::test(start_paused = true)]
async fn being_told_wakes_it_before_its_tick() {
    let store = holding(0, Outcome::Pending);
    let worker = worker(&store);
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.rows.lock().unwrap().push(stored(1, Outcome::Pending));
        worker.kept.notify_one();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(left(&store), 0);
    };
    tokio::join!(run_for(&worker, Duration::from_secs(1)), later);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_announced_is_found_by_the_tick() {
    let store = holding(0, Outcome::Pending);
    let worker = worker(&store);
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.rows.lock().unwrap().push(stored(1, Outcome::Pending));
    };
    tokio::join!(run_for(&worker, Duration::from_secs(6)), later);
    assert_eq!(left(&store), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lasting_error_or_a_panic_sets_aside_with_the_reason_and_blocks_nobody() {
    let store = holding(3, Outcome::Pending);
    // The newest comes first here.
    *store.settling.lock().unwrap() = [Do::Refuse, Do::Panic, Do::Work].into();
    run_for(&worker(&store), Duration::from_millis(1)).await;
    let expected = [(3, None, "STORE_REFUSED"), (2, None, "APPLY_PANICKED")];
    assert_eq!(*store.postponed.lock().unwrap(), expected);
    assert_eq!(left(&store), 0);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_makes_no_sense_is_set_aside_and_blocks_nobody() {
    let store = holding(3, Outcome::Pending);
    store.broken.lock().unwrap().push(2);
    run_for(&worker(&store), Duration::from_millis(1)).await;
    assert_eq!(*store.postponed.lock().unwrap(), [(2, None, "STORE_INCONSISTENT")]);
    assert_eq!(left(&store), 0);
}

#[tokio::test(start_paused = true)]
async fn a_passing_error_is_tried_eight_times_with_growing_rests() {
    let store = holding(1, Outcome::Pending);
    *store.settling.lock().unwrap() = [Do::BeAway; 100].into();
    let began = Instant::now();
    run_for(&worker(&store), Duration::from_mins(10)).await;
    assert!(began.elapsed() >= Duration::from_mins(10));
    let postponed = store.postponed.lock().unwrap();
    assert_eq!(postponed.len(), 8);
    for (attempts, (id, again_at, reason)) in (1..).zip(postponed.iter()) {
        assert_eq!((*id, *reason), (1, "STORE_UNAVAILABLE"));
        let Some(again_at) = again_at else {
            assert_eq!(attempts, 8);
            continue;
        };
        let rest = u128::try_from(again_at.0 - NOW).unwrap();
        assert!(rest <= backoff::ceiling(attempts).as_micros());
    }
}

#[tokio::test]
async fn what_was_held_is_applied_when_its_account_is_adopted() {
    let store = holding(100, Outcome::Held);
    for row in store.rows.lock().unwrap().iter_mut().filter(|row| row.stamp.inbox % 2 == 0) {
        row.account = Some("other".into());
    }
    let worker = worker(&store);
    assert_eq!(worker.adopted(&"a".into()).await.unwrap(), 50);
    assert_eq!(left(&store), 50);
    assert_eq!(worker.adopted(&"other".into()).await.unwrap(), 50);
    assert_eq!(worker.adopted(&"a".into()).await.unwrap(), 0);
}
