//! One public connection, from the handshake to its end.

use std::{io, time::Duration};

use axum::{Router, body::Body};
use channel_runtime::server::FirstBytes;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{GatewayConfig, socket};

/// What a client may have in flight towards us on one call, and what we hold for it.
const WINDOW_BYTES: u32 = 64 * 1024;

/// The same for all calls of a connection together; requests are small.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// The head of a request, and what HTTP/1.1 buffers in either direction.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves connections, all in the same way.
pub(crate) struct Connections {
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: auto::Builder<TokioExecutor>,
    first_bytes: Duration,
}

impl Connections {
    pub(crate) fn new(config: &GatewayConfig, router: Router, tls: Option<TlsAcceptor>) -> Self {
        Self { router, tls, builder: builder(config), first_bytes: config.header_read_timeout() }
    }

    /// Serves one connection until it ends, or until its calls have ended after `drain`.
    pub(crate) async fn serve(&self, stream: TcpStream, drain: CancellationToken) {
        let served = match socket::tune(&stream) {
            Ok(()) => self.handshake_and_serve(stream, drain).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = served {
            tracing::debug!(error, "a connection ended early");
        }
    }

    async fn handshake_and_serve(
        &self,
        stream: TcpStream,
        drain: CancellationToken,
    ) -> Result<(), tower::BoxError> {
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, drain).await;
        };
        let stream = timeout(self.first_bytes, tls.accept(stream))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.serve_http(stream, drain).await
    }

    async fn serve_http<I>(&self, io: I, drain: CancellationToken) -> Result<(), tower::BoxError>
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let io = TokioIo::new(FirstBytes::new(io, self.first_bytes));
        let router = self.router.clone();
        let service = router.map_request(|request: http::Request<Incoming>| request.map(Body::new));
        let service = TowerToHyperService::new(service);
        let mut connection = std::pin::pin!(self.builder.serve_connection(io, service));
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = drain.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }
}

fn builder(config: &GatewayConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_read_timeout())
        .max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams_per_connection)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(BUFFER_BYTES)
        .keep_alive_interval(Duration::from_secs(config.keepalive_interval_seconds))
        .keep_alive_timeout(Duration::from_secs(config.keepalive_timeout_seconds));
    builder
}
