//! Calls that the gateway makes itself, for whoever speaks plain HTTP: through the same layers as every gRPC call,
//! with the same token, limits and reasons.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use channel_runtime::{deadline::DeadlineService, identity::IdentityService};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, Request, Response, header};
use tonic::metadata::MetadataMap;
use tower::{Service, ServiceExt as _};

use crate::proxy::Proxy;

/// What goes from the request to the call.
const CARRIED: [HeaderName; 2] = [header::AUTHORIZATION, HeaderName::from_static("traceparent")];

/// What every gRPC call passes.
#[derive(Clone)]
pub(crate) struct Calls(pub(crate) DeadlineService<IdentityService<Proxy>>);

impl Service<Request<tonic::body::Body>> for Calls {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let call = self.0.clone().oneshot(request);
        Box::pin(async move { call.await.map(|answer| answer.map(tonic::body::Body::new)) })
    }
}

/// The part of a request's headers that its call has too.
pub(crate) fn carried(headers: &HeaderMap) -> MetadataMap {
    let mut carried = HeaderMap::new();
    for name in CARRIED {
        carried.extend(headers.get(&name).cloned().map(|value| (name, value)));
    }
    MetadataMap::from_headers(carried)
}
