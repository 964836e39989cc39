//! The health of remote services, as the gateway tells it to its own callers.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use channel_gateway::config::UpstreamsConfig;
use channel_runtime::server::Health;
use channel_runtime::supervise::OnFailure;
use tokio::time::sleep;
use tonic::Status;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::process::Stage;

const CONNECT: Duration = Duration::from_secs(3);
const PING: Duration = Duration::from_secs(10);
/// How soon a service that was lost is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps `health` true to what the remote services say of themselves; one that cannot be reached does not
/// serve.
pub(crate) fn follow(
    stage: &Stage,
    health: &Health,
    upstreams: &UpstreamsConfig,
) -> anyhow::Result<()> {
    let services = [
        ("channel.ingest.v1.IngestService", &upstreams.ingest),
        ("channel.messaging.v1.MessagingService", &upstreams.messaging),
        ("channel.query.v1.QueryService", &upstreams.query),
    ];
    for (service, url) in services {
        health.set(service, false);
        let client = HealthClient::new(channel(url, upstreams.ca_file.as_deref())?);
        let (health, closing) = (health.clone(), stage.closing());
        stage.supervisor.spawn(format!("health of {service}"), OnFailure::LogAndGoOn, async move {
            closing.run_until_cancelled(for_ever(client, &health, service)).await;
            Ok(())
        });
    }
    Ok(())
}

fn channel(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    if !url.starts_with("https://") {
        return Ok(endpoint.connect_lazy());
    }
    let tls = match ca_file {
        Some(file) => {
            let pem =
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
        }
        None => ClientTlsConfig::new().with_native_roots(),
    };
    Ok(endpoint.tls_config(tls)?.connect_lazy())
}

async fn for_ever(mut client: HealthClient<Channel>, health: &Health, service: &'static str) {
    loop {
        let lost = watch(&mut client, health, service).await;
        tracing::debug!(
            service,
            error = lost.err().as_ref().map(Status::message),
            "health is unknown"
        );
        health.set(service, false);
        sleep(AGAIN).await;
    }
}

async fn watch(
    client: &mut HealthClient<Channel>,
    health: &Health,
    service: &'static str,
) -> Result<(), Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut told = client.watch(request).await?.into_inner();
    while let Some(answer) = told.message().await? {
        health.set(service, answer.status() == ServingStatus::Serving);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const QUERY: &str = "channel.query.v1.QueryService";

    async fn is(
        status: ServingStatus,
        watching: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>,
    ) {
        let limit = Duration::from_secs(20);
        let found = tokio::time::timeout(limit, async {
            while watching.message().await.unwrap().unwrap().status() != status {}
        });
        found.await.unwrap();
    }

    /// Serves the health service alone, with what `health` says.
    async fn serve(listener: TcpListener, health: Health, stop: CancellationToken) {
        let routes = tonic::service::Routes::new(health.service());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder().add_routes(routes);
        server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await.unwrap();
    }

    #[tokio::test]
    async fn callers_of_the_gateway_hear_what_a_service_says_and_when_it_is_gone() {
        let remote_health = Health::default();
        remote_health.set(QUERY, true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, remote_health.clone(), stop.clone()));

        let here = Health::default();
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door_url = format!("http://{}", door.local_addr().unwrap());
        tokio::spawn(serve(door, here.clone(), CancellationToken::new()));
        here.set(QUERY, false);
        let client = HealthClient::new(channel(&url, None).unwrap());
        let following = here.clone();
        tokio::spawn(async move { for_ever(client, &following, QUERY).await });

        let mut caller = HealthClient::new(channel(&door_url, None).unwrap());
        let request = HealthCheckRequest { service: QUERY.to_owned() };
        let mut watching = caller.watch(request).await.unwrap().into_inner();
        is(ServingStatus::Serving, &mut watching).await;
        remote_health.set(QUERY, false);
        is(ServingStatus::NotServing, &mut watching).await;
        remote_health.set(QUERY, true);
        is(ServingStatus::Serving, &mut watching).await;
        remote_health.end();
        stop.cancel();
        serving.await.unwrap();
        is(ServingStatus::NotServing, &mut watching).await;
    }
}
