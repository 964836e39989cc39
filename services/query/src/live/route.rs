//! Serves `Watch` beside the generated server: its frames are bytes already, so nothing is encoded again.

use super::Live;
use bytes::{Buf as _, BufMut as _, Bytes};
use channel_proto::query::v1::WatchRequest;
use channel_runtime::fault::to_status;
use channel_runtime::identity::{Role, identity_of, require_role};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::convert::Infallible;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};
use tower::Service;

/// The path of the one method that is served here.
pub const PATH: &str = "/channel.query.v1.QueryService/Watch";

/// Serves `Watch` from a [`Live`], and passes every other call to `inner`.
#[derive(Debug, Clone)]
pub struct WatchRoute<S> {
    inner: S,
    live: Live,
}

impl<S> WatchRoute<S> {
    /// Puts `Watch` before a generated server.
    #[must_use]
    pub const fn new(inner: S, live: Live) -> Self {
        Self { inner, live }
    }
}

impl<S: NamedService> NamedService for WatchRoute<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for WatchRoute<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.inner.call(request));
        }
        let method = Method(self.live.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(Frames);
            Ok(grpc.server_streaming(method, request).await)
        })
    }
}

struct Method(Live);

impl ServerStreamingService<WatchRequest> for Method {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<WatchRequest>) -> Self::Future {
        let live = self.0.clone();
        Box::pin(async move {
            let identity = identity_of(&request)?;
            require_role(&identity, Role::Viewer)?;
            let watch = live.watch(identity, request.into_inner()).await;
            let frames = watch.map_err(|fault| to_status(&fault))?;
            Ok(Response::new(frames.map(Ok).boxed()))
        })
    }
}

/// Takes requests as protobuf and gives frames as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Frames;

impl Codec for Frames {
    type Encode = Bytes;
    type Decode = WatchRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Frames {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, frame: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(frame);
        Ok(())
    }
}

impl Decoder for Frames {
    type Item = WatchRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<WatchRequest>, Status> {
        let message = from.copy_to_bytes(from.remaining());
        let request = <WatchRequest as prost::Message>::decode(message);
        let refuse = |error: prost::DecodeError| Status::internal(error.to_string());
        request.map(Some).map_err(refuse)
    }
}
