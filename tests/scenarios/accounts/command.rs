//! `channel account connect --link` and `reconnect --link`, as somebody types them.

use super::hosted::reached;
use super::stage::{Stage, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::types::v1::ConnectionState;
use channel_store_postgres::testing;
use channel_tests::command::Typed;
use channel_tests::program::Backend;
use channel_tests::until::until;
use serde_json::{Value, json};

on_both!(
    a_link_is_printed_and_then_the_account,
    a_link_is_followed_over_a_restart_of_the_server,
    whoever_stops_the_command_leaves_a_link_that_works,
);

/// The link, out of what is printed for people.
async fn link(typed: &mut Typed) -> Result<String> {
    loop {
        let line = typed.line().await?;
        if line.starts_with("http") {
            return Ok(line);
        }
    }
}

async fn a_link_is_printed_and_then_the_account(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let arguments = ["account", "connect", "--link", "--name", "Front desk"];
    let mut typed = Typed::start(&stage.program, &arguments)?;
    let link = link(&mut typed).await?;
    stage.upstream.open(&link, json!({})).await?;
    let ended = typed.end().await?;
    ensure!(ended.status.code() == Some(0), "{ended:?}");
    let known = stage.account.as_str();
    let account = stage.listed().await?.into_iter().find(|it| it.account_id != known);
    let account = account.context("no new account")?;
    let last = ended.lines.last().context("nothing is printed")?;
    ensure!(last.starts_with("connected: ") && last.ends_with("Front desk"), "{last}");
    ensure!(last.contains(&account.account_id) && last.contains(&account.phone_number), "{last}");
    Ok(())
}

async fn a_link_is_followed_over_a_restart_of_the_server(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    stage.upstream.status("CREDENTIALS").await?;
    stage.until_in(&stage.account, ConnectionState::Credentials).await?;
    // The only account need not be named.
    let arguments = ["account", "reconnect", "--link", "--json"];
    let mut typed = Typed::start(&stage.program, &arguments)?;
    let made: Value = serde_json::from_str(&typed.line().await?)?;
    let link = made["url"].as_str().with_context(|| made.to_string())?.to_owned();
    let Stage { program, upstream, account, phone } = stage;
    let stage = Stage { program: program.kill().await?.start().await?, upstream, account, phone };
    stage.upstream.open(&link, json!({})).await?;
    let ended = typed.end().await?;
    ensure!(ended.status.code() == Some(0), "{ended:?}");
    let last: Value = serde_json::from_str(ended.lines.last().context("nothing is printed")?)?;
    assert_eq!(last["completed"]["account"]["accountId"], stage.account, "{last}");
    assert_eq!(state_of(&stage.get(&stage.account).await?), ConnectionState::Ok);
    Ok(())
}

async fn whoever_stops_the_command_leaves_a_link_that_works(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let arguments = ["account", "connect", "--link", "--name", "Left alone"];
    let mut typed = Typed::start(&stage.program, &arguments)?;
    let link = link(&mut typed).await?;
    typed.interrupt().await?;
    let ended = typed.end().await?;
    ensure!(!ended.status.success() && ended.complaint.is_empty(), "{ended:?}");
    // Neither the account that is here nor another link is any the worse for it.
    assert_eq!(stage.listed().await?.len(), 1);
    let mut second = Typed::start(&stage.program, &arguments)?;
    let other = self::link(&mut second).await?;
    ensure!(other != link, "each command has its own link");
    drop(second);
    stage.upstream.open(&link, json!({})).await?;
    until("the account is connected", || async {
        let accounts = stage.listed().await.ok()?;
        let named = accounts.iter().find(|it| it.display_name == "Left alone")?;
        (state_of(named) == ConnectionState::Ok).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_nobody_opens_is_told_and_is_a_failure() {
    expired(crate::world::postgres().await).await.unwrap();
}

async fn expired(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let mut typed = Typed::start(&stage.program, &["account", "connect", "--link"])?;
    link(&mut typed).await?;
    let Backend::Postgres(url) = &world.backend else { anyhow::bail!("another database") };
    // Its time passes.
    testing::run(url, "UPDATE hosted_links SET expires_at = 1").await?;
    let ended = typed.end().await?;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let told = "channel: not connected: Nobody signed in in time. (CODE_EXPIRED)\n";
    assert_eq!(ended.complaint, told);
    assert_eq!(stage.listed().await?.len(), 1);
    Ok(())
}
