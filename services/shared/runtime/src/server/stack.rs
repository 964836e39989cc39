//! The server's stack of layers, in one place.

use std::any::Any;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use super::reflection::COMMON;
use super::{Health, TlsError, Transport, reflection, serve_http};
use crate::config::ServerConfig;
use crate::deadline::{DeadlineLayer, Limits, streaming_methods};
use crate::fault::{Kind, refusal};
use crate::identity::IdentityLayer;
use crate::telemetry::grpc_trace_layer;

/// Everything a server answers with, layers included, for a listener or for calls in process.
pub type GrpcStack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Paths that hold no one's data, for [`IdentityLayer::leave_open`]: health and reflection.
pub const OPEN_PATHS: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// A server cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A descriptor set cannot be decoded.
    #[error("a descriptor set cannot be decoded: {0}")]
    Descriptors(#[from] prost::DecodeError),
    /// Reflection cannot be built from the descriptor sets.
    #[error("reflection cannot be built: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Collects services and serves them, with health and reflection.
#[derive(Debug)]
pub struct GrpcServer {
    config: ServerConfig,
    identity: IdentityLayer,
    routes: RoutesBuilder,
    descriptor_sets: Vec<&'static [u8]>,
    listed: BTreeSet<String>,
    health: Health,
}

impl GrpcServer {
    /// Starts with health and reflection only.
    #[must_use]
    pub fn new(config: ServerConfig, identity: IdentityLayer) -> Self {
        Self {
            config,
            identity,
            routes: RoutesBuilder::default(),
            descriptor_sets: Vec::new(),
            listed: BTreeSet::new(),
            health: Health::default(),
        }
    }

    /// Adds an encoded descriptor set: reflection shows it, and the deadline layer learns from it
    /// which methods stream. A method that is in none counts as unary.
    #[must_use]
    pub fn describe(mut self, descriptor_set: &'static [u8]) -> Self {
        self.descriptor_sets.push(descriptor_set);
        self
    }

    /// Lists a service that callers of this process reach elsewhere through it.
    #[must_use]
    pub fn list(mut self, service: &str) -> Self {
        self.listed.insert(service.to_owned());
        self
    }

    /// Adds a service, which health reports as serving and reflection lists.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.health.set(S::NAME, true);
        self.routes.add_service(service);
        self.list(S::NAME)
    }

    /// The health that this server reports.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Builds the stack.
    ///
    /// # Errors
    ///
    /// When a descriptor set cannot be used.
    pub fn into_stack(mut self) -> Result<GrpcStack, ServerError> {
        let reflection = reflection(&self.descriptor_sets, &self.listed)?;
        self.routes.add_service(self.health.service());
        self.routes.add_service(reflection.v1).add_service(reflection.v1alpha);
        let deadline = self.deadline()?;
        let stack = ServiceBuilder::new()
            .map_response(|response: Response<_>| response.map(Body::new))
            // Outermost, so that refused calls are traced too.
            .layer(grpc_trace_layer())
            // Around everything that can take time.
            .layer(deadline)
            // A bug in one call is an answer to that call.
            .layer(CatchPanicLayer::custom(answer_panic))
            // Innermost: from here on the caller is known.
            .layer(self.identity)
            .service(self.routes.routes().prepare());
        Ok(BoxCloneSyncService::new(stack))
    }

    fn deadline(&self) -> Result<DeadlineLayer, ServerError> {
        let all = self.descriptor_sets.iter().chain(&COMMON);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let unary = Limits::unary(
            seconds(self.config.unary_timeout_seconds),
            seconds(self.config.unary_timeout_max_seconds),
        );
        let streaming = streaming_methods(all.copied())?;
        Ok(DeadlineLayer::new(
            move |path| {
                if streaming.contains(path) { Limits::stream() } else { unary }
            },
        ))
    }

    /// Serves on `listener` until `stop`; then reports not serving, accepts nothing more and lets
    /// calls finish for at most `hard_limit`. Returns how many connections had to be cut.
    ///
    /// # Errors
    ///
    /// When the stack or TLS cannot be set up.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
        hard_limit: Duration,
    ) -> Result<usize, ServerError> {
        let transport = Transport::new(&self.config, false)?;
        let health = self.health();
        let stack = self.into_stack()?;
        let service = stack.map_request(|request: Request<_>| request.map(Body::new));
        let goodbye = async {
            stop.cancelled().await;
            health.end();
        };
        let serve = serve_http(listener, service, transport, stop.clone(), hard_limit);
        Ok(tokio::join!(serve, goodbye).0)
    }
}

/// The panic hook has told where; its words stay out of the answer and the log.
fn answer_panic(_: Box<dyn Any + Send>) -> Response<Body> {
    refusal(Kind::Internal, "INTERNAL", "internal error").into_http()
}
