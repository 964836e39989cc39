//! T11: from the database to the rings and back, on every path that chance finds.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, FakeLog, Reader, quick};
use channel_proto::query::v1::ResetReason;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Act {
    Append { key: i64, events: usize },
    Read { client: usize, frames: u32 },
    Wait { ms: u64 },
    Reconnect { client: usize },
    Prune { key: i64, behind: u64 },
    LoseWakeups(bool),
    Fail(u32),
    Stall(u64),
    Restore { key: i64, back: u64 },
    BumpEpoch,
    Grant { key: i64, granted: bool },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..=3_i64, 1..=14_usize).prop_map(|(key, events)| Act::Append { key, events }),
        6 => (0..3_usize, 1..=6_u32).prop_map(|(client, frames)| Act::Read { client, frames }),
        3 => (0..=1_500_u64).prop_map(|ms| Act::Wait { ms }),
        2 => (0..3_usize).prop_map(|client| Act::Reconnect { client }),
        1 => (1..=3_i64, 0..=40_u64).prop_map(|(key, behind)| Act::Prune { key, behind }),
        1 => any::<bool>().prop_map(Act::LoseWakeups),
        1 => (1..=5_u32).prop_map(Act::Fail),
        1 => (1..=3_000_u64).prop_map(Act::Stall),
    ]
}

fn upheaval() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => act(),
        1 => (1..=3_i64, 0..=30_u64).prop_map(|(key, back)| Act::Restore { key, back }),
        1 => Just(Act::BumpEpoch),
        1 => (1..=3_i64, any::<bool>()).prop_map(|(key, granted)| Act::Grant { key, granted }),
    ]
}

/// Reads some frames, as far as they come without waiting long.
async fn read(reader: &mut Reader, frames: u32) {
    for _ in 0..frames {
        let step = tokio::time::timeout(Duration::from_millis(5), reader.try_step()).await;
        match step {
            Ok(more) => assert!(more.unwrap(), "the stream has ended"),
            Err(_) => return,
        }
    }
}

async fn perform(acts: Vec<Act>, config: LiveConfig) -> (Bench, Vec<Reader>) {
    let bench = Bench::new(3, config);
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(bench.watch().await);
    }
    for act in acts {
        perform_one(&bench, &mut readers, act).await;
    }
    (bench, readers)
}

async fn perform_one(bench: &Bench, readers: &mut [Reader], act: Act) {
    let log = &bench.log;
    match act {
        Act::Append { key, events } => log.append(key, events),
        Act::Read { client, frames } => read(&mut readers[client], frames).await,
        Act::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        Act::Reconnect { client } => {
            log.fail(0);
            let known = readers[client].client.clone();
            readers[client] = bench.resume(known).await;
        }
        Act::Prune { key, behind } => log.prune(key, log.head(key).seq.saturating_sub(behind)),
        Act::LoseWakeups(lost) => log.lose_wakeups(lost),
        Act::Fail(calls) => log.fail(calls),
        Act::Stall(ms) => {
            log.stall(true);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            log.stall(false);
        }
        Act::Restore { key, back } => log.restore(key, log.head(key).seq.saturating_sub(back)),
        Act::BumpEpoch => log.bump_epoch(),
        Act::Grant { key, granted: true } => log.grant(key),
        Act::Grant { key, granted: false } => log.revoke(key),
    }
}

/// L1 to L6 while nothing happens that could void a cursor, except pruning.
async fn in_peace(acts: Vec<Act>, config: LiveConfig) {
    let (bench, mut readers) = perform(acts, config).await;
    for reader in &mut readers {
        reader.until_level(&bench.log, &[1, 2, 3]).await;
        let bookmarks = reader.client.bookmarks;
        reader.until(|client| client.bookmarks > bookmarks).await;
        let mut reasons = reader.client.resets.iter().map(|(_, reason)| *reason);
        let pruned = |reason: ResetReason| reason == ResetReason::Compacted;
        assert!(reasons.all(pruned), "{:?}", reader.client.resets);
    }
    assert_eq!(bench.live.0.meters.violations.value(), 0);
}

/// L5: whatever happens to the history and to the access, every stream ends up with what is there.
async fn in_upheaval(acts: Vec<Act>, config: LiveConfig) {
    let (bench, mut readers) = perform(acts, config).await;
    for key in 1..=3 {
        bench.log.grant(key);
        bench.log.append(key, 1);
    }
    for reader in &mut readers {
        // A stream of named accounts does not get back what it lost.
        let bookmarks = reader.client.bookmarks;
        reader.until(|client| client.bookmarks > bookmarks + 1).await;
        let has = |key: &i64| reader.client.accounts.contains_key(&FakeLog::id(*key));
        let keys: Vec<_> = (1..=3).filter(has).collect();
        reader.until_level(&bench.log, &keys).await;
    }
}

fn in_runtime(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.unwrap().block_on(test);
}

fn config(pages_bytes: usize) -> LiveConfig {
    LiveConfig { pages_bytes, streams_per_second: 10_000, slow_after_ms: u64::MAX, ..quick() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_gap_no_repeat_no_split_unit_and_true_bookmarks(
        acts in prop::collection::vec(act(), 1..80),
        cache in prop_oneof![Just(0_usize), Just(64 * 1024)],
    ) {
        in_runtime(in_peace(acts, config(cache)));
    }

    #[test]
    fn never_silence_whatever_becomes_of_history_and_access(
        acts in prop::collection::vec(upheaval(), 1..80),
        cache in prop_oneof![Just(0_usize), Just(64 * 1024)],
    ) {
        in_runtime(in_upheaval(acts, config(cache)));
    }
}

/// A client must notice a server that passes over an event: otherwise the test above proves nothing.
#[tokio::test(start_paused = true)]
async fn the_validator_sees_a_missing_a_repeated_and_a_promised_event() {
    use channel_proto::query::v1::WatchResponse;
    use channel_proto::query::v1::watch_response::Frame;
    use futures::StreamExt as _;
    use prost::Message as _;

    let bench = Bench::new(1, LiveConfig::default());
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    bench.log.append(1, 3);
    let frame = reader.stream.next().await.unwrap();
    let frame = WatchResponse::decode(frame).unwrap();
    let Some(Frame::Changes(changes)) = &frame.frame else {
        panic!("changes are due: {frame:?}");
    };
    let with = |change: fn(&mut channel_proto::query::v1::Changes)| {
        let mut changes = changes.clone();
        change(&mut changes);
        let mut client = reader.client.clone();
        client.take(WatchResponse { frame: Some(Frame::Changes(changes)) })
    };
    with(|_| {}).unwrap();
    with(|changes| {
        changes.changes.remove(1);
    })
    .unwrap_err();
    with(|changes| {
        changes.changes.pop();
    })
    .unwrap_err();
    with(|changes| changes.prev_seq = 1).unwrap_err();
    with(|changes| changes.more = true).unwrap_err();
    let mut client = reader.client.clone();
    client.take(frame.clone()).unwrap();
    client.take(frame).unwrap_err();
    let promised = WatchResponse::decode(reader.stream.bookmark()).unwrap();
    reader.client.take(promised).unwrap_err();
}
