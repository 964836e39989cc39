//! Nothing acknowledged is lost.

use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_simulator::SimulatorConfig;
use channel_store_sqlite::{Options, SqliteStore};
use channel_tests::program::Setup;
use channel_tests::traffic::Traffic;
use channel_tests::truth::{compare, everything};
use std::collections::BTreeSet;

on_both!(what_was_acknowledged_survives_a_crash);

/// How often the program is killed.
const KILLS: u64 = 4;
/// Webhooks acknowledged between two kills.
const STRETCH: u64 = 1_500;

async fn what_was_acknowledged_survives_a_crash(world: World) -> Result<()> {
    let mut program = Setup::whole(&world.backend)?.start().await?;
    let mut config = SimulatorConfig::load(21, (KILLS + 1) * STRETCH);
    config.delivery.paced = true;
    config.rate_per_second = 2_000.0;
    config.delivery.retry_delay_scale = 0.5;
    let traffic = Traffic::start(&program, config)?;
    let ledger = traffic.ledger.clone();
    for kill in 1..=KILLS {
        ledger.until(|counts| counts.acked >= kill * STRETCH / 2).await;
        program = program.kill().await?.start().await?;
    }
    let model = traffic.finish().await?;
    let acked: BTreeSet<String> = ledger
        .acked()
        .into_iter()
        .filter_map(|event| event.message_id.map(|id| id.to_string()))
        .collect();
    let shown = everything(&mut program.query()?).await?;
    let lost: Vec<_> = acked.iter().filter(|id| !shown.messages.contains_key(*id)).collect();
    ensure!(lost.is_empty(), "{} acknowledged messages are lost", lost.len());
    ensure!(ledger.counts().failed == 0, "the sender gave something up");
    compare(&model, &shown)?;
    program.stop().await?;
    audit(&world).await
}

/// The log of every account is dense, chained, and its ends are true.
async fn audit(world: &World) -> Result<()> {
    use channel_tests::program::Backend;
    match &world.backend {
        Backend::Sqlite(folder) => {
            let store = SqliteStore::open(folder, Options::default()).await?;
            audit_store(&store).await
        }
        Backend::Postgres(url) => {
            let config = channel_store_postgres::PostgresConfig::new(url.clone());
            audit_store(&*channel_store_postgres::PostgresStore::connect(config).await?).await
        }
    }
}

async fn audit_store(store: &impl channel_store::Store) -> Result<()> {
    let accounts = store.accounts(&"default".into()).await?;
    ensure!(accounts.len() == 4, "{} accounts", accounts.len());
    for account in accounts {
        let rows = store.tail(&[(account.key, 0)], 1_000_000).await?;
        let mut last = channel_store::log::Position::default();
        for row in rows {
            ensure!(row.seq == last.seq + 1, "{} follows {}", row.seq, last.seq);
            ensure!(row.tag == row.chained(last.tag), "the chain breaks at {}", row.seq);
            last = channel_store::log::Position { seq: row.seq, tag: row.tag };
        }
        ensure!(last == account.head, "the log ends at {}, not at {}", last.seq, account.head.seq);
    }
    Ok(())
}
