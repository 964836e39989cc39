//! Ingest: receives webhooks and makes them durable.

use std::io;
use std::sync::Arc;

use channel_ingest::{Ingest, IngestConfig};
use channel_runtime::config::{ConfigError, ServerConfig};
use channel_runtime::server::{GrpcServer, Transport, serve_http};
use channel_store::Store;
use tokio::net::TcpListener;
use tonic::codegen::http::Request;
use tonic::service::{AxumBody, AxumRouter};
use tower::ServiceExt;

use crate::process::{CALLS_END, Stage};

/// Adds the role to a server, and starts its writers.
pub(crate) fn add(
    stage: &Stage,
    server: GrpcServer,
    store: &Arc<dyn Store>,
    config: &IngestConfig,
) -> Result<(GrpcServer, Ingest), ConfigError> {
    let (intake, clock) = (Arc::clone(store), Arc::clone(&stage.clock));
    let ingest = Ingest::new(intake, config, clock)?;
    ingest.spawn(&stage.supervisor);
    Ok((server.service(ingest.grpc()), ingest))
}

/// Opens the webhook address on a listener of its own.
pub(crate) fn open_webhooks(
    stage: &Stage,
    listener: TcpListener,
    router: AxumRouter,
    config: &ServerConfig,
) -> anyhow::Result<()> {
    let transport = Transport::new(config, true)?;
    let closing = stage.closing();
    let router = router.map_request(|request: Request<_>| request.map(AxumBody::new));
    stage.open_door("webhooks", async move {
        serve_http(listener, router, transport, closing, CALLS_END).await;
        Ok::<(), io::Error>(())
    });
    Ok(())
}
