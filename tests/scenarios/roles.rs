//! Roles in processes of their own, over PostgreSQL.

use crate::world::{World, postgres};
use anyhow::{Result, ensure};
use channel_simulator::SimulatorConfig;
use channel_tests::client::{self, Query};
use channel_tests::history::History;
use channel_tests::program::{Program, Setup};
use channel_tests::traffic::Traffic;
use channel_tests::truth::{compare, everything};
use channel_tests::watcher::Watcher;
use std::collections::BTreeMap;
use tonic::transport::Endpoint;

/// Readers that never read.
const STUCK: usize = 100;

/// Every role, and the gateway in front.
struct Roles {
    ingest: Program,
    query: Program,
    gateway: Program,
}

async fn start(world: &World) -> Result<Roles> {
    let ingest = Setup::role("ingest", &world.backend)?.start().await?;
    let query = Setup::role("query", &world.backend)?.start().await?;
    let messaging = format!("http://{}", query.setup.server);
    let gateway = Setup::role("gateway", &world.backend)?
        .with("GATEWAY__UPSTREAMS__QUERY", &format!("http://{}", query.setup.server))
        .with("GATEWAY__UPSTREAMS__MESSAGING", &messaging)
        .with("GATEWAY__UPSTREAMS__INGEST", &format!("http://{}", ingest.setup.server))
        .with("GATEWAY__UPSTREAMS__WEBHOOK", &format!("http://{}", ingest.setup.webhook));
    Ok(Roles { ingest, query, gateway: gateway.start().await? })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apart_they_do_what_they_do_together() {
    apart(postgres().await).await.unwrap();
}

async fn apart(world: World) -> Result<()> {
    let Roles { mut ingest, mut query, gateway } = start(&world).await?;
    Traffic::start(&gateway, SimulatorConfig::load(61, 200))?.finish().await?;
    let mut screens = Vec::new();
    for _ in 0..8 {
        screens.push(Watcher::start(gateway.query()?, BTreeMap::new()));
    }
    for screen in &mut screens {
        screen.until("it is live", |history| !history.frames.is_empty()).await?;
    }
    let mut config = SimulatorConfig::load(61, 2_000);
    config.delivery.retry_delay_scale = 0.2;
    let traffic = Traffic::start(&gateway, config)?;
    traffic.ledger.until(|counts| counts.acked >= 700).await;
    query = query.kill().await?.start().await?;
    traffic.ledger.until(|counts| counts.acked >= 1_300).await;
    ingest = ingest.kill().await?.start().await?;
    let model = traffic.finish().await?;
    let shown = everything(&mut gateway.query()?).await?;
    compare(&model, &shown)?;
    let messages = shown.messages.len();
    for mut screen in screens {
        screen
            .until("it has caught up", |history| revisions(history, &shown_heads(&shown)))
            .await?;
        let seen = screen.stop().check()?;
        ensure!(seen.values().all(|seen| seen.resets.is_empty()), "a screen was reset");
    }
    ensure!(messages > 500, "only {messages} messages");
    for program in [gateway, query, ingest] {
        program.stop().await?;
    }
    Ok(())
}

/// The highest revision of each account's rows.
fn shown_heads(shown: &channel_tests::truth::Shown) -> BTreeMap<String, u64> {
    let mut heads = BTreeMap::new();
    for message in shown.messages.values() {
        let head = heads.entry(message.account_id.clone()).or_insert(0);
        *head = message.revision.max(*head);
    }
    heads
}

fn revisions(history: &History, heads: &BTreeMap<String, u64>) -> bool {
    history.check().is_ok_and(|seen| {
        heads.iter().all(|(account, head)| seen.get(account).is_some_and(|seen| seen.seq >= *head))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_never_read_hold_up_nobody_else() {
    stuck(postgres().await).await.unwrap();
}

async fn stuck(world: World) -> Result<()> {
    let Roles { ingest, query, gateway } = start(&world).await?;
    Traffic::start(&gateway, SimulatorConfig::load(71, 100))?.finish().await?;
    let mut stuck = Vec::new();
    for _ in 0..STUCK {
        let mut client = never_reading(&gateway)?;
        stuck.push(client.watch(channel_proto::query::v1::WatchRequest::default()).await?);
    }
    let mut screen = Watcher::start(gateway.query()?, BTreeMap::new());
    screen.until("it is live", |history| !history.frames.is_empty()).await?;
    Traffic::start(&gateway, SimulatorConfig::load(71, 3_000))?.finish().await?;
    let shown = everything(&mut gateway.query()?).await?;
    screen.until("it has caught up", |history| revisions(history, &shown_heads(&shown))).await?;
    screen.stop().check()?;
    drop(stuck);
    for program in [gateway, query, ingest] {
        program.stop().await?;
    }
    Ok(())
}

/// A client whose window holds next to nothing, on a connection of its own.
fn never_reading(gateway: &Program) -> Result<Query> {
    let endpoint = Endpoint::from_shared(gateway.url())?
        .initial_stream_window_size(1024)
        .initial_connection_window_size(64 * 1024);
    client::query_over(&endpoint)
}
