//! From webhooks to every open screen.

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::change::Entity;
use channel_simulator::SimulatorConfig;
use channel_tests::client::Query;
use channel_tests::history::{History, Seen};
use channel_tests::program::Setup;
use channel_tests::traffic::Traffic;
use channel_tests::truth::{Shown, everything};
use channel_tests::watcher::Watcher;
use std::collections::BTreeMap;
use std::fmt::Debug;

on_both!(
    screens_see_every_change_once_in_order_through_crashes,
    a_screen_that_was_away_goes_on_where_it_was,
    lists_and_stream_together_give_the_present_state,
);

/// Screens that watch at the same time.
const SCREENS: usize = 24;

async fn screens_see_every_change_once_in_order_through_crashes(world: World) -> Result<()> {
    let mut program = Setup::whole(&world.backend)?.start().await?;
    let model = Traffic::start(&program, SimulatorConfig::load(31, 300))?.finish().await?;
    let mut screens = Vec::new();
    for _ in 0..SCREENS {
        screens.push(Watcher::start(program.query()?, BTreeMap::new()));
    }
    for screen in &mut screens {
        screen.until("it is live", |history| !history.frames.is_empty()).await?;
    }
    let mut config = SimulatorConfig::load(31, 2_500);
    config.delivery.retry_delay_scale = 0.2;
    let traffic = Traffic::start(&program, config)?;
    for acked in [900, 1_700] {
        traffic.ledger.until(|counts| counts.acked >= acked).await;
        program = program.kill().await?.start().await?;
    }
    traffic.finish().await?;
    let heads = heads(&mut program.query()?).await?;
    ensure!(heads.len() == model.accounts.len(), "{} accounts", heads.len());
    let shown = everything(&mut program.query()?).await?;
    for mut screen in screens {
        screen.until("it has seen everything", |history| reached(history, &heads)).await?;
        let seen = screen.stop().check()?;
        ensure!(seen.values().all(|seen| seen.resets.is_empty()), "a screen was reset");
        same_state(&seen, &shown)?;
    }
    program.stop().await?;
    Ok(())
}

async fn a_screen_that_was_away_goes_on_where_it_was(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    Traffic::start(&program, SimulatorConfig::load(41, 200))?.finish().await?;
    let mut screen = Watcher::start(program.query()?, BTreeMap::new());
    screen.until("it is live", |history| !history.frames.is_empty()).await?;
    let before = screen.stop();
    let cursors = cursors(&before)?;
    // More happens while it is away than the ring holds.
    Traffic::start(&program, SimulatorConfig::load(41, 4_000))?.finish().await?;
    let heads = heads(&mut program.query()?).await?;
    let mut screen = Watcher::start(program.query()?, cursors);
    screen.until("it has caught up", |history| reached(history, &heads)).await?;
    let mut whole = before;
    whole.frames.extend(screen.stop().frames);
    let seen = whole.check()?;
    ensure!(seen.values().all(|seen| seen.resets.is_empty()), "it was reset");
    same_state(&seen, &everything(&mut program.query()?).await?)?;
    program.stop().await?;
    Ok(())
}

async fn lists_and_stream_together_give_the_present_state(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    Traffic::start(&program, SimulatorConfig::load(51, 400))?.finish().await?;
    // Subscribe first, then read, while everything goes on changing.
    let mut screen = Watcher::start(program.query()?, BTreeMap::new());
    screen.until("it is live", |history| !history.frames.is_empty()).await?;
    let traffic = Traffic::start(&program, SimulatorConfig::load(51, 2_000))?;
    let mut read = everything(&mut program.query()?).await?;
    traffic.finish().await?;
    let heads = heads(&mut program.query()?).await?;
    screen.until("it has seen everything", |history| reached(history, &heads)).await?;
    for seen in screen.stop().check()?.values() {
        apply(&mut read, seen);
    }
    let now = everything(&mut program.query()?).await?;
    same("message", &read.messages, &now.messages)?;
    same("chat", &read.chats, &now.chats)?;
    program.stop().await?;
    Ok(())
}

/// The client's rule: what the list knows already is left alone.
fn apply(read: &mut Shown, seen: &Seen) {
    for change in &seen.changes {
        match &change.entity {
            Some(Entity::Chat(chat)) => {
                let known = read.chats.get(&chat.chat_id).map_or(0, |known| known.revision);
                if known < change.seq {
                    read.chats.insert(chat.chat_id.clone(), chat.clone());
                }
            }
            Some(Entity::Message(message)) => {
                let id = &message.upstream_id;
                let known = read.messages.get(id).map_or(0, |known| known.revision);
                if known < change.seq {
                    read.messages.insert(id.clone(), message.clone());
                }
            }
            _ => {}
        }
    }
}

/// Both sides know the same, in the same state.
fn same<T: PartialEq + Debug>(
    what: &str,
    read: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
) -> Result<()> {
    for id in read.keys().chain(now.keys()) {
        let (read, now) = (read.get(id), now.get(id));
        ensure!(read == now, "{what} {id}: the client has {read:?}, the database {now:?}");
    }
    Ok(())
}

/// The last change of every entity seen is its row.
fn same_state(seen: &BTreeMap<String, Seen>, shown: &Shown) -> Result<()> {
    let mut read = Shown::default();
    for seen in seen.values() {
        apply(&mut read, seen);
    }
    ensure!(!read.messages.is_empty(), "nothing was seen");
    for (id, message) in &read.messages {
        let row = shown.messages.get(id);
        ensure!(row == Some(message), "message {id}: seen {message:?}, its row is {row:?}");
    }
    for (id, chat) in &read.chats {
        let row = shown.chats.get(id);
        ensure!(row == Some(chat), "chat {id}: seen {chat:?}, its row is {row:?}");
    }
    Ok(())
}

/// Where every account's log ends.
async fn heads(client: &mut Query) -> Result<BTreeMap<String, u64>> {
    let accounts = client.list_accounts(ListAccountsRequest::default()).await?.into_inner();
    accounts.freshness.into_iter().map(|fresh| Ok((fresh.account_id, fresh.as_of_seq))).collect()
}

fn reached(history: &History, heads: &BTreeMap<String, u64>) -> bool {
    history.check().is_ok_and(|seen| {
        heads.iter().all(|(account, head)| seen.get(account).is_some_and(|seen| seen.seq >= *head))
    })
}

fn cursors(history: &History) -> Result<BTreeMap<String, Vec<u8>>> {
    let seen = history.check()?;
    ensure!(!seen.is_empty(), "nothing was seen");
    seen.into_iter()
        .map(|(account, seen)| {
            let cursor = Some(seen.cursor).filter(|cursor| !cursor.is_empty());
            Ok((account, cursor.context("a position without a cursor")?))
        })
        .collect()
}
