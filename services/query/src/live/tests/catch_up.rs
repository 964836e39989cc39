//! L4, L6: units stay whole, bookmarks tell the truth.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, quick};
use channel_proto::query::v1::WatchRequest;
use futures::StreamExt as _;
use prost::Message as _;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn hello_comes_first_and_caught_up_when_the_past_is_through() {
    let bench = Bench::new(2, quick());
    for _ in 0..20 {
        bench.log.append(1, 2);
    }
    let mut reader = bench.watch_from(1, 4).await;
    reader.step().await;
    let hello = reader.client.hello.clone().unwrap();
    assert_eq!((hello.accounts[0].seq, hello.accounts[0].head), (4, 40));
    assert_eq!(hello.heartbeat_period.unwrap().seconds, 18);
    reader.until(|client| client.caught_up.is_some()).await;
    assert_eq!(reader.client.caught_up.as_deref().unwrap(), ["account-1"]);
    assert_eq!(reader.client.accounts["account-1"].shown, bench.log.truth(1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_unit_larger_than_ring_and_page_arrives_in_parts_and_is_shown_whole() {
    let bench = Bench::new(1, quick());
    let mut live = bench.watch().await;
    live.until(|client| client.caught_up.is_some()).await;
    bench.log.append(1, 3);
    bench.log.append(1, 100);
    bench.log.append(1, 1);
    live.until_level(&bench.log, &[1]).await;
    let mut late = bench.watch_from(1, 0).await;
    late.until_level(&bench.log, &[1]).await;
    assert!(late.client.frames > 10, "in parts of a page each");
}

#[tokio::test(start_paused = true)]
async fn frames_keep_to_the_size_that_the_client_names() {
    let bench = Bench::new(1, LiveConfig::default());
    let request = WatchRequest { max_frame_bytes: 8 * 1024, ..WatchRequest::default() };
    let mut stream = bench.live.watch(Bench::identity("user"), request).await.unwrap();
    let mut client = crate::live::testing::Client::default();
    bench.log.append_sized(1, 50, 1_000);
    bench.log.append_sized(1, 1, 20_000);
    let mut sizes = Vec::new();
    while client.accounts.get("account-1").is_none_or(|kept| kept.shown.len() < 51) {
        let frame = stream.next().await.unwrap();
        sizes.push(frame.len());
        let frame = channel_proto::query::v1::WatchResponse::decode(frame).unwrap();
        client.take(frame).unwrap();
    }
    let large: Vec<_> = sizes.iter().filter(|size| **size > 8 * 1024).collect();
    assert_eq!(large.len(), 1, "only the single event that cannot be cut: {sizes:?}");
    assert_eq!(client.accounts["account-1"].run_ends, [50, 51]);
}

/// L6, and the heartbeat that Hello promises.
#[tokio::test(start_paused = true)]
async fn bookmarks_come_in_silence_within_the_promised_period() {
    let bench = Bench::new(3, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    for count in 1..50 {
        let since = Instant::now();
        reader.until(|client| client.bookmarks == count).await;
        let waited = since.elapsed().as_millis();
        assert!((12_000..=18_001).contains(&waited), "{waited}");
        bench.log.append(i64::from(count % 3) + 1, 2);
        reader.until_level(&bench.log, &[1, 2, 3]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_stream_gets_a_bookmark_every_minute_even_within_a_unit() {
    let config = LiveConfig { ring_events: 4, page_events: 2, ..LiveConfig::default() };
    let bench = Bench::new(1, config);
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    bench.log.append(1, 600);
    let started = Instant::now();
    for _ in 0..200 {
        reader.step().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let minutes = u32::try_from(started.elapsed().as_secs() / 60).unwrap();
    assert!(reader.client.bookmarks >= minutes, "{}", reader.client.bookmarks);
    reader.until_level(&bench.log, &[1]).await;
}
