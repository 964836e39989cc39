//! Accounts that are connected again keep their id and all that is stored.

use super::stage::{Attempt, Stage, again, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result};
use channel_proto::types::v1::{ConnectionSource, ConnectionState};
use channel_tests::client;
use channel_tests::until::until;
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

on_both!(
    an_account_that_is_connected_again_keeps_its_id_and_data,
    an_account_that_runs_needs_no_code,
    a_newer_attempt_ends_the_older_one,
    another_number_is_told_apart,
    an_account_of_somebody_else_cannot_be_connected_again,
    a_state_that_no_webhook_told_is_asked_for,
);

async fn lost(stage: &Stage) -> Result<()> {
    stage.upstream.status("CREDENTIALS").await?;
    stage.until_in(&stage.account, ConnectionState::Credentials).await.map(drop)
}

async fn an_account_that_is_connected_again_keeps_its_id_and_data(world: World) -> Result<()> {
    let stage = Stage::with(&world, |it| it.with("MESSAGING__LINK_CODE_SECONDS", "1")).await?;
    let before = stage.chats().await?;
    assert!(before > 0);
    lost(&stage).await?;
    let mut attempt = stage.reconnect().await?;
    let first = attempt.code().await?;
    assert_ne!(attempt.code().await?, first, "the code is renewed");
    assert!(stage.upstream.scan(&stage.account, json!({})).await?);
    let account = attempt.connected().await?;
    assert_eq!(account.account_id, stage.account);
    assert_eq!(account.phone_number, stage.phone);
    assert_eq!(state_of(&account), ConnectionState::Ok);
    assert_eq!(stage.chats().await?, before);
    assert_eq!(stage.listed().await?.len(), 1);
    assert_eq!(stage.upstream.calls("connect_account").await?, 0);
    stage.program.stop().await.map(drop)
}

async fn an_account_that_runs_needs_no_code(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let account = stage.reconnect().await?.connected().await?;
    assert_eq!(account.account_id, stage.account);
    assert_eq!(stage.upstream.calls("reconnect_account").await?, 0);
    Ok(())
}

async fn a_newer_attempt_ends_the_older_one(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    lost(&stage).await?;
    let mut older = stage.reconnect().await?;
    older.code().await?;
    let mut newer = stage.reconnect().await?;
    newer.code().await?;
    assert_eq!(older.failed().await?.reason, "SUPERSEDED");
    assert!(stage.upstream.scan(&stage.account, json!({})).await?);
    assert_eq!(newer.connected().await?.account_id, stage.account);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_attempt_in_another_process_ends_the_older_one() {
    let world = crate::world::postgres().await;
    let (stage, other) = Stage::beside(&world).await.unwrap();
    lost(&stage).await.unwrap();
    let mut older = stage.reconnect().await.unwrap();
    older.code().await.unwrap();
    let mut managing = client::managing(&other.url(), "default").unwrap();
    let steps = managing.reconnect_account(again(&stage.account)).await.unwrap();
    let mut newer = Attempt(steps.into_inner());
    newer.code().await.unwrap();
    assert_eq!(older.failed().await.unwrap().reason, "SUPERSEDED");
    // The webhook comes to the first process, and the second one waits for it.
    assert!(stage.upstream.scan(&stage.account, json!({})).await.unwrap());
    assert_eq!(newer.connected().await.unwrap().account_id, stage.account);
}

async fn another_number_is_told_apart(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    lost(&stage).await?;
    let mut attempt = stage.reconnect().await?;
    attempt.code().await?;
    assert!(stage.upstream.scan(&stage.account, json!({ "phone": "15559990001" })).await?);
    assert_eq!(attempt.failed().await?.reason, "WRONG_ACCOUNT");
    assert_eq!(stage.get(&stage.account).await?.phone_number, stage.phone);
    Ok(())
}

async fn an_account_of_somebody_else_cannot_be_connected_again(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut acme = client::managing(&stage.program.url(), "acme")?;
    let calls = stage.upstream.calls("get_account").await?;
    let status = acme.reconnect_account(again(&stage.account)).await;
    let status = status.err().context("somebody else may")?;
    assert_eq!(status.code(), Code::NotFound);
    let reason = status.get_details_error_info().map(|info| info.reason);
    assert_eq!(reason.as_deref(), Some("ACCOUNT_NOT_FOUND"));
    assert_eq!(stage.upstream.calls("get_account").await?, calls, "UniPile was asked");
    let status = stage.program.messaging()?.reconnect_account(again(&stage.account)).await;
    assert_eq!(status.err().context("an agent may")?.code(), Code::PermissionDenied);
    Ok(())
}

async fn a_state_that_no_webhook_told_is_asked_for(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let connection = until("the state is told", || async {
        let account = stage.get(&stage.account).await.ok()?;
        account.connection.filter(|it| it.state() == ConnectionState::Ok)
    });
    // Reconnecting an account of which no status was heard asks UniPile.
    stage.reconnect().await?.connected().await?;
    let connection = connection.await?;
    assert_eq!(connection.source(), ConnectionSource::Api);
    assert_eq!(connection.upstream_state, "OK");
    lost(&stage).await?;
    let account = stage.get(&stage.account).await?;
    let connection = account.connection.context("a connection")?;
    assert_eq!(connection.source(), ConnectionSource::Webhook);
    assert_eq!(connection.upstream_state, "CREDENTIALS");
    let freshness = account.freshness.context("a freshness")?;
    assert_eq!(freshness.state(), ConnectionState::Credentials);
    assert_eq!(freshness.state_since, connection.since);
    Ok(())
}
