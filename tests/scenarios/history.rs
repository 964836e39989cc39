//! History that is read in, and gaps that are repaired.

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{CancelSyncRequest, SyncAccountRequest, SyncChatRequest};
use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::{
    Account, Message, MessageDirection, MessageOrigin, SyncKind, SyncState,
};
use channel_store_postgres::testing::Server;
use channel_tests::program::{Backend, Program, Setup};
use channel_tests::truth::{Shown, everything};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

on_both!(
    an_account_is_read_in_by_itself_though_the_program_dies_again_and_again,
    what_was_missed_while_webhooks_were_lost_is_found_when_the_account_comes_back,
    what_was_missed_while_nobody_was_here_is_found_at_the_start,
    an_import_waits_out_what_goes_wrong_at_unipile,
    messages_whose_raw_form_has_megabytes_are_read_a_few_at_a_time,
    a_chat_that_leads_in_circles_holds_up_no_other_and_nothing_is_called_complete,
    an_import_can_be_asked_for_watched_and_cancelled,
);

/// A program beside a simulator with a past; what takes minutes for people takes seconds here.
async fn beside(world: &World, chats: usize, past: usize) -> Result<(Program, Upstream)> {
    let setup = Setup::whole(&world.backend)?.with("INGEST__HOLD_SECONDS", "1");
    let place = Place::beside(&setup)?.with_chats(chats).with_past(past).giving_up(&[100])?;
    let setup = place
        .known_to(setup)
        .with("MESSAGING__IMPORT_WAIT_SECONDS", "0")
        .with("MESSAGING__LEASE_SECONDS", "2")
        .with("MESSAGING__POLL_INTERVAL_MS", "50");
    let program = setup.start().await?;
    Ok((program, place.start().await?))
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

async fn an_account_is_read_in_by_itself_though_the_program_dies_again_and_again(
    world: World,
) -> Result<()> {
    let (mut program, upstream) = beside(&world, 12, 600).await?;
    let there = upstream.messages().await?;
    ensure!(there.len() == 12 * 600, "{} messages", there.len());
    let slow = json!({ "kind": "latency", "ms": 40 });
    upstream.route_fault("list_chat_messages", slow, None).await?;
    // Its first sign of life makes the account known.
    upstream.status("OK").await?;
    for part in 1..=5 {
        let what = format!("part {part} is here");
        until(&what, || async {
            let here = everything(&mut program.query().ok()?).await.ok()?;
            (here.messages.len() >= there.len() * part / 6).then_some(())
        })
        .await?;
        program = program.kill().await?.start().await?;
    }
    let complete = complete_after(&program, None).await?;
    let here = everything(&mut program.query()?).await?;
    compare(&there, &here)?;
    ensure!(here.messages.values().all(|it| it.origin() == MessageOrigin::Import), "origins");
    ensure!(here.chats.values().all(|chat| chat.unread_count == 0), "something is unread");
    ensure!(here.chats.values().all(|chat| !chat.title.is_empty()), "a chat has no name");
    // What comes now is news.
    let chat = here.chats.keys().next().context("a chat")?;
    upstream.contact_writes(chat, "Good morning").await?;
    until("it is unread", || async {
        let here = everything(&mut program.query().ok()?).await.ok()?;
        (here.chats[chat].unread_count == 1).then_some(())
    })
    .await?;
    // The account is as it was: nothing is read in anew, only looked through for what was missed.
    upstream.status("OK").await?;
    complete_after(&program, Some(complete)).await?;
    compare(&upstream.messages().await?, &everything(&mut program.query()?).await?)?;
    program.stop().await.map(drop)
}

/// An account whose history is here.
async fn imported(world: &World) -> Result<(Program, Upstream, i64)> {
    let (program, upstream) = beside(world, 4, 20).await?;
    upstream.status("OK").await?;
    let complete = complete_after(&program, None).await?;
    // UniPile's times are whole seconds, and whoever has read a message has read all of its second.
    let here = everything(&mut program.query()?).await?;
    let newest = here.messages.values().filter_map(|it| it.sent_at.map(|at| at.seconds)).max();
    until("the second of the newest message is over", || async {
        (Some(jiff::Timestamp::now().as_second()) > newest).then_some(())
    })
    .await?;
    Ok((program, upstream, complete))
}

async fn what_was_missed_while_webhooks_were_lost_is_found_when_the_account_comes_back(
    world: World,
) -> Result<()> {
    let (program, upstream, complete) = imported(&world).await?;
    let chats = upstream.chats().await?;
    for route in ["contact", "phone"] {
        upstream.route_fault(route, json!({ "kind": "echo_never" }), None).await?;
    }
    for number in 0..30 {
        let chat = &chats[number % 3];
        if number % 3 == 0 {
            upstream.owner_writes(chat, &format!("own {number}")).await?;
        } else {
            upstream.contact_writes(chat, &format!("missed {number}")).await?;
        }
    }
    upstream.heal().await?;
    let there = upstream.messages().await?;
    upstream.status("RECONNECTED").await?;
    ensure!(there.len() == 4 * 20 + 30, "{} messages", there.len());
    // The repair that this asks for may join one that runs, and that began before.
    until("what was missed is here", || async {
        let here = everything(&mut program.query().ok()?).await.ok()?;
        compare(&there, &here).is_ok().then_some(())
    })
    .await?;
    complete_after(&program, Some(complete)).await?;
    let here = everything(&mut program.query()?).await?;
    let missed = here.messages.values().filter(|it| it.origin() == MessageOrigin::Repair).count();
    ensure!(missed == 30, "{missed} of 30 were repaired");
    let unread: Vec<_> = chats.iter().map(|chat| here.chats[chat].unread_count).collect();
    assert_eq!(unread, [0, 10, 10, 0], "what others wrote is news");
    program.stop().await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_turned_away_while_the_database_was_away_is_fetched_afterwards() {
    turned_away().await.unwrap();
}

async fn turned_away() -> Result<()> {
    let server = Server::start(&[])?;
    let world = World::at(Backend::Postgres(server.url("postgres")));
    let (program, upstream, complete) = imported(&world).await?;
    let chats = upstream.chats().await?;
    server.crash()?;
    for number in 0..20 {
        upstream.contact_writes(&chats[number % 4], &format!("turned away {number}")).await?;
    }
    // UniPile tells each of them again, in vain, and then never more.
    upstream.given_up(20).await?;
    server.resume()?;
    upstream.contact_writes(&chats[0], "the first that comes through").await?;
    let there = upstream.messages().await?;
    until("what was turned away is here", || async {
        let here = everything(&mut program.query().ok()?).await.ok()?;
        compare(&there, &here).is_ok().then_some(())
    })
    .await?;
    complete_after(&program, Some(complete)).await?;
    let here = everything(&mut program.query()?).await?;
    let fetched = here.messages.values().filter(|it| it.origin() == MessageOrigin::Repair);
    let fetched = fetched.filter(|it| it.text.starts_with("turned away")).count();
    ensure!(fetched == 20, "{fetched} of 20 were fetched");
    let unread: u32 = here.chats.values().map(|chat| chat.unread_count).sum();
    ensure!(unread == 21, "{unread} are unread");
    program.stop().await.map(drop)
}

async fn what_was_missed_while_nobody_was_here_is_found_at_the_start(world: World) -> Result<()> {
    let (program, upstream, complete) = imported(&world).await?;
    let setup = program.kill().await?;
    let chats = upstream.chats().await?;
    upstream.route_fault("contact", json!({ "kind": "echo_never" }), None).await?;
    for number in 0..10 {
        upstream.contact_writes(&chats[number % 4], &format!("missed {number}")).await?;
    }
    let program = setup.start().await?;
    complete_after(&program, Some(complete)).await?;
    let here = everything(&mut program.query()?).await?;
    compare(&upstream.messages().await?, &here)?;
    let missed = here.messages.values().filter(|it| it.origin() == MessageOrigin::Repair).count();
    ensure!(missed == 10, "{missed} of 10 were repaired");
    let unread: u32 = here.chats.values().map(|chat| chat.unread_count).sum();
    ensure!(unread == 10, "{unread} are unread");
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
    ensure!(of(circles) >= 250 && of(refused) == 0, "{} and {}", of(circles), of(refused));
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
