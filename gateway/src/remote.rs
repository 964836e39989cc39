//! The connections to a remote service.
//!
//! All calls on one HTTP/2 connection share its window, so a few that nobody reads could stop the
//! rest. Here every call has a small window, the connection's window has room for all of them,
//! and no connection carries more calls than that. Unary calls have a connection of their own.

use std::{error::Error, sync::Arc, time::Duration};

use channel_runtime::deadline;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::sleep,
};
use tonic::{
    ConnectError, TimeoutExpired,
    body::Body,
    transport::{Channel, ClientTlsConfig, Endpoint},
};
use tower::ServiceExt;

use crate::{
    GatewayError,
    backoff::Connector,
    config::PoolConfig,
    guard::Watch,
    hop,
    methods::{Owner, Shape},
    request::RequestBody,
    status,
};

/// How long a service may take to take a call up, before it hears that the caller has gone.
const SETTLING: Duration = Duration::from_secs(1);

/// A small pool of connections to one service, opened at first use. Clones share it.
#[derive(Clone)]
pub struct ChannelPool {
    inner: Arc<Inner>,
}

struct Inner {
    owner: Owner,
    unary: Slot,
    streams: Vec<Slot>,
    watch: Arc<Watch>,
}

/// One connection and the places on it.
struct Slot {
    channel: Channel,
    places: Arc<Semaphore>,
}

impl ChannelPool {
    /// A pool towards `url`. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the URL, the pool's sizes or the TLS settings are not usable.
    pub fn new(
        owner: Owner,
        url: &str,
        config: &PoolConfig,
        tls: Option<ClientTlsConfig>,
    ) -> Result<Self, GatewayError> {
        let endpoint = endpoint(owner, url, config, tls)?;
        let timeout = Duration::from_millis(config.connect_timeout_ms);
        let connector = Connector::new(owner, timeout);
        let places = config.streams_per_connection as usize;
        let slot = || Slot {
            channel: endpoint.connect_with_connector_lazy(connector.clone()),
            places: Arc::new(Semaphore::new(places)),
        };
        let stuck = Duration::from_secs(config.stuck_reader_timeout_seconds);
        let inner = Inner {
            owner,
            unary: slot(),
            streams: (0..config.stream_connections).map(|_| slot()).collect(),
            watch: Watch::start(owner, stuck),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Forwards one call. Whatever goes wrong on the way is a gRPC status.
    pub async fn call(&self, shape: Shape, request: Request<Body>) -> Response<Body> {
        let owner = self.inner.owner;
        let Some((channel, place)) = self.inner.take_place(shape) else {
            return status::response(status::full(owner));
        };
        let call = channel.oneshot(onward(request));
        match settle(call, place).await {
            Some((Ok(response), place)) => self.inner.backward(response, place),
            Some((Err(error), _)) => status::response(failure(owner, &error)),
            None => status::response(status::interrupted(owner)),
        }
    }
}

impl Inner {
    /// Streams go where most places are free.
    fn take_place(&self, shape: Shape) -> Option<(Channel, OwnedSemaphorePermit)> {
        let slot = match shape {
            Shape::Unary => &self.unary,
            Shape::ServerStream | Shape::ClientStream => {
                self.streams.iter().max_by_key(|slot| slot.places.available_permits())?
            }
        };
        let place = Arc::clone(&slot.places).try_acquire_owned().ok()?;
        Some((slot.channel.clone(), place))
    }

    fn backward(&self, response: Response<Body>, place: OwnedSemaphorePermit) -> Response<Body> {
        if response.status() != StatusCode::OK || !deadline::is_grpc(response.headers()) {
            let http = response.status();
            return status::response(status::not_grpc(self.owner, http));
        }
        let (mut parts, body) = response.into_parts();
        strip(&mut parts.headers);
        parts.version = Version::default();
        if parts.headers.contains_key("grpc-status") {
            return Response::from_parts(parts, Body::empty());
        }
        let guarded = self.watch.guard(self.owner, body, place);
        Response::from_parts(parts, Body::new(guarded))
    }
}

/// Runs a call apart from its caller, who may go away before the answer. The service is told so
/// only once it has surely taken the call up: a server may close the connection, and with it
/// everybody's calls, when too many are taken back before that (RFC 9113, section 10.5).
async fn settle<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
    place: OwnedSemaphorePermit,
) -> Option<(T, OwnedSemaphorePermit)> {
    let (mut answer, answered) = oneshot::channel();
    tokio::spawn(async move {
        let abandoned = async {
            answer.closed().await;
            sleep(SETTLING).await;
        };
        let outcome = tokio::select! {
            outcome = call => outcome,
            () = abandoned => return,
        };
        // The caller has gone: what came back is dropped, which cancels the rest.
        drop(answer.send((outcome, place)));
    });
    answered.await.ok()
}

fn endpoint(
    owner: Owner,
    url: &str,
    config: &PoolConfig,
    tls: Option<ClientTlsConfig>,
) -> Result<Endpoint, GatewayError> {
    let unusable = |e: &dyn std::fmt::Display| {
        GatewayError::config("upstreams", &format!("{}: {e}", owner.name()))
    };
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| unusable(&e))?;
    let endpoint = match tls {
        Some(tls) => endpoint.tls_config(tls).map_err(|e| unusable(&e))?,
        None => endpoint,
    };
    Ok(endpoint
        .initial_stream_window_size(config.stream_window_bytes)
        .initial_connection_window_size(config.connection_window_bytes()?)
        .http2_keep_alive_interval(Duration::from_secs(config.keepalive_interval_seconds))
        .keep_alive_timeout(Duration::from_secs(config.keepalive_timeout_seconds))
        .keep_alive_while_idle(true)
        // Late frames of cancelled calls are no misbehaviour of a service of our own.
        .http2_max_concurrent_reset_streams(config.streams_per_connection as usize)
        .http2_max_local_error_reset_streams(None))
}

/// Leaves out what speaks of one connection only, and what hyper sets.
fn strip(headers: &mut HeaderMap) {
    hop::strip(headers);
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::HOST);
}

fn onward(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    strip(&mut parts.headers);
    // A gRPC server may ask for it, to know that no proxy on the way loses trailers.
    parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
    parts.version = Version::HTTP_2;
    Request::from_parts(parts, Body::new(RequestBody::new(body, SETTLING)))
}

fn failure(owner: Owner, error: &tonic::transport::Error) -> tonic::Status {
    if caused_by::<TimeoutExpired>(error) {
        return deadline::exceeded();
    }
    if caused_by::<ConnectError>(error) {
        tracing::debug!(upstream = owner.name(), "a call found no connection");
        return status::unreachable(owner);
    }
    tracing::warn!(upstream = owner.name(), error = error as &dyn Error, "a call broke off");
    status::interrupted(owner)
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(caused_by::<E>)
}
