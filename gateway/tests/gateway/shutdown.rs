use std::time::{Duration, Instant};

use channel_gateway::Shutdown;
use tokio::{net::TcpStream, sync::oneshot};

use crate::support::{
    Door, LIST, PAGE, WATCH, http1, local_services, service, service::Caller, soon, web_config,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_cannot_hold_the_shutdown_beyond_its_limit() {
    let mut config = web_config();
    config.shutdown_grace_seconds = 1;
    let door = Door::open(config, local_services()).await;
    let mut caller = Caller::connect(door.address).await;
    let mut stream = caller.many(WATCH, "forever").await.unwrap();
    stream.message().await.unwrap();

    let start = Instant::now();
    assert_eq!(door.stop().await, Shutdown::Forced { connections: 1 });
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(5), "{took:?}");
    assert!(soon("the end", stream.message()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_flight_survives_the_shutdown_and_new_connections_do_not() {
    let door = Door::local().await;
    let address = door.address;
    let (open_gate, gate) = oneshot::channel();
    *service::GATE.lock().unwrap() = Some(gate);
    let call = tokio::spawn(http1::web_call(address, LIST, false, &[("origin", PAGE)], "wait"));
    let arrived = async {
        while service::GATE.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    soon("the call", arrived).await;

    let stopping = tokio::spawn(door.stop());
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    soon("the door to close", closed).await;
    open_gate.send(()).unwrap();
    assert_eq!(soon("the answer", call).await.unwrap().messages, ["waited"]);
    assert_eq!(stopping.await.unwrap(), Shutdown::Clean);
}
