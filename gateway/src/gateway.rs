//! Puts the layers together.

use std::time::Duration;

use axum::{Router, body::Body, routing::post_service};
use channel_runtime::{
    deadline::{DeadlineLayer, Limits},
    identity::IdentityLayer,
};
use http::{Response, StatusCode};
use tokio::{net::TcpListener, runtime::Handle};
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceBuilder, util::BoxCloneSyncService};

use crate::{
    GatewayConfig, GatewayError, Shutdown,
    calls::Calls,
    connection::Connections,
    cors, download,
    front::Front,
    methods::{self, Owner, Shape},
    proxy::{LocalService, Proxy, Upstream, Upstreams},
    remote::ChannelPool,
    server::Server,
    tls, upload,
    webhook::{Forward, RemoteShim, Shim, refuse},
};

/// What this process itself serves.
#[derive(Debug, Clone, Default)]
pub struct LocalServices {
    /// gRPC: health and reflection always, and every service without a URL in the configuration.
    pub grpc: Routes,
    /// Ingest's HTTP shim, used when `upstreams.webhook` is empty. It sees the whole public path.
    pub webhook: Option<Router>,
    /// What is not gRPC: REST, the user interface. Sits inside CORS; without it such requests
    /// are answered 404.
    pub http: Option<Router>,
}

/// The public door, ready to serve.
pub struct Gateway {
    config: GatewayConfig,
    router: Router,
    tls: Option<TlsAcceptor>,
}

impl Gateway {
    /// Builds the gateway. Connections to remote services are opened at first use.
    ///
    /// `identity` decides who gets in, by gRPC: services ask again, and whom it refuses never
    /// reaches one. The webhook address is not its matter.
    ///
    /// # Errors
    ///
    /// When the configuration is not usable, or outside a Tokio runtime.
    pub fn new(
        config: GatewayConfig,
        local: LocalServices,
        identity: IdentityLayer,
    ) -> Result<Self, GatewayError> {
        config.validate()?;
        Handle::try_current().map_err(|_| GatewayError::NoRuntime)?;
        Ok(Self {
            router: router(&config, local, identity)?,
            tls: config.tls.as_ref().map(tls::acceptor).transpose()?,
            config,
        })
    }

    /// Serves the listener until `shutdown`, then lets open calls end within the grace.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Shutdown {
        let connections = Connections::new(&self.config, self.router, self.tls);
        let grace = Duration::from_secs(self.config.shutdown_grace_seconds);
        Server::new(connections, self.config.max_connections).run(listener, shutdown, grace).await
    }
}

fn router(
    config: &GatewayConfig,
    local: LocalServices,
    identity: IdentityLayer,
) -> Result<Router, GatewayError> {
    let shim = shim(config, local.webhook)?;
    let calls = ServiceBuilder::new()
        .layer(deadlines(config.response_timeout()))
        // A stranger gets no further, and learns of no upstream.
        .layer(identity)
        // From here on everything speaks plain gRPC.
        .service(proxy(config, local.grpc)?);
    let own = Calls(calls.clone());
    let http = local.http.unwrap_or_else(|| Router::new().fallback(not_found));
    let front = Front {
        http: http.merge(upload::route(own.clone())).merge(download::route(own, &config.cors)),
        // Outside what answers, so that a browser understands a refusal.
        grpc: GrpcWebLayer::new().layer(calls),
    };
    // Outside everything a page can call, so that refusals carry it too.
    let front = cors::layer(&config.cors)?.layer(front);
    let mut router = Router::new().fallback_service(front);
    if let Some(shim) = shim {
        for path in crate::webhook::PATHS {
            let forward = Forward::new(shim.clone(), &config.webhook);
            router = router.route(path, post_service(forward));
        }
    }
    Ok(router)
}

fn proxy(config: &GatewayConfig, grpc: Routes) -> Result<Proxy, GatewayError> {
    let urls = &config.upstreams;
    let local: LocalService = BoxCloneSyncService::new(grpc.prepare());
    let upstream = |owner: Owner, url: &str| -> Result<Upstream, GatewayError> {
        if url.is_empty() {
            return Ok(Upstream::Local(local.clone()));
        }
        let tls = tls::grpc_client(url, urls.ca_file.as_deref())?;
        ChannelPool::new(owner, url, &urls.pool, tls).map(Upstream::Remote)
    };
    Ok(Proxy::new(Upstreams {
        query: upstream(Owner::Query, &urls.query)?,
        messaging: upstream(Owner::Messaging, &urls.messaging)?,
        ingest: upstream(Owner::Ingest, &urls.ingest)?,
        gateway: Upstream::Local(local.clone()),
    }))
}

fn shim(config: &GatewayConfig, local: Option<Router>) -> Result<Option<Shim>, GatewayError> {
    let urls = &config.upstreams;
    if urls.webhook.is_empty() {
        return Ok(local.map(Shim::Local));
    }
    let remote = RemoteShim::new(&urls.webhook, urls.ca_file.as_deref())?;
    Ok(Some(Shim::Remote(Box::new(remote))))
}

/// A unary call ends in time, a stream begins in time, and an upload takes as long as it takes.
fn deadlines(limit: Duration) -> DeadlineLayer {
    DeadlineLayer::new(move |path| match methods::find(path).map(|method| method.shape) {
        Ok(Shape::Unary) => Limits::unary(limit, limit),
        Ok(Shape::ServerStream) => Limits::stream_that_begins_within(limit),
        Ok(Shape::ClientStream) | Err(_) => Limits::stream(),
    })
}

async fn not_found() -> Response<Body> {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND")
}
