//! Hands each gRPC call to the service that its path names.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{
    methods::{self, Method, Owner},
    remote::ChannelPool,
    status,
};

/// A gRPC service, or several behind one router, in this process.
pub type LocalService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Where a call goes.
#[derive(Clone)]
pub enum Upstream {
    /// To this process.
    Local(LocalService),
    /// To another one.
    Remote(ChannelPool),
}

impl Upstream {
    async fn call(self, method: Method, request: Request<Body>) -> Response<Body> {
        match self {
            Self::Local(service) => match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Self::Remote(pool) => pool.call(method.shape, request).await,
        }
    }
}

/// The upstream of every owner.
pub struct Upstreams {
    /// Of the query service.
    pub query: Upstream,
    /// Of the messaging service.
    pub messaging: Upstream,
    /// Of the ingest service.
    pub ingest: Upstream,
    /// Of health and reflection.
    pub gateway: Upstream,
}

impl Upstreams {
    fn of(&self, owner: Owner) -> Upstream {
        match owner {
            Owner::Query => self.query.clone(),
            Owner::Messaging => self.messaging.clone(),
            Owner::Ingest => self.ingest.clone(),
            Owner::Gateway => self.gateway.clone(),
        }
    }
}

/// The service behind every public gRPC path.
#[derive(Clone)]
pub struct Proxy {
    upstreams: Arc<Upstreams>,
}

impl Proxy {
    /// A proxy to these upstreams.
    #[must_use]
    pub fn new(upstreams: Upstreams) -> Self {
        Self { upstreams: Arc::new(upstreams) }
    }
}

impl Service<Request<Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match methods::find(request.uri().path()) {
            Ok(method) => {
                let upstream = self.upstreams.of(method.owner);
                Box::pin(async move { Ok(upstream.call(method, request).await) })
            }
            Err(refused) => {
                let response = status::response(status::refused(refused));
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}
