//! What a program says of itself to tools that ask.

use crate::world::{World, postgres, sqlite};
use anyhow::{Context, Result, ensure};
use channel_tests::program::Setup;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};

const INGEST: &str = "channel.ingest.v1.IngestService";
const MESSAGING: &str = "channel.messaging.v1.MessagingService";
const QUERY: &str = "channel.query.v1.QueryService";
const EVERYWHERE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

macro_rules! listing {
    ($version:ident) => {
        /// The services that are listed, each of which can be described.
        async fn $version(channel: Channel) -> Result<Vec<String>> {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let ask = |message| ServerReflectionRequest {
                host: String::new(),
                message_request: Some(message),
            };
            let mut client = ServerReflectionClient::new(channel);
            let all = ask(MessageRequest::ListServices(String::new()));
            let mut answers = client.server_reflection_info(tokio_stream::once(all)).await?;
            let answer = answers.get_mut().next().await.context("no answer")??;
            let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
                anyhow::bail!("no list");
            };
            let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
            let each: Vec<_> = names
                .iter()
                .map(|name| ask(MessageRequest::FileContainingSymbol(name.clone())))
                .collect();
            let answers = client.server_reflection_info(tokio_stream::iter(each)).await?;
            let mut answers = answers.into_inner();
            for name in &names {
                let answer = answers.next().await.context("no answer")??.message_response;
                let described = matches!(answer, Some(MessageResponse::FileDescriptorResponse(_)));
                ensure!(described, "{name} is listed and cannot be described");
            }
            Ok(names)
        }
    };
}
listing!(v1);
listing!(v1alpha);

async fn lists(address: std::net::SocketAddr, own: &[&str]) -> Result<()> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    let wanted: Vec<_> = own.iter().chain(&EVERYWHERE).collect();
    for listed in [v1(channel.clone()).await?, v1alpha(channel).await?] {
        ensure!(listed.iter().eq(wanted.iter().copied()), "{listed:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_lists_what_it_serves_and_the_gateway_what_is_reached_through_it() {
    apart(postgres().await).await.unwrap();
}

async fn apart(world: World) -> Result<()> {
    let ingest = Setup::role("ingest", &world.backend)?.start().await?;
    lists(ingest.setup.server, &[INGEST]).await?;
    let messaging = Setup::role("messaging", &world.backend)?.start().await?;
    lists(messaging.setup.server, &[MESSAGING]).await?;
    let query = Setup::role("query", &world.backend)?.start().await?;
    lists(query.setup.server, &[QUERY]).await?;
    let gateway = Setup::role("gateway", &world.backend)?
        .with("GATEWAY__UPSTREAMS__QUERY", &format!("http://{}", query.setup.server))
        .with("GATEWAY__UPSTREAMS__MESSAGING", &format!("http://{}", messaging.setup.server))
        .with("GATEWAY__UPSTREAMS__INGEST", &format!("http://{}", ingest.setup.server))
        .with("GATEWAY__UPSTREAMS__WEBHOOK", &format!("http://{}", ingest.setup.webhook))
        .start()
        .await?;
    lists(gateway.setup.gateway, &[INGEST, MESSAGING, QUERY]).await?;
    for program in [gateway, query, messaging, ingest] {
        program.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_roles_in_one_process_list_what_the_gateway_would() {
    together(sqlite().unwrap()).await.unwrap();
}

async fn together(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    lists(program.setup.gateway, &[INGEST, MESSAGING, QUERY]).await?;
    program.stop().await?;
    Ok(())
}
