//! Accounts and chats are read in.

use super::{account, beside, compare, complete_after, hurried};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{CancelSyncRequest, SyncAccountRequest, SyncChatRequest};
use channel_proto::types::v1::{MessageOrigin, SyncKind, SyncProgress, SyncState};
use channel_tests::program::Program;
use channel_tests::truth::{self, Shown, everything};
use channel_tests::until::until;
use channel_tests::upstream::Upstream;
use channel_tests::{chance, long, traffic, twins};
use serde_json::json;
use std::time::Duration;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

on_both!(
    an_account_is_read_in_by_itself_though_the_program_dies_again_and_again,
    an_account_is_read_in_though_the_program_dies_over_its_first_question,
    an_import_waits_out_what_goes_wrong_at_unipile,
    messages_whose_raw_form_has_megabytes_are_read_a_few_at_a_time,
    a_chat_that_leads_in_circles_holds_up_no_other_and_nothing_is_called_complete,
    an_import_can_be_asked_for_watched_and_cancelled,
);

/// How often the program dies.
const DEATHS: usize = 5;

/// In its long form it reads a million messages in.
async fn an_account_is_read_in_by_itself_though_the_program_dies_again_and_again(
    world: World,
) -> Result<()> {
    let [chats, each] = long::either([8, 600], [200, 5_000]);
    let moment = || (chance::below(chats as u64), Duration::from_millis(chance::below(150)));
    let mut deaths = [(); DEATHS].map(|()| moment());
    deaths.sort_unstable();
    let read_in = is_read_in(&world, chats, each, deaths).await;
    read_in.with_context(|| format!("deaths after chats, and a while: {deaths:?}"))
}

async fn is_read_in(
    world: &World,
    chats: usize,
    each: usize,
    deaths: [(u64, Duration); DEATHS],
) -> Result<()> {
    let (program, upstream) = beside(world, chats, each).await?;
    let slow = json!({ "kind": "latency", "ms": 40 });
    upstream.route_fault("list_chat_messages", slow, None).await?;
    // Its first sign of life makes the account known.
    upstream.status("OK").await?;
    until("the account is known", || async { account(&program).await.ok() }).await?;
    let program = die_again_and_again(program, deaths).await?;
    let complete = complete_after(&program, None).await?;
    upstream.heal().await?;
    ensure!(all_is_here(&program, &upstream).await? == chats * each, "too few messages");
    is_like_an_uninterrupted_one(world, &program, &upstream).await?;
    // What comes now is news.
    let chat = &upstream.chats().await?[0];
    upstream.contact_writes(chat, "Good morning").await?;
    until("it is unread", || async {
        let here = truth::chats(&mut program.query().ok()?).await.ok()?;
        here.iter().any(|it| it.chat_id == *chat && it.unread_count == 1).then_some(())
    })
    .await?;
    // The account is as it was: nothing is read in anew, only looked through for what was missed.
    upstream.status("OK").await?;
    complete_after(&program, Some(complete)).await?;
    ensure!(all_is_here(&program, &upstream).await? == chats * each + 1, "too few messages");
    program.stop().await.map(drop)
}

/// Kills the program, each time a while after so many chats were read in.
async fn die_again_and_again(
    mut program: Program,
    deaths: [(u64, Duration); DEATHS],
) -> Result<Program> {
    for (chats, moment) in deaths {
        if let Err(error) = until_read_in(&program, chats).await {
            let stands = progress(&program).await;
            return Err(error.context(format!("it stands at {stands:?}")));
        }
        tokio::time::sleep(moment).await;
        program = program.kill().await?.start().await?;
    }
    Ok(program)
}

async fn until_read_in(program: &Program, chats: u64) -> Result<()> {
    until("so many chats are read in", || async {
        let here = truth::chats(&mut program.query().ok()?).await.ok()?;
        let done = here.iter().filter(|chat| chat.complete_up_to.is_some()).count() as u64;
        (done >= chats).then_some(())
    })
    .await
}

/// How far the import is. Asking for one that runs tells of it; if none does, it begins only now.
async fn progress(program: &Program) -> Result<SyncProgress> {
    let account_id = account(program).await?.account_id;
    let ask = SyncAccountRequest { account_id, ..SyncAccountRequest::default() };
    let answer = program.messaging()?.sync_account(ask).await?.into_inner();
    answer.progress.context("a progress")
}

/// Everything that UniPile has is here, once, as it is there, and is no news; how many messages that is.
async fn all_is_here(program: &Program, upstream: &Upstream) -> Result<usize> {
    let (mut count, mut query) = (0, program.query()?);
    for chat in truth::chats(&mut query).await? {
        ensure!(!chat.title.is_empty(), "a chat has no name");
        let there = upstream.messages_of(&chat.chat_id).await?;
        let messages = truth::messages(&mut query, &chat).await?;
        let old = messages.iter().filter(|it| it.origin() == MessageOrigin::Import).count();
        ensure!(old + chat.unread_count as usize == messages.len(), "origins");
        count += messages.len();
        compare(&there, &Shown::of([chat], messages))?;
    }
    Ok(count)
}

/// Another program reads the same account in and is left in peace.
async fn is_like_an_uninterrupted_one(
    world: &World,
    program: &Program,
    upstream: &Upstream,
) -> Result<()> {
    let other = world.another().await?;
    let twin = upstream.known_to(hurried(&other)?).start().await?;
    let account_id = upstream.account().await?;
    let status = json!({ "AccountStatus": {
        "account_id": account_id, "account_type": "WHATSAPP", "message": "OK",
    } });
    let answer = traffic::post(&twin, status.to_string()).await?;
    ensure!(answer.is_success(), "{answer}");
    complete_after(&twin, None).await?;
    twins::compare(&mut program.query()?, &mut twin.query()?).await?;
    twin.stop().await.map(drop)
}

async fn an_account_is_read_in_though_the_program_dies_over_its_first_question(
    world: World,
) -> Result<()> {
    let (program, upstream) = beside(&world, 2, 20).await?;
    let endless = json!({ "kind": "latency", "ms": 60_000 });
    upstream.next_fault("get_account", endless).await?;
    upstream.status("OK").await?;
    until("UniPile is asked about the account", || async {
        (upstream.calls("get_account").await.ok()? > 0).then_some(())
    })
    .await?;
    let program = program.kill().await?.start().await?;
    complete_after(&program, None).await?;
    ensure!(all_is_here(&program, &upstream).await? == 40, "too few messages");
    program.stop().await.map(drop)
}

async fn an_import_waits_out_what_goes_wrong_at_unipile(world: World) -> Result<()> {
    let (program, upstream) = beside(&world, 6, 300).await?;
    let answer = |status: u16| json!({ "kind": "answer", "status": status });
    for (route, fault) in [
        ("list_chats", answer(503)),
        ("list_chat_attendees", answer(500)),
        ("list_chat_messages", json!({ "kind": "reset", "accepted": false })),
        ("list_chat_messages", json!({ "kind": "answer", "status": 429, "retry_after": 1 })),
    ] {
        upstream.next_fault(route, fault).await?;
    }
    upstream.status("OK").await?;
    complete_after(&program, None).await?;
    compare(&upstream.messages().await?, &everything(&mut program.query()?).await?)?;
    program.stop().await.map(drop)
}

async fn messages_whose_raw_form_has_megabytes_are_read_a_few_at_a_time(
    world: World,
) -> Result<()> {
    let (program, upstream) = beside(&world, 1, 10).await?;
    let long = json!({ "kind": "originals", "bytes": 10_000_000 });
    upstream.route_fault("list_chat_messages", long, None).await?;
    upstream.status("OK").await?;
    complete_after(&program, None).await?;
    compare(&upstream.messages().await?, &everything(&mut program.query()?).await?)?;
    program.stop().await.map(drop)
}

async fn a_chat_that_leads_in_circles_holds_up_no_other_and_nothing_is_called_complete(
    world: World,
) -> Result<()> {
    let (program, upstream) = beside(&world, 3, 600).await?;
    let (account_id, chats) = (upstream.account().await?, upstream.chats().await?);
    let (circles, refused) = (&chats[0], &chats[1]);
    let same = json!({ "kind": "same_cursor" });
    upstream.chat_fault("list_chat_messages", circles, same).await?;
    let forbidden = json!({ "kind": "answer", "status": 403 });
    upstream.chat_fault("list_chat_messages", refused, forbidden).await?;
    upstream.contact_writes(&chats[2], "hello?").await?;
    until("the account is known", || async { account(&program).await.ok() }).await?;
    let request_id = Uuid::now_v7().to_string();
    let ask =
        SyncAccountRequest { account_id, request_id, kind: SyncKind::History.into(), since: None };
    let ended = until("it ended", || async {
        let progress = program.messaging().ok()?.sync_account(ask.clone()).await.ok()?;
        progress.into_inner().progress.filter(|progress| progress.ended_at.is_some())
    })
    .await?;
    assert_eq!((ended.state(), &*ended.reason), (SyncState::Failed, "CHATS_INCOMPLETE"));
    assert_eq!((ended.chats_total, ended.chats_done), (3, 3));
    let here = everything(&mut program.query()?).await?;
    let of = |chat: &str| here.messages.values().filter(|it| it.chat_id == chat).count();
    ensure!(of(&chats[2]) == 601, "{} are here of the whole one", of(&chats[2]));
    ensure!(of(circles) >= 500 && of(refused) == 0, "{} and {}", of(circles), of(refused));
    ensure!(account(&program).await?.freshness.context("freshness")?.complete_up_to.is_none());
    program.stop().await.map(drop)
}

async fn an_import_can_be_asked_for_watched_and_cancelled(world: World) -> Result<()> {
    let (program, upstream) = beside(&world, 4, 300).await?;
    let (account_id, chats) = (upstream.account().await?, upstream.chats().await?);
    let unknown =
        SyncAccountRequest { account_id: account_id.clone(), ..SyncAccountRequest::default() };
    let refused = program.messaging()?.sync_account(unknown.clone()).await.err();
    let refused = refused.context("an account that nobody heard of")?;
    assert_eq!(refused.code(), Code::NotFound);
    upstream.route_fault("list_chats", json!({ "kind": "answer", "status": 503 }), None).await?;
    upstream.contact_writes(&chats[0], "hello?").await?;
    until("the account is known", || async { account(&program).await.ok() }).await?;

    let started = program.messaging()?.sync_account(unknown.clone()).await?.into_inner();
    let first = started.progress.context("a progress")?;
    let again = program.messaging()?.sync_account(unknown).await?.into_inner();
    assert_eq!(again.progress.context("a progress")?.sync_id, first.sync_id);
    let cancel =
        CancelSyncRequest { account_id: account_id.clone(), sync_id: first.sync_id.clone() };
    let cancelled = program.messaging()?.cancel_sync(cancel.clone()).await?.into_inner();
    let cancelled = cancelled.progress.context("a progress")?;
    assert_eq!(cancelled.state(), SyncState::Cancelled);
    let wrong = CancelSyncRequest { sync_id: Uuid::now_v7().to_string(), ..cancel };
    let refused = program.messaging()?.cancel_sync(wrong).await.err().context("no such one")?;
    let reason = refused.get_details_error_info().map(|info| info.reason);
    assert_eq!(reason.as_deref(), Some("SYNC_NOT_FOUND"));

    // One chat is read in though the whole was cancelled.
    let chat = SyncChatRequest {
        account_id: account_id.clone(),
        chat_id: chats[0].clone(),
        deep: true,
        request_id: String::new(),
    };
    program.messaging()?.sync_chat(chat).await?;
    until("the chat is here", || async {
        let here = everything(&mut program.query().ok()?).await.ok()?;
        (here.messages.len() == 301).then_some(())
    })
    .await?;
    ensure!(account(&program).await?.freshness.context("freshness")?.complete_up_to.is_none());
    program.stop().await.map(drop)
}
