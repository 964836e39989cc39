//! The gateway: the public door.

pub(crate) mod health;

use std::io;

use channel_gateway::methods::{Owner, RULES};
use channel_gateway::{Gateway, GatewayConfig, LocalServices};
use channel_runtime::identity::IdentityLayer;
use channel_runtime::server::GrpcStack;
use tokio::net::TcpListener;
use tonic::codegen::http::Request;
use tonic::service::{AxumRouter, Routes};
use tower::ServiceExt;

use crate::process::Stage;

/// Opens the public door on a listener.
pub(crate) fn open(
    stage: &Stage,
    listener: TcpListener,
    config: GatewayConfig,
    local: LocalServices,
    identity: IdentityLayer,
) -> anyhow::Result<()> {
    let gateway = Gateway::new(config, local, identity)?;
    let closing = stage.closing();
    stage.open_door("gateway", async move {
        gateway.serve(listener, closing.cancelled_owned()).await;
        Ok::<(), io::Error>(())
    });
    Ok(())
}

/// The services that the public reaches through a gateway, beside what it serves itself.
pub(crate) fn services() -> impl Iterator<Item = &'static str> {
    RULES.iter().filter(|rule| rule.owner != Owner::Gateway).map(|rule| rule.service)
}

/// A server's stack as the gateway takes it, to be called without a socket between.
pub(crate) fn routes(stack: GrpcStack) -> Routes {
    let stack = stack.map_request(|request: Request<_>| request.map(tonic::body::Body::new));
    Routes::from(AxumRouter::new().fallback_service(stack))
}
