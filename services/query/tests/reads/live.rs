use super::support::{World, ask, by, reason, text, viewer};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::query::v1::watch_response::Frame;
use channel_runtime::identity::{Identity, Role};
use futures::StreamExt as _;
use tonic::Code;
use tonic::server::NamedService;

fn name<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

#[tokio::test]
async fn a_stream_says_hello_and_then_what_happens() {
    let world = World::of(&["a"]).await;
    let watch = world.service.watch(ask(pb::WatchRequest::default())).await.unwrap();
    let mut frames = watch.into_inner();
    let hello = frames.next().await.unwrap().unwrap();
    assert!(matches!(hello.frame, Some(Frame::Hello(_))), "{hello:?}");
    world.tell("a", vec![text("m1", "c1", "hi", 1)], 1).await;
    let changes = loop {
        if let Some(Frame::Changes(changes)) = frames.next().await.unwrap().unwrap().frame {
            break changes;
        }
    };
    assert_eq!(changes.account_id, "a");
    let last = changes.changes.last().unwrap();
    assert!(last.unit_end && last.entity.is_some());
}

#[tokio::test]
async fn a_poll_gives_the_frames_at_once() {
    let world = World::of(&["a"]).await;
    let poll = world.service.poll_changes(ask(pb::PollChangesRequest::default())).await;
    let frames = poll.unwrap().into_inner().frames;
    assert!(matches!(frames[0].frame, Some(Frame::Hello(_))), "{frames:?}");
}

#[tokio::test]
async fn streams_are_for_those_who_may_read() {
    let world = World::of(&["a"]).await;
    let caller = Identity { role: Role::Operator, ..viewer("t1") };
    let watch = world.service.watch(by(&caller, pb::WatchRequest::default())).await;
    let refused = watch.map(drop).unwrap_err();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let poll = world.service.poll_changes(by(&caller, pb::PollChangesRequest::default())).await;
    assert_eq!(reason(&poll.unwrap_err()).1, "ROLE_MISSING");
}

#[tokio::test]
async fn the_served_service_has_the_contracts_name() {
    let world = World::of(&["a"]).await;
    assert_eq!(name(&world.service.clone().into_server()), "channel.query.v1.QueryService");
}
