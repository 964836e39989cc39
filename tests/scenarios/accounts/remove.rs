//! Accounts that are removed.

use super::stage::{Stage, again, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result};
use channel_proto::messaging::v1::{ErasureKind, GetErasureRequest, RemoveAccountRequest};
use channel_proto::query::v1::ResetReason;
use channel_proto::types::v1::{Account, ConnectionState};
use channel_tests::client;
use channel_tests::history::History;
use channel_tests::traffic::post;
use channel_tests::until::until;
use channel_tests::watcher::Watcher;
use serde_json::json;
use std::collections::BTreeMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

on_both!(
    a_removed_account_stays_removed_and_its_data_readable,
    an_account_is_removed_once_the_upstream_did_it,
    an_account_that_is_erased_is_gone_and_stays_so,
    an_account_of_somebody_else_is_not_removed,
);

impl Stage {
    async fn remove(&self, erase_data: bool) -> Result<Account, Status> {
        let request = RemoveAccountRequest { account_id: self.account.clone(), erase_data };
        let managing = self.managing().map_err(|error| Status::internal(error.to_string()));
        let answer = managing?.remove_account(request).await?.into_inner();
        answer.account.ok_or_else(|| Status::internal("no account"))
    }
}

pub(super) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

async fn a_removed_account_stays_removed_and_its_data_readable(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let chats = stage.chats().await?;
    for _ in 0..2 {
        assert_eq!(state_of(&stage.remove(false).await?), ConnectionState::Deleted);
    }
    assert_eq!(stage.upstream.accounts().await?, []);
    assert_eq!(stage.upstream.calls("delete_account").await?, 1);
    assert_eq!(stage.chats().await?, chats);
    assert_eq!(state_of(&stage.get(&stage.account).await?), ConnectionState::Deleted);
    let status = stage.managing()?.reconnect_account(again(&stage.account)).await;
    let status = status.err().context("it can be connected again")?;
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::FailedPrecondition, "ACCOUNT_REMOVED".into())
    );
    // Its number can be connected anew, under another id.
    let mut attempt = stage.connect("").await?;
    let id = super::stage::account_in(&attempt.code().await?)?;
    let phone = stage.phone.trim_start_matches('+');
    assert!(stage.upstream.scan(&id, json!({ "phone": phone })).await?);
    assert_eq!(attempt.connected().await?.account_id, id);
    Ok(())
}

async fn an_account_is_removed_once_the_upstream_did_it(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let broken = json!({ "kind": "answer", "status": 503 });
    stage.upstream.next_fault("delete_account", broken).await?;
    let status = stage.remove(false).await.err().context("it is removed")?;
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::Unavailable, "UPSTREAM_UNAVAILABLE".into())
    );
    assert_ne!(state_of(&stage.get(&stage.account).await?), ConnectionState::Deleted);
    // It was done, only the answer got lost: what is gone is removed.
    let lost = json!({ "kind": "reset", "accepted": true });
    stage.upstream.next_fault("delete_account", lost).await?;
    assert_eq!(stage.remove(false).await.err().context("an answer")?.code(), Code::Unavailable);
    assert_eq!(state_of(&stage.remove(false).await?), ConnectionState::Deleted);
    Ok(())
}

async fn an_account_that_is_erased_is_gone_and_stays_so(world: World) -> Result<()> {
    let mut stage = Stage::new(&world).await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;
    let request = RemoveAccountRequest { account_id: stage.account.clone(), erase_data: true };
    let answer = stage.managing()?.remove_account(request.clone()).await?.into_inner();
    assert_eq!(state_of(&answer.account.context("an account")?), ConnectionState::Deleted);
    let erasure = answer.erasure.context("an erasure")?;
    assert_eq!(erasure.kind(), ErasureKind::Account);
    // Whatever was done by then, the next program does the rest.
    stage.program = stage.program.kill().await?.start().await?;
    let done = until("the account is erased", || async {
        let request = GetErasureRequest { erasure_id: erasure.erasure_id.clone() };
        let answer = stage.managing().ok()?.get_erasure(request).await.ok()?.into_inner();
        answer.erasure.filter(|erasure| erasure.ended_at.is_some())
    })
    .await?;
    assert!(done.counts.context("counts")?.rows > 5);
    let told = |history: &History| {
        let gone = ResetReason::Access as i32;
        history.check().is_ok_and(|seen| seen.values().any(|it| it.resets.contains(&gone)))
    };
    watcher.until("the stream is told that the account is gone", told).await?;
    let status = stage.managing()?.remove_account(request).await.err().context("it is there")?;
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
    // UniPile tells late of what it knew of the account.
    let late = json!({ "AccountStatus": {
        "account_id": stage.account, "account_type": "WHATSAPP", "message": "DELETED",
    } });
    assert_eq!(post(&stage.program, late.to_string()).await?.as_u16(), 200);
    assert_eq!(stage.listed().await?, []);
    Ok(())
}

async fn an_account_of_somebody_else_is_not_removed(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let request = || RemoveAccountRequest { account_id: stage.account.clone(), erase_data: false };
    let mut acme = client::managing(&stage.program.url(), "acme")?;
    let status = acme.remove_account(request()).await.err().context("somebody else may")?;
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
    let status = stage.program.messaging()?.remove_account(request()).await;
    assert_eq!(status.err().context("an agent may")?.code(), Code::PermissionDenied);
    assert_eq!(stage.upstream.accounts().await?.len(), 1);
    Ok(())
}
