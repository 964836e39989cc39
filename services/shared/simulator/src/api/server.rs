//! The server. Its connections can be broken from within, which is a fault to be had.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::ask::Connection;
use crate::control;
use crate::engine::Engine;

/// Serves API and control endpoint, for as long as it is polled. Dropped, it breaks all connections.
pub(crate) async fn serve(listener: TcpListener, engine: Arc<Engine>) -> Infallible {
    let router = control::everything(engine);
    let (all, tasks) = (CancellationToken::new(), TaskTracker::new());
    let _end = all.clone().drop_guard();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tasks.spawn(connection(stream, router.clone(), all.child_token()));
            }
            Err(error) => {
                warn!(%error, "the simulator cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: axum::Router, token: CancellationToken) {
    // Small answers go out at once; a connection without it works as well.
    let _ = stream.set_nodelay(true);
    let broken = Connection(token.clone());
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(broken.clone());
        request.map(Body::new)
    });
    let builder = Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::select! {
        () = token.cancelled() => {}
        served = serving => {
            if let Err(error) = served {
                debug!(%error, "a connection to the simulator ended badly");
            }
        }
    }
}
