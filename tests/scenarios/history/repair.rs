//! What was missed is found and fetched.

use super::{beside, compare, complete_after};
use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_proto::types::v1::MessageOrigin;
use channel_store_postgres::testing::Server;
use channel_tests::long;
use channel_tests::program::{Backend, Program};
use channel_tests::truth::everything;
use channel_tests::until::until;
use channel_tests::upstream::Upstream;
use serde_json::json;
use std::time::Duration;

on_both!(
    what_was_missed_while_webhooks_were_lost_is_found_when_the_account_comes_back,
    what_was_missed_while_nobody_was_here_is_found_at_the_start,
);

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

/// In its long form webhooks are lost for ten minutes.
async fn what_was_missed_while_webhooks_were_lost_is_found_when_the_account_comes_back(
    world: World,
) -> Result<()> {
    let (program, upstream, complete) = imported(&world).await?;
    let chats = upstream.chats().await?;
    for route in ["contact", "phone"] {
        upstream.route_fault(route, json!({ "kind": "echo_never" }), None).await?;
    }
    let missed = long::either(30, 600);
    for number in 0..missed {
        let chat = &chats[number % 3];
        if number % 3 == 0 {
            upstream.owner_writes(chat, &format!("own {number}")).await?;
        } else {
            upstream.contact_writes(chat, &format!("missed {number}")).await?;
        }
        tokio::time::sleep(long::either(Duration::ZERO, Duration::from_secs(1))).await;
    }
    upstream.heal().await?;
    let there = upstream.messages().await?;
    upstream.status("RECONNECTED").await?;
    ensure!(there.len() == 4 * 20 + missed, "{} messages", there.len());
    // The repair that this asks for may join one that runs, and that began before.
    until("what was missed is here", || async {
        let here = everything(&mut program.query().ok()?).await.ok()?;
        compare(&there, &here).is_ok().then_some(())
    })
    .await?;
    complete_after(&program, Some(complete)).await?;
    let here = everything(&mut program.query()?).await?;
    let found = here.messages.values().filter(|it| it.origin() == MessageOrigin::Repair).count();
    ensure!(found == missed, "{found} of {missed} were repaired");
    let unread: Vec<_> = chats.iter().map(|chat| here.chats[chat].unread_count).collect();
    let news = u32::try_from(missed / 3)?;
    assert_eq!(unread, [0, news, news, 0], "what others wrote is news");
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
