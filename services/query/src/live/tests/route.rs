//! `Watch` over gRPC, from bytes to bytes.

use crate::live::WatchRoute;
use crate::live::config::LiveConfig;
use crate::live::testing::Bench;
use bytes::{BufMut as _, Bytes, BytesMut};
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{WatchRequest, WatchResponse};
use http::{Request, Response};
use prost::Message as _;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use tonic::body::Body;
use tower::{Service as _, ServiceExt as _, service_fn};

fn call(path: &str, request: &WatchRequest) -> Request<Body> {
    let message = request.encode_to_vec();
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_u32(u32::try_from(message.len()).unwrap());
    body.put_slice(&message);
    Request::post(format!("http://test{path}"))
        .header("content-type", "application/grpc")
        .body(Body::new(http_body_util::Full::new(body.freeze())))
        .unwrap()
}

async fn next_bytes(body: &mut Body) -> Bytes {
    let frame = poll_fn(|cx| http_body::Body::poll_frame(Pin::new(body), cx)).await;
    frame.unwrap().unwrap().into_data().unwrap()
}

async fn inner(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::builder().status(418).body(Body::empty()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn watch_is_answered_here_and_everything_else_by_the_inner_server() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut route = WatchRoute::new(service_fn(inner), bench.live.clone());
    let other = call("/channel.query.v1.QueryService/ListChats", &WatchRequest::default());
    assert_eq!(route.ready().await.unwrap().call(other).await.unwrap().status(), 418);

    let nobody = call(crate::live::route::PATH, &WatchRequest::default());
    let refused = route.call(nobody).await.unwrap();
    assert_eq!(refused.headers()["grpc-status"], "16");

    let mut known = call(crate::live::route::PATH, &WatchRequest::default());
    known.extensions_mut().insert(Bench::identity("user"));
    let answer = route.call(known).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let mut body = answer.into_body();
    let mut bytes = BytesMut::new();
    bytes.put(next_bytes(&mut body).await);
    bench.log.append(1, 2);
    let mut frames = Vec::new();
    while !frames.iter().any(|frame| matches!(frame, Some(Frame::Changes(_)))) {
        while bytes.len() < 5 || bytes.len() < 5 + length(&bytes) {
            bytes.put(next_bytes(&mut body).await);
        }
        let message = bytes.split_to(5 + length(&bytes)).freeze().slice(5..);
        frames.push(WatchResponse::decode(message).unwrap().frame);
    }
    assert!(matches!(frames[0], Some(Frame::Hello(_))));
}

fn length(bytes: &BytesMut) -> usize {
    u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize
}
