//! L8: fresh, whatever becomes of the wake-ups.

use crate::live::config::LiveConfig;
use crate::live::testing::Bench;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_event_arrives_by_its_wake_up_without_waiting_for_the_poll() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    let committed = Instant::now();
    bench.log.append(1, 3);
    reader.until_level(&bench.log, &[1]).await;
    assert_eq!(committed.elapsed(), Duration::ZERO);
    assert_eq!(bench.live.0.meters.poll_only.value(), 0);
}

/// T9
#[tokio::test(start_paused = true)]
async fn with_all_wake_ups_lost_the_poll_finds_the_event_and_says_so() {
    let bench = Bench::new(2, LiveConfig::default());
    bench.log.lose_wakeups(true);
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    let committed = Instant::now();
    bench.log.append(2, 1);
    reader.until_level(&bench.log, &[2]).await;
    assert!(committed.elapsed() <= Duration::from_secs(1), "{:?}", committed.elapsed());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(bench.live.0.meters.poll_only.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_wake_ups_than_fit_lose_no_event() {
    let bench = Bench::new(3, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    for round in 0..100 {
        bench.log.append(1 + round % 3, 1);
    }
    reader.until_level(&bench.log, &[1, 2, 3]).await;
    assert!(bench.live.0.meters.lost_hints.value() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_fails_for_a_while_delays_and_loses_nothing() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    bench.log.fail(7);
    bench.log.append(1, 2);
    reader.until_level(&bench.log, &[1]).await;
    assert!(bench.live.0.meters.store_failures.value() >= 7);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_database_holds_events_back_and_bookmarks_go_on() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    bench.log.stall(true);
    bench.log.append(1, 2);
    reader.until(|client| client.bookmarks == 2).await;
    assert!(reader.client.accounts["account-1"].shown.is_empty());
    bench.log.stall(false);
    reader.until_level(&bench.log, &[1]).await;
}
