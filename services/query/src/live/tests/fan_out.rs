//! Many streams cost the database and the encoder no more than one.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, quick};
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn a_thousand_streams_on_one_account_encode_each_event_once() {
    let config =
        LiveConfig { streams_per_user: 2_000, streams_per_second: 2_000, ..LiveConfig::default() };
    let bench = Bench::new(1, config);
    let mut readers = Vec::new();
    for _ in 0..1_000 {
        readers.push(bench.watch().await);
    }
    for events in 1..=10 {
        bench.log.append(1, events);
    }
    for reader in &mut readers {
        reader.until_level(&bench.log, &[1]).await;
    }
    assert_eq!(bench.live.0.meters.encoded.value(), 55);
    assert_eq!(bench.log.resumes.load(Ordering::Relaxed), 0);
    assert!(bench.log.tails.load(Ordering::Relaxed) <= 11);
}

#[tokio::test(start_paused = true)]
async fn streams_that_come_back_to_one_place_share_its_pages() {
    let bench = Bench::new(1, LiveConfig { streams_per_user: 100, ..quick() });
    for _ in 0..40 {
        bench.log.append(1, 1);
    }
    let mut readers = Vec::new();
    for _ in 0..50 {
        readers.push(bench.watch_from(1, 0).await);
    }
    let reading = readers.iter_mut().map(|reader| reader.until_level(&bench.log, &[1]));
    futures::future::join_all(reading).await;
    assert_eq!(bench.log.resumes.load(Ordering::Relaxed), 5, "40 rows by 8");
    assert_eq!(bench.log.most_reading.load(Ordering::Relaxed), 1);
    assert_eq!(bench.live.0.meters.database_readers.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn readers_of_the_database_are_limited_over_all_accounts() {
    let bench =
        Bench::new(40, LiveConfig { streams_per_user: 100, database_readers: 3, ..quick() });
    let mut readers = Vec::new();
    for key in 1..=40 {
        for _ in 0..20 {
            bench.log.append(key, 1);
        }
        readers.push((key, bench.watch_from(key, 0).await));
    }
    let log = &bench.log;
    let reading =
        readers.iter_mut().map(|(key, reader)| reader.until_level(log, std::slice::from_ref(key)));
    futures::future::join_all(reading).await;
    assert!(bench.log.most_reading.load(Ordering::Relaxed) <= 3);
}

/// A busy account may not starve a quiet one.
#[tokio::test(start_paused = true)]
async fn a_quiet_account_gets_its_turn_beside_a_busy_one() {
    let bench = Bench::new(2, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    for _ in 0..400 {
        bench.log.append_sized(1, 1, 2_000);
    }
    reader.step().await;
    bench.log.append(2, 1);
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let before = reader.client.frames;
    reader.until_level(&bench.log, &[2]).await;
    assert!(reader.client.frames - before <= 3, "{}", reader.client.frames - before);
    let busy = reader.client.accounts["account-1"].shown.len();
    assert!(busy < 100, "the busy one has more to say: {busy}");
    reader.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn rings_keep_to_their_limits_and_go_when_nobody_listens() {
    let config = LiveConfig { rings_bytes: 40_000, ring_bytes: 30_000, ..LiveConfig::default() };
    let bench = Bench::new(4, config);
    let mut reader = bench.watch().await;
    for key in 1..=4 {
        for _ in 0..20 {
            bench.log.append_sized(key, 1, 1_000);
        }
    }
    reader.until_level(&bench.log, &[1, 2, 3, 4]).await;
    let meters = &bench.live.0.meters;
    assert!(meters.ring_bytes.value() <= 40_000, "{}", meters.ring_bytes.value());
    assert_eq!(meters.accounts.value(), 4);
    drop(reader);
    tokio::time::sleep(std::time::Duration::from_secs(50)).await;
    assert_eq!(meters.accounts.value(), 4, "somebody may come back");
    tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    assert_eq!((meters.accounts.value(), meters.ring_bytes.value()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn old_events_leave_the_rings() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    bench.log.append(1, 5);
    reader.until_level(&bench.log, &[1]).await;
    assert!(bench.live.0.meters.ring_bytes.value() > 0);
    let mut slow = bench.watch_from(1, 0).await;
    tokio::time::sleep(std::time::Duration::from_secs(602)).await;
    assert_eq!(bench.live.0.meters.ring_bytes.value(), 0);
    slow.until_level(&bench.log, &[1]).await;
    assert_eq!(bench.log.resumes.load(Ordering::Relaxed), 1);
}
