//! A poll answers what a stream would send.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, Client, quick};
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{PollChangesRequest, PollChangesResponse};
use std::time::Duration;
use tokio::time::Instant;

async fn poll(bench: &Bench, client: &mut Client, wait: u64) -> PollChangesResponse {
    client.reconnect();
    let request = PollChangesRequest {
        accounts: client.cursors(),
        wait: Some(Duration::from_secs(wait).try_into().unwrap()),
        ..PollChangesRequest::default()
    };
    let answer = bench.live.poll(Bench::identity("user"), request).await.unwrap();
    for frame in answer.frames.clone() {
        client.take(frame).unwrap();
    }
    answer
}

fn ends_with_bookmark(answer: &PollChangesResponse) -> bool {
    let last = answer.frames.last().and_then(|frame| frame.frame.as_ref());
    matches!(last, Some(Frame::Bookmark(_)))
}

#[tokio::test(start_paused = true)]
async fn a_poll_gives_cursors_then_what_came_after_them() {
    let bench = Bench::new(2, LiveConfig::default());
    bench.log.append(1, 5);
    let mut client = Client::default();
    let started = Instant::now();
    let answer = poll(&bench, &mut client, 0).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(ends_with_bookmark(&answer) && answer.frames.len() == 2);
    bench.log.append(1, 2);
    bench.log.append(2, 1);
    assert!(ends_with_bookmark(&poll(&bench, &mut client, 20).await));
    assert_eq!(started.elapsed(), Duration::ZERO, "nothing to wait for");
    assert_eq!(client.accounts["account-1"].shown, bench.log.truth(1, 5));
    assert_eq!(client.accounts["account-2"].shown, bench.log.truth(2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_poll_waits_for_a_first_change_and_no_longer_than_asked() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut client = Client::default();
    poll(&bench, &mut client, 0).await;
    let started = Instant::now();
    let answer = poll(&bench, &mut client, 20).await;
    assert_eq!(started.elapsed().as_secs(), 20);
    assert!(ends_with_bookmark(&answer) && answer.frames.len() == 2);

    let log = std::sync::Arc::clone(&bench.log);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(7)).await;
        log.append(1, 3);
    });
    let started = Instant::now();
    poll(&bench, &mut client, 20).await;
    assert_eq!(started.elapsed().as_secs(), 7);
    assert_eq!(client.accounts["account-1"].shown, bench.log.truth(1, 0));
}

#[tokio::test(start_paused = true)]
async fn polls_one_after_the_other_miss_nothing_and_never_split_a_unit() {
    let bench = Bench::new(1, LiveConfig { poll_bytes: 2_000, ..quick() });
    let mut client = Client::default();
    poll(&bench, &mut client, 0).await;
    for unit in [1, 30, 2, 100, 5, 60] {
        bench.log.append_sized(1, unit, 100);
    }
    let mut answers = 0;
    while !ends_with_bookmark(&poll(&bench, &mut client, 1).await) {
        answers += 1;
        assert!(answers < 100);
    }
    assert!(answers > 1, "more than one answer holds");
    assert_eq!(client.accounts["account-1"].shown, bench.log.truth(1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_poll_answers_what_it_has_when_the_database_is_slow() {
    let bench = Bench::new(1, quick());
    let mut client = Client::default();
    poll(&bench, &mut client, 0).await;
    for _ in 0..20 {
        bench.log.append(1, 1);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.log.stall_pages(true);
    let started = Instant::now();
    let answer = poll(&bench, &mut client, 0).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    assert!(!ends_with_bookmark(&answer) && answer.frames.len() == 1);
    bench.log.stall_pages(false);
    assert!(ends_with_bookmark(&poll(&bench, &mut client, 0).await));
    assert_eq!(client.accounts["account-1"].shown, bench.log.truth(1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_is_refused() {
    let bench = Bench::new(1, LiveConfig::default());
    for wait in [
        Duration::from_secs(21).try_into().unwrap(),
        prost_types::Duration { seconds: -1, nanos: 0 },
    ] {
        let request = PollChangesRequest { wait: Some(wait), ..PollChangesRequest::default() };
        let fault = bench.live.poll(Bench::identity("user"), request).await.unwrap_err();
        assert_eq!(channel_runtime::fault::Fault::violations(&fault)[0].field, "wait");
    }
}
