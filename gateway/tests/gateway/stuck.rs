use std::{sync::atomic::Ordering, time::Duration};

use channel_gateway::LocalServices;
use tokio_stream::StreamExt;

use crate::support::{
    Door, LIST, Remote, WATCH, h2c, service,
    service::{Caller, FLOODING},
    soon, web_config,
};

const STUCK: usize = 60;

/// All calls share one connection to the service, which has room for a few more than the stuck.
async fn door_to(remote: &Remote) -> Door {
    let mut config = web_config();
    config.upstreams.query = format!("http://{}", remote.address);
    config.upstreams.pool.stream_connections = 1;
    config.upstreams.pool.streams_per_connection = 64;
    Door::open(config, LocalServices::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_hold_up_nobody_else() {
    let remote = Remote::start(service::routes()).await;
    let door = door_to(&remote).await;

    let mut unread = Vec::new();
    for _ in 0..6 {
        let client = h2c::Client::connect(door.address).await;
        for _ in 0..STUCK / 6 {
            unread.push(client.begin(WATCH, &[], "flood").await);
        }
    }
    let all_flooding = async {
        while FLOODING.load(Ordering::SeqCst) < STUCK {
            tokio::task::yield_now().await;
        }
    };
    soon("every stuck stream to fill its window", all_flooding).await;

    let mut caller = Caller::connect(door.address).await;
    let stream = soon("the stream", caller.many(WATCH, "1000")).await.unwrap();
    let messages = soon("a megabyte beside them", stream.collect::<Vec<_>>()).await;
    assert_eq!(messages.into_iter().filter_map(Result::ok).count(), 1000);
    let said = soon("a unary call beside them", caller.one(LIST, "hello")).await;
    assert_eq!(said.unwrap(), "you said hello");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn unary_answers_that_nobody_reads_hold_up_no_unary_call() {
    let remote = Remote::start(service::routes()).await;
    let door = door_to(&remote).await;

    let client = h2c::Client::connect(door.address).await;
    let mut unread = Vec::new();
    for _ in 0..STUCK {
        unread.push(client.begin(LIST, &[], "big").await);
    }
    let mut caller = Caller::connect(door.address).await;
    let answer = soon("a large answer beside them", caller.one(LIST, "big")).await;
    assert_eq!(answer.unwrap().len(), 1024 * 1024);
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_reader_is_cut_off_and_its_place_goes_to_another() {
    let remote = Remote::start(service::routes()).await;
    let mut config = web_config();
    config.upstreams.query = format!("http://{}", remote.address);
    config.upstreams.pool.stream_connections = 1;
    config.upstreams.pool.streams_per_connection = 1;
    config.upstreams.pool.stuck_reader_timeout_seconds = 1;
    let door = Door::open(config, LocalServices::default()).await;

    let client = h2c::Client::connect(door.address).await;
    let unread = client.begin(WATCH, &[], "1000000").await;
    let mut caller = Caller::connect(door.address).await;
    let refused = caller.many(WATCH, "1").await.unwrap_err();
    assert_eq!(crate::native::reason(&refused), "GATEWAY_CALLS_EXHAUSTED");

    let placed = async { while caller.many(WATCH, "1").await.is_err() {} };
    soon("the stuck reader's place", placed).await;
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_cancel_at_once_break_nobody_elses_stream() {
    let remote = Remote::start(service::routes()).await;
    let door = door_to(&remote).await;
    let mut caller = Caller::connect(door.address).await;
    let mut stream = caller.many(WATCH, "forever").await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap(), "first");

    let mut cancelling = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let client = h2c::Client::connect(door.address).await;
        cancelling.spawn(async move {
            for _ in 0..200 {
                if client.begin_and_cancel(WATCH).await.is_err() {
                    break;
                }
            }
        });
    }
    cancelling.join_all().await;
    let said = soon("a unary call", caller.one(LIST, "hello")).await;
    assert_eq!(said.unwrap(), "you said hello");
    let end = tokio::time::timeout(Duration::from_millis(500), stream.message()).await;
    assert!(end.is_err(), "{end:?}");
}
