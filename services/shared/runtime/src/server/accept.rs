//! Accepts connections, serves HTTP on them, and lets go of them in order.
//!
//! tonic's own server puts its deadline around the user's layers and knows no hard limit for its
//! end; this loop has neither trouble.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpConnectInfo;
use tower::{Service, ServiceExt};
use tracing::{debug, warn};

use super::{FirstBytes, TlsError, tls_config};
use crate::config::ServerConfig;

type BoxError = Box<dyn Error + Send + Sync>;

/// How long a new connection may take to say something or to finish its TLS handshake, and again for what
/// tells which protocol it speaks, and over HTTP/1.1 for the head of each request.
const HELLO: Duration = Duration::from_secs(10);
/// How long to wait after the system refused a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const MOST_HEADER_BYTES: u32 = 32 * 1024;
/// What HTTP/1.1 buffers of one connection in either direction, the head of a request included.
const HTTP1_BUFFER_BYTES: usize = 64 * 1024;

/// How connections are served.
#[derive(Debug, Clone)]
pub struct Transport {
    tls: Option<Arc<rustls::ServerConfig>>,
    max_connections: usize,
    http: auto::Builder<TokioExecutor>,
}

impl Transport {
    /// Reads a server's section. `http1` accepts HTTP/1.1 beside HTTP/2.
    ///
    /// # Errors
    ///
    /// When the TLS files cannot be used.
    pub fn new(config: &ServerConfig, http1: bool) -> Result<Self, TlsError> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HELLO)
            .max_buf_size(HTTP1_BUFFER_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(seconds(config.keepalive_seconds)))
            .keep_alive_timeout(seconds(config.keepalive_timeout_seconds))
            .max_concurrent_streams(config.max_concurrent_streams)
            .initial_stream_window_size(config.stream_window_bytes)
            .initial_connection_window_size(config.connection_window_bytes)
            .max_send_buf_size(config.stream_send_buffer_bytes)
            .max_header_list_size(MOST_HEADER_BYTES);
        let http = if http1 { http } else { http.http2_only() };
        let tls = tls_config(&config.tls, http1)?;
        Ok(Self { tls, max_connections: config.max_connections, http })
    }
}

/// Serves until `stop`; then accepts nothing more and lets requests finish for at most
/// `hard_limit`. Returns how many connections had to be cut. A request finds its peer as a
/// [`TcpConnectInfo`] in its extensions.
pub async fn serve_http<S, B>(
    listener: TcpListener,
    service: S,
    transport: Transport,
    stop: CancellationToken,
    hard_limit: Duration,
) -> usize
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let places = Arc::new(Semaphore::new(transport.max_connections.min(Semaphore::MAX_PERMITS)));
    let local_addr = listener.local_addr().ok();
    let (graceful, connections, kill) =
        (GracefulShutdown::new(), TaskTracker::new(), CancellationToken::new());
    while let Some(Some((stream, peer, place))) =
        stop.run_until_cancelled(next(&listener, &places)).await
    {
        let info = TcpConnectInfo { local_addr, remote_addr: Some(peer) };
        let service = service.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(info.clone());
            request
        });
        let (transport, watcher) = (transport.clone(), graceful.watcher());
        let (stop, kill) = (stop.clone(), kill.clone());
        connections.spawn(async move {
            let _place = place;
            let served = connection(stream, service, &transport, watcher, &stop);
            if let Some(Err(error)) = kill.run_until_cancelled(served).await {
                debug!(%peer, error = &*error as &dyn Error, "connection ended badly");
            }
        });
    }
    drop(listener);
    connections.close();
    let in_time = timeout(hard_limit, graceful.shutdown()).await.is_ok();
    let cut = if in_time { 0 } else { connections.len() };
    if cut > 0 {
        warn!(connections = cut, "connections cut off at the hard limit");
    }
    kill.cancel();
    connections.wait().await;
    cut
}

/// The next connection, once there is a place for it; `None` never, as places are never closed.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<S, B>(
    stream: TcpStream,
    service: S,
    transport: &Transport,
    watcher: Watcher,
    stop: &CancellationToken,
) -> Result<(), BoxError>
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    stream.set_nodelay(true)?;
    // Nothing is under way yet, so nothing has to finish.
    let hello = stop.run_until_cancelled(timeout(HELLO, hello(stream, transport.tls.clone())));
    match hello.await {
        None => Ok(()),
        Some(greeted) => match greeted?? {
            Greeted::Plain(stream) => exchange(stream, service, transport, watcher).await,
            Greeted::Tls(stream) => exchange(stream, service, transport, watcher).await,
        },
    }
}

/// A connection that has said something.
enum Greeted {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn hello(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> std::io::Result<Greeted> {
    let Some(tls) = tls else {
        // Readiness alone may be reported too early.
        stream.peek(&mut [0]).await?;
        return Ok(Greeted::Plain(stream));
    };
    Ok(Greeted::Tls(Box::new(TlsAcceptor::from(tls).accept(stream).await?)))
}

async fn exchange<I, S, B>(
    io: I,
    service: S,
    transport: &Transport,
    watcher: Watcher,
) -> Result<(), BoxError>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let service = TowerToHyperService::new(service);
    let io = TokioIo::new(FirstBytes::new(io, HELLO));
    let connection = transport.http.serve_connection(io, service).into_owned();
    watcher.watch(connection).await
}
