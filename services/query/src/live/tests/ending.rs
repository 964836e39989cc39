//! How streams end.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, Reader};
use channel_proto::query::v1::{GoodbyeReason, WatchRequest};
use std::time::Duration;
use tokio::time::Instant;

fn retry_ms(goodbye: channel_proto::query::v1::Goodbye) -> Option<u128> {
    let retry = goodbye.retry_after?;
    Some(Duration::try_from(retry).unwrap().as_millis())
}

#[tokio::test(start_paused = true)]
async fn every_stream_gets_a_goodbye_when_the_process_drains_and_none_opens_any_more() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut readers = Vec::new();
    for _ in 0..10 {
        readers.push(bench.watch().await);
    }
    let drain = bench.supervisor.drain();
    let live = bench.live.clone();
    let run = tokio::spawn(
        bench.supervisor.run(drain.clone().cancelled_owned(), Duration::from_secs(25)),
    );
    drain.cancel();
    let mut waits = std::collections::HashSet::new();
    for mut reader in readers {
        reader.until(|client| client.goodbye.is_some()).await;
        let goodbye = reader.client.goodbye.unwrap();
        assert_eq!(goodbye.reason(), GoodbyeReason::Shutdown);
        let retry = retry_ms(goodbye).unwrap();
        assert!((5_000..=10_000).contains(&retry), "{retry}");
        waits.insert(retry);
        assert!(!{
            let mut reader = reader;
            reader.client.goodbye = None;
            reader.try_step().await.unwrap()
        });
    }
    assert!(waits.len() > 1, "spread over time");
    let refused = live.watch(Bench::identity("user"), WatchRequest::default()).await;
    let fault = refused.unwrap_err();
    assert_eq!(channel_runtime::fault::Fault::reason(&fault), "SHUTTING_DOWN");
    assert!(run.await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_does_not_hold_the_drain_up() {
    let bench = Bench::new(1, LiveConfig::default());
    let stuck = bench.watch().await;
    let started = Instant::now();
    bench.live.drain().await;
    assert_eq!(started.elapsed(), Duration::from_secs(10));
    drop(stuck);
}

#[tokio::test(start_paused = true)]
async fn an_old_stream_is_asked_to_move() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    let started = Instant::now();
    reader.until(|client| client.goodbye.is_some()).await;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    assert!((24.0..=36.1).contains(&minutes), "{minutes}");
    let goodbye = reader.client.goodbye.unwrap();
    assert_eq!(goodbye.reason(), GoodbyeReason::Rotate);
    assert!(retry_ms(goodbye).unwrap() <= 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_token() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut identity = Bench::identity("user");
    identity.expires_at = 90_000_000;
    let stream = bench.live.watch(identity, WatchRequest::default()).await.unwrap();
    let mut reader = Reader::new(stream);
    let started = Instant::now();
    reader.until(|client| client.goodbye.is_some()).await;
    assert_eq!(started.elapsed().as_secs(), 90);
    assert_eq!(reader.client.goodbye.unwrap().reason(), GoodbyeReason::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_left_events_alone_for_a_minute_is_asked_to_come_again() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    tokio::time::sleep(Duration::from_secs(59)).await;
    bench.log.append(1, 1);
    reader.until_level(&bench.log, &[1]).await;
    bench.log.append(1, 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    reader.until(|client| client.goodbye.is_some()).await;
    assert_eq!(reader.client.goodbye.unwrap().reason(), GoodbyeReason::Slow);
    let mut again = bench.resume(reader.client).await;
    again.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_gives_everything_back() {
    let bench = Bench::new(2, LiveConfig::default());
    let readers = [bench.watch().await, bench.watch_from(1, 0).await];
    assert_eq!(bench.live.0.meters.streams.value(), 2);
    drop(readers);
    assert_eq!(bench.live.0.meters.streams.value(), 0);
    bench.live.drain().await;
}
