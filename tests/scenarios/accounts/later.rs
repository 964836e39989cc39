//! Callbacks that come while UniPile cannot be asked whether they are true.

use super::hosted::{named, reached};
use super::stage::{Stage, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_domain::Micros;
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::types::v1::ConnectionState;
use channel_store::HostedLinks;
use channel_store::hosted::DueLink;
use channel_store_postgres::{PostgresConfig, PostgresStore};
use channel_store_sqlite::{Options, SqliteStore};
use channel_tests::program::{Backend, Program, Setup};
use channel_tests::until::until;
use serde_json::{Value, json};

on_both!(a_callback_is_kept_until_the_upstream_answers_again);

/// What is given up after minutes is given up after a second here.
fn hasty(setup: Setup) -> Setup {
    reached(setup)
        .with("MESSAGING__LINK_FINISH_SECONDS", "1")
        .with("MESSAGING__UPSTREAM_RETRY_SECONDS", "1")
}

async fn until_put_off(program: &Program, times: u64) -> Result<()> {
    let line = r#"channel_messaging_links_total{outcome="link_put_off"} "#;
    until("the callback is put off", || async {
        let metrics = program.metrics().await.ok()?;
        let count = metrics.lines().find_map(|it| it.strip_prefix(line))?;
        count.trim().parse().is_ok_and(|count: u64| count >= times).then_some(())
    })
    .await
}

/// The callbacks that are still to be confirmed.
async fn left(backend: &Backend) -> Result<Vec<DueLink>> {
    let ever = Micros(i64::MAX);
    Ok(match backend {
        Backend::Sqlite(folder) => {
            let store = SqliteStore::open(folder, Options::default()).await?;
            let left = store.due_links(ever, 9).await?;
            store.close().await;
            left
        }
        Backend::Postgres(url) => {
            let store = PostgresStore::connect(PostgresConfig::new(url.clone())).await?;
            store.due_links(ever, 9).await?
        }
    })
}

async fn away(stage: &Stage, fault: Value) -> Result<()> {
    stage.upstream.route_fault("get_account", fault, None).await
}

async fn a_callback_is_kept_until_the_upstream_answers_again(world: World) -> Result<()> {
    let mut stage = Stage::with(&world, hasty).await?;
    let link = stage.link(named("Patient")).await?;
    away(&stage, json!({ "kind": "answer", "status": 503 })).await?;
    stage.upstream.open(&link.url, json!({})).await?;
    let mut steps = stage.follow(&link).await?;
    ensure!(matches!(steps.step().await?, Some(Step::Accepted(_))), "nobody signed in");
    until_put_off(&stage.program, 2).await?;
    let setup = stage.program.kill().await?;
    let mut left = left(&world.backend).await?;
    let due = left.pop().context("the callback is lost")?;
    ensure!(left.is_empty() && due.attempts >= 2, "{} times, and {left:?}", due.attempts);
    assert_eq!(due.link.id.to_string(), link.link_id);
    // Whoever starts next goes on, while UniPile refuses in another way.
    stage.program = setup.start().await?;
    stage.upstream.heal().await?;
    away(&stage, json!({ "kind": "answer", "status": 429 })).await?;
    until_put_off(&stage.program, 1).await?;
    stage.upstream.heal().await?;
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!((state_of(&account), &*account.display_name), (ConnectionState::Ok, "Patient"));
    ensure!(!account.phone_number.is_empty(), "it was settled without UniPile");
    stage.program.stop().await.map(drop)
}
