use tokio::net::{TcpListener, TcpSocket};
use tonic::Code;

use crate::{
    native::reason,
    support::{Door, LIST, PAGE, Remote, WATCH, http1, service, service::Caller, soon},
};

/// An address where nobody listens, and where a service can be started later.
fn vacant() -> (TcpSocket, std::net::SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_is_unavailable_with_a_reason() {
    let (_socket, address) = vacant();
    let door = Door::to_query(address).await;
    let mut caller = Caller::connect(door.address).await;
    for path in [LIST, WATCH] {
        let status = soon("a refusal", caller.one(path, "x")).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason(&status), "UPSTREAM_UNREACHABLE");
    }

    let web = http1::web_call(door.address, LIST, false, &[("origin", PAGE)], "x").await;
    assert_eq!((web.status, web.headers["grpc-status"].as_str()), (200, "14"));
    assert_eq!(web.headers["access-control-allow-origin"], PAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_comes_up_is_found_without_a_restart() {
    let (socket, address) = vacant();
    let door = Door::to_query(address).await;
    let mut caller = Caller::connect(door.address).await;
    assert!(caller.one(LIST, "x").await.is_err());

    let listener: TcpListener = socket.listen(16).unwrap();
    let _remote = Remote::start_on(listener, service::routes());
    let found = async {
        while caller.one(LIST, "x").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("the service", found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_dies_ends_its_streams_with_a_status_and_not_a_broken_connection() {
    let remote = Remote::start(service::routes()).await;
    let door = Door::to_query(remote.address).await;
    let mut caller = Caller::connect(door.address).await;
    let mut stream = caller.many(WATCH, "forever").await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap(), "first");

    remote.kill().await;
    let status = soon("the end", stream.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "UPSTREAM_INTERRUPTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_does_not_speak_grpc_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let refuse = axum::Router::new().fallback(|| async { http::StatusCode::BAD_GATEWAY });
    tokio::spawn(async { axum::serve(listener, refuse).await });
    let door = Door::to_query(address).await;

    let mut caller = Caller::connect(door.address).await;
    let status = soon("a refusal", caller.one(LIST, "x")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UPSTREAM_NOT_GRPC"));
}
