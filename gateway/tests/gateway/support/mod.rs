//! Gateways, services and clients to test with.

pub(crate) mod files;
pub(crate) mod h2c;
pub(crate) mod http1;
pub(crate) mod service;
pub(crate) mod token;

use std::{net::SocketAddr, time::Duration};

use channel_gateway::{Gateway, GatewayConfig, LocalServices, Shutdown};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{service::Routes, transport::Server};

pub(crate) const LIST: &str = "/channel.query.v1.QueryService/ListChats";
pub(crate) const WATCH: &str = "/channel.query.v1.QueryService/Watch";

/// Fails a test that would hang.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing happened in 20 s"))
}

/// A running gateway.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Shutdown>,
}

impl Door {
    pub(crate) async fn open(config: GatewayConfig, local: LocalServices) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = Gateway::new(config, local, token::required()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(gateway.serve(listener, async move {
            stopped.await.ok();
        }));
        Self { address, stop, ended }
    }

    /// A gateway whose services are in its own process.
    pub(crate) async fn local() -> Self {
        Self::open(web_config(), local_services()).await
    }

    /// A gateway to the query service at this address.
    pub(crate) async fn to_query(query: SocketAddr) -> Self {
        let mut config = web_config();
        config.upstreams.query = format!("http://{query}");
        Self::open(config, LocalServices::default()).await
    }

    pub(crate) async fn stop(self) -> Shutdown {
        self.stop.send(()).unwrap();
        soon("shutdown", self.ended).await.unwrap()
    }
}

/// One gateway with its services in its own process, one with them in another.
pub(crate) struct NearAndFar {
    pub(crate) doors: [Door; 2],
    _remote: Remote,
}

impl NearAndFar {
    pub(crate) async fn open() -> Self {
        let remote = Remote::start(service::routes()).await;
        Self { doors: [Door::local().await, Door::to_query(remote.address).await], _remote: remote }
    }
}

pub(crate) const PAGE: &str = "https://inbox.example.com";

pub(crate) fn web_config() -> GatewayConfig {
    let mut config = GatewayConfig::default();
    config.cors.allowed_origins = vec![PAGE.to_owned()];
    config
}

pub(crate) fn local_services() -> LocalServices {
    LocalServices { grpc: service::routes(), ..LocalServices::default() }
}

/// A service process of its own, alive until it is killed or dropped.
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
    kill: oneshot::Sender<()>,
}

impl Remote {
    pub(crate) async fn start(routes: Routes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, routes)
    }

    pub(crate) fn start_on(listener: TcpListener, routes: Routes) -> Self {
        let address = listener.local_addr().unwrap();
        let (kill, killed) = oneshot::channel::<()>();
        // A runtime of its own, so that killing it takes its connections along.
        let server = tokio::task::spawn_blocking(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let listener = listener.into_std().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
                let serve = Server::builder().add_routes(routes).serve_with_incoming(incoming);
                tokio::select! {
                    served = serve => served.unwrap(),
                    _ = killed => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { address, server, kill }
    }

    pub(crate) async fn kill(self) {
        self.kill.send(()).unwrap();
        soon("the service's end", self.server).await.unwrap();
    }
}
