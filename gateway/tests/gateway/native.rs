use tokio_stream::StreamExt;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{
    Door, LIST, NearAndFar, WATCH, local_services, service::Caller, soon, web_config,
};

pub(crate) fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_unary_call_reaches_services_here_and_elsewhere() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        let mut caller = Caller::connect(door.address).await;
        let said = soon("an answer", caller.one(LIST, "hello")).await.unwrap();
        assert_eq!(said, "you said hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_stream_comes_through_whole_and_in_order() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        let mut caller = Caller::connect(door.address).await;
        let stream = caller.many(WATCH, "500").await.unwrap();
        let messages: Vec<_> = soon("the stream", stream.map(Result::unwrap).collect()).await;
        let wanted: Vec<_> = (1..=500).map(|n| format!("{n:01024}")).collect();
        assert_eq!(messages, wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_services_own_status_arrives_with_its_details() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        let mut caller = Caller::connect(door.address).await;
        let status = caller.one(LIST, "fail").await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!((status.message(), status.details()), ("not today", &[1, 2, 3][..]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_or_not_public_is_unimplemented() {
    let door = Door::local().await;
    let mut caller = Caller::connect(door.address).await;

    let status = caller.one("/nobody.v1.Nothing/Do", "").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "SERVICE_UNKNOWN"));

    let path = "/channel.ingest.v1.IngestService/DeliverWebhook";
    let status = caller.one(path, "").await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unimplemented, "METHOD_NOT_PUBLIC")
    );

    let path = "/channel.query.v1.QueryService/NoSuchMethod";
    let status = caller.one(path, "").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unimplemented, "no such method"));

    let path = "/channel.ingest.v1.IngestService/Replay";
    assert_eq!(caller.one(path, "7").await.unwrap(), "you said 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_by_the_gateways_own_process() {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let mut config = web_config();
    config.upstreams.query = "http://127.0.0.1:1".to_owned();
    let mut local = local_services();
    local.grpc = local.grpc.add_service(health);
    let door = Door::open(config, local).await;

    let endpoint = tonic::transport::Channel::from_shared(format!("http://{}", door.address));
    let channel = endpoint.unwrap().connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let request = tonic_health::pb::HealthCheckRequest::default();
    let answer = health.check(request).await.unwrap().into_inner();
    assert_eq!(answer.status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
}
