//! Accounts that are removed and erased, whatever happens to UniPile and to the program meanwhile.

use super::remove::reason;
use super::stage::{Stage, again, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{
    Erasure, ErasurePhase, GetErasureRequest, RemoveAccountRequest, RemoveAccountResponse,
};
use channel_proto::types::v1::ConnectionState;
use channel_tests::command::Typed;
use channel_tests::program::Setup;
use channel_tests::until::until;
use serde_json::json;
use tonic::Status;

on_both!(
    killed_between_the_upstreams_answer_and_ours_an_account_is_erased_all_the_same,
    an_account_is_erased_once_the_upstream_is_back,
);

fn hasty(setup: Setup) -> Setup {
    setup.with("MESSAGING__LEASE_SECONDS", "2").with("MESSAGING__UPSTREAM_RETRY_SECONDS", "1")
}

impl Stage {
    async fn remove_for_good(&self) -> Result<RemoveAccountResponse, Status> {
        let request = RemoveAccountRequest { account_id: self.account.clone(), erase_data: true };
        let managing = self.managing().map_err(|error| Status::internal(error.to_string()));
        Ok(managing?.remove_account(request).await?.into_inner())
    }

    async fn erasure(&self, id: &str) -> Result<Erasure> {
        let request = GetErasureRequest { erasure_id: id.to_owned() };
        let answer = self.managing()?.get_erasure(request).await?.into_inner();
        answer.erasure.context("an erasure")
    }

    async fn refuses_to_reconnect(&self) -> Result<()> {
        let answer = self.managing()?.reconnect_account(again(&self.account)).await;
        let refused = answer.err().context("it can be connected again")?;
        assert_eq!(reason(&refused), "ACCOUNT_REMOVED");
        Ok(())
    }

    async fn until_erased(&self) -> Result<()> {
        until("the account is gone", || async {
            self.listed().await.ok().filter(Vec::is_empty).map(drop)
        })
        .await
    }

    async fn killed_and_started(self) -> Result<Self> {
        Ok(Self { program: self.program.kill().await?.start().await?, ..self })
    }
}

async fn killed_between_the_upstreams_answer_and_ours_an_account_is_erased_all_the_same(
    world: World,
) -> Result<()> {
    let stage = Stage::with(&world, hasty).await?;
    stage.upstream.next_fault("delete_account", json!({ "kind": "latency", "ms": 700 })).await?;
    let (mut managing, account_id) = (stage.managing()?, stage.account.clone());
    let request = RemoveAccountRequest { account_id, erase_data: true };
    let asked = tokio::spawn(async move { managing.remove_account(request).await });
    until("UniPile is asked", || async {
        (stage.upstream.calls("delete_account").await.ok()? > 0).then_some(())
    })
    .await?;
    // It sleeps while the answer comes, and does not wake up.
    stage.program.pause().await?;
    until("UniPile has removed it", || async {
        stage.upstream.accounts().await.ok().filter(Vec::is_empty).map(drop)
    })
    .await?;
    let setup = stage.program.kill().await?;
    ensure!(asked.await?.is_err(), "it was answered");
    // Nobody asks again.
    let stage = Stage { program: setup.start().await?, ..stage };
    stage.until_erased().await?;
    stage.program.stop().await.map(drop)
}

async fn an_account_is_erased_once_the_upstream_is_back(world: World) -> Result<()> {
    let stage = Stage::with(&world, hasty).await?;
    let broken = json!({ "kind": "answer", "status": 503 });
    stage.upstream.route_fault("delete_account", broken, None).await?;
    let first = stage.remove_for_good().await?;
    assert_eq!(state_of(&first.account.context("an account")?), ConnectionState::Ok);
    let asked = first.erasure.context("an erasure")?;
    let waiting = (ErasurePhase::Removing, "UPSTREAM_UNAVAILABLE");
    assert_eq!((asked.phase(), &*asked.removal_problem), waiting);
    // Whoever asks again, on the command line, has the same wish, and hears of its end over a restart of the server.
    let mut typed = Typed::start(&stage.program, &["erase", "account", &stage.account, "--yes"])?;
    let words = format!("{}  not removed yet (UPSTREAM_UNAVAILABLE)", asked.erasure_id);
    assert_eq!(typed.line().await?, format!("{words}; waiting, it goes on without this, too …"));
    stage.refuses_to_reconnect().await?;
    let tries = stage.upstream.calls("delete_account").await?;
    until("UniPile is asked without anybody", || async {
        (stage.upstream.calls("delete_account").await.ok()? > tries).then_some(())
    })
    .await?;
    let stage = stage.killed_and_started().await?;
    let told = stage.erasure(&asked.erasure_id).await?;
    assert_eq!((told.phase(), &*told.removal_problem), waiting);
    assert_eq!(stage.listed().await?.len(), 1, "nothing is erased while UniPile has it");
    let show = ["erase", "show", &asked.erasure_id];
    let shown = Typed::run(&stage.program, &show).await?;
    assert_eq!(shown.lines, [words]);
    stage.upstream.heal().await?;
    stage.until_erased().await?;
    let done = until("the erasure is done", || async {
        let told = stage.erasure(&asked.erasure_id).await.ok()?;
        told.ended_at.is_some().then_some(told)
    })
    .await?;
    assert_eq!((done.phase(), &*done.removal_problem), (ErasurePhase::Done, ""));
    ensure!(done.counts.context("counts")?.rows > 5, "nothing was erased");
    assert_eq!(stage.upstream.accounts().await?, []);
    let ended = typed.end().await?;
    ensure!(ended.status.code() == Some(0), "{ended:?}");
    let last = ended.lines.last().context("nothing is printed")?;
    ensure!(last.starts_with(&format!("{}  erased  ", asked.erasure_id)), "{last}");
    stage.program.stop().await.map(drop)
}
