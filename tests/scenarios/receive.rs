//! From webhooks to rows.

use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_proto::ingest::v1::ListQuarantinedRequest;
use channel_simulator::{Faults, SimulatorConfig};
use channel_tests::program::Setup;
use channel_tests::traffic::{Traffic, post};
use channel_tests::truth::{compare, everything};

on_both!(
    what_is_told_twice_late_and_in_disorder_is_shown_once_and_true,
    poison_is_set_aside_and_harms_nothing_else,
);

async fn what_is_told_twice_late_and_in_disorder_is_shown_once_and_true(
    world: World,
) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    let mut config = SimulatorConfig::load(11, 3_000);
    config.faults = Faults { drop: 0.0, poison: 0.0, ..Faults::rough() };
    let model = Traffic::start(&program, config)?.finish().await?;
    compare(&model, &everything(&mut program.query()?).await?)?;
    program.stop().await?;
    Ok(())
}

async fn poison_is_set_aside_and_harms_nothing_else(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    let mut config = SimulatorConfig::load(12, 600);
    config.faults = Faults { poison: 0.2, ..Faults::default() };
    // Oversized bodies are refused, and the sender tries those again.
    config.delivery.retry_delay_scale = 0.0;
    let traffic = Traffic::start(&program, config)?;
    let ledger = traffic.ledger.clone();
    let model = traffic.finish().await?;
    let mut shown = everything(&mut program.query()?).await?;
    // Poison that can be understood in part makes chats of its own.
    shown.messages.retain(|_, message| model.chats.contains_key(&message.chat_id));
    compare(&model, &shown)?;
    let sent = ledger.entries();
    let poison = sent.iter().filter(|entry| entry.event.is_poison()).count();
    ensure!(poison > 50, "only {poison} bodies were poison");
    let request = ListQuarantinedRequest { page_size: 200, ..Default::default() };
    let listed = program.ingest()?.list_quarantined(request).await?.into_inner();
    ensure!(!listed.entries.is_empty(), "nothing was set aside");
    ensure!(
        listed.entries.iter().all(|entry| !entry.reason.is_empty()),
        "something was set aside without a reason"
    );
    ensure!(post(&program, "not json").await?.as_u16() == 200, "poison is acknowledged");
    program.stop().await?;
    Ok(())
}
