//! How many streams there may be, and what is refused.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, FakeLog};
use channel_proto::query::v1::{AccountCursor, WatchRequest};
use channel_runtime::fault::{Fault as _, Kind};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_user_a_process_and_a_second_have_so_many_streams() {
    let config = LiveConfig {
        streams_per_user: 3,
        streams: 5,
        streams_per_second: 10,
        ..LiveConfig::default()
    };
    let bench = Bench::new(1, config);
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(bench.watch().await);
    }
    let refused = |fault: crate::live::LiveFault| {
        assert_eq!(fault.reason(), "STREAMS_EXHAUSTED");
        assert!(matches!(fault.kind(), Kind::Throttled { retry_after: Some(_) }));
        fault.metadata().pop().unwrap().1
    };
    assert_eq!(refused(bench.try_watch("user", vec![]).await.err().unwrap()), "user");
    for _ in 0..2 {
        open.push(bench.try_watch("other", vec![]).await.unwrap());
    }
    assert_eq!(refused(bench.try_watch("third", vec![]).await.err().unwrap()), "process");
    for _ in 0..5 {
        open.pop();
        open.push(bench.try_watch("third", vec![]).await.unwrap());
        open.pop();
    }
    assert!(open.is_empty());
    assert_eq!(refused(bench.try_watch("user", vec![]).await.err().unwrap()), "rate");
    tokio::time::sleep(Duration::from_millis(101)).await;
    bench.try_watch("user", vec![]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wrong_request_is_refused_with_every_bad_field() {
    let bench = Bench::new(1, LiveConfig { accounts_per_stream: 3, ..LiveConfig::default() });
    let account =
        |id: &str| AccountCursor { account_id: id.to_owned(), ..AccountCursor::default() };
    let request = WatchRequest {
        accounts: vec![account("a"), account("a"), account("")],
        client_id: "x".repeat(200),
        schema: 0,
        max_frame_bytes: 1,
        all_accounts: false,
    };
    let fault = bench.live.watch(Bench::identity("user"), request).await.unwrap_err();
    let fields: Vec<_> =
        fault.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        ["accounts[1].account_id", "accounts[2].account_id", "client_id", "max_frame_bytes"]
    );

    let accounts = (0..4).map(|key| account(&FakeLog::id(key))).collect();
    let request = WatchRequest { accounts, ..WatchRequest::default() };
    let fault = bench.live.watch(Bench::identity("user"), request).await.unwrap_err();
    assert_eq!(fault.violations()[0].field, "accounts");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_refuses_a_new_stream_for_now() {
    let bench = Bench::new(1, LiveConfig::default());
    bench.log.fail(1_000);
    let fault = bench.try_watch("user", vec![]).await.err().unwrap();
    assert_eq!(fault.reason(), "STORE_UNAVAILABLE");
    assert_eq!(bench.live.0.meters.streams.value(), 0);
}
