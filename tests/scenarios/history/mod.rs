//! History that is read in, and gaps that are repaired.

mod import;
mod repair;

use crate::world::World;
use anyhow::{Context, Result, ensure};
use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::{Account, Message, MessageDirection};
use channel_tests::program::{Program, Setup};
use channel_tests::truth::Shown;
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use serde_json::Value;
use std::collections::BTreeMap;

/// A program beside a simulator with a past; what takes minutes for people takes seconds here.
async fn beside(world: &World, chats: usize, past: usize) -> Result<(Program, Upstream)> {
    let setup = hurried(world)?;
    let place = Place::beside(&setup)?.with_chats(chats).with_past(past).giving_up(&[100])?;
    let program = place.known_to(setup).start().await?;
    Ok((program, place.start().await?))
}

fn hurried(world: &World) -> Result<Setup> {
    let setup = Setup::whole(&world.backend)?.with("INGEST__HOLD_SECONDS", "1");
    Ok(setup
        .with("MESSAGING__IMPORT_WAIT_SECONDS", "0")
        .with("MESSAGING__LEASE_SECONDS", "2")
        .with("MESSAGING__POLL_INTERVAL_MS", "50"))
}

async fn account(program: &Program) -> Result<Account> {
    let accounts = program.query()?.list_accounts(ListAccountsRequest::default()).await?;
    accounts.into_inner().accounts.into_iter().next().context("an account")
}

/// Up to when everything is here, once that is later than this.
async fn complete_after(program: &Program, before: Option<i64>) -> Result<i64> {
    until("everything is here", || async {
        let complete = account(program).await.ok()?.freshness?.complete_up_to?;
        let at = complete.seconds * 1_000 + i64::from(complete.nanos / 1_000_000);
        (Some(at) > before).then_some(at)
    })
    .await
}

/// Everything that UniPile has is here, once, as it is there.
fn compare(there: &BTreeMap<String, Value>, here: &Shown) -> Result<()> {
    let missing = there.keys().filter(|id| !here.messages.contains_key(*id)).count();
    ensure!(missing == 0, "{missing} of {} messages are missing", there.len());
    ensure!(here.messages.len() == there.len(), "{} are here", here.messages.len());
    for (id, is) in there {
        same(is, &here.messages[id]).with_context(|| format!("message {id}"))?;
    }
    Ok(())
}

fn same(is: &Value, shown: &Message) -> Result<()> {
    let out = shown.direction() == MessageDirection::Out;
    ensure!(out == (is["is_sender"] == 1), "its direction is {:?}", shown.direction());
    ensure!(is["chat_id"] == *shown.chat_id, "it is in {}", shown.chat_id);
    let text = is["text"].as_str().filter(|_| is["deleted"] != 1).unwrap_or_default();
    ensure!(shown.text == text, "it says {:?}", shown.text);
    ensure!(is["attachments"].as_array().map_or(0, Vec::len) == shown.attachments.len(), "files");
    Ok(())
}
