//! `channel simulate`: the simulator as a program of its own.

mod api;
mod args;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use channel_runtime::config::TelemetryConfig;
use channel_runtime::telemetry::Telemetry;
use channel_simulator::{Counts, Ledger, Report, Simulator};
use serde_json::json;

use crate::output::Output;
use crate::process;

pub(crate) use args::Args;

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    let config = args.settings()?;
    let simulator = Simulator::new(config)?;
    let runtime = process::runtime()?;
    let outcome = runtime.block_on(simulate(simulator, args, out));
    runtime.shutdown_background();
    outcome
}

async fn simulate(simulator: Simulator, args: &Args, mut out: Output) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("channel-simulate", &TelemetryConfig::default())?;
    let report = play(simulator, args, &mut out).await?;
    telemetry.flush().await;
    if let Some(path) = &args.ledger {
        write(path, &report.ledger).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(out.line(told(report.ledger.counts()))?)
}

async fn play(simulator: Simulator, args: &Args, out: &mut Output) -> anyhow::Result<Report> {
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let Some(address) = args.listen else { return Ok(simulator.run(stop).await) };
    let listener = process::bind("--listen", address).await?;
    api::show(process::reachable(&listener)?, simulator.remote().key(), out)?;
    Ok(simulator.serve(listener, stop).await)
}

fn told(counts: Counts) -> String {
    let Counts { sent, attempts, acked, failed } = counts;
    let open = counts.pending();
    format!(
        "sent {sent} in {attempts} requests: {acked} acknowledged, {failed} failed, {open} open"
    )
}

fn write(path: &Path, ledger: &Arc<Ledger>) -> anyhow::Result<()> {
    let lines = ledger.entries().into_iter().map(|entry| {
        let body = String::from_utf8_lossy(&entry.event.body).into_owned();
        json!({ "outcome": entry.outcome, "attempts": entry.attempts, "body": body }).to_string()
    });
    Ok(std::fs::write(path, lines.map(|line| line + "\n").collect::<String>())?)
}
