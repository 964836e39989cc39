//! `channel simulate`: the simulator as a program of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use channel_runtime::config::TelemetryConfig;
use channel_runtime::telemetry::Telemetry;
use channel_simulator::{Counts, Faults, Ledger, Simulator, SimulatorConfig};
use secrecy::SecretString;
use serde_json::json;

use crate::output::Output;
use crate::{keys, process};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The webhook address to send to, which ends in /api/v1/webhooks/unipile/
    #[arg(long, value_name = "URL")]
    target: String,
    /// A file with the secret that webhooks carry
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The header that carries it
    #[arg(long, value_name = "NAME")]
    secret_header: Option<String>,
    /// Settings of the simulator in TOML; flags come on top
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A crowd that sends this many events flat out and whose outcome does not depend on order; for tests
    #[arg(long, value_name = "EVENTS", conflicts_with = "settings")]
    load: Option<u64>,
    /// Where all chance comes from; the same seed gives the same events
    #[arg(long)]
    seed: Option<u64>,
    /// Connected accounts
    #[arg(long)]
    accounts: Option<usize>,
    /// Contacts of each account
    #[arg(long)]
    contacts: Option<usize>,
    /// Groups of each account
    #[arg(long)]
    groups: Option<usize>,
    /// Events of the past hours, sent in a burst at the start
    #[arg(long)]
    history: Option<u64>,
    /// Events a second after that, on average
    #[arg(long)]
    rate: Option<f64>,
    /// Stop after this many events
    #[arg(long)]
    total: Option<u64>,
    /// Requests under way at the same time
    #[arg(long)]
    concurrency: Option<usize>,
    /// Send as fast as the receiver takes them
    #[arg(long)]
    flat_out: bool,
    /// Write what was acknowledged, and what was not, as JSON lines into this file at the end
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    faults: FaultArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults, each a chance from 0 to 1")]
struct FaultArgs {
    /// Everything that a receiver must survive without losing anything
    #[arg(long)]
    rough: bool,
    /// Sent twice
    #[arg(long)]
    duplicate: Option<f64>,
    /// Overtaken by later events
    #[arg(long)]
    reorder: Option<f64>,
    /// Sent later than it happened
    #[arg(long)]
    delay: Option<f64>,
    /// Never sent
    #[arg(long)]
    drop: Option<f64>,
    /// A bad body beside it
    #[arg(long)]
    poison: Option<f64>,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    let config = args.settings()?;
    let simulator = Simulator::new(config)?;
    let runtime = process::runtime()?;
    let outcome = runtime.block_on(simulate(simulator, args.ledger.as_deref(), out));
    runtime.shutdown_background();
    outcome
}

async fn simulate(
    simulator: Simulator,
    ledger: Option<&Path>,
    mut out: Output,
) -> anyhow::Result<()> {
    let telemetry = Telemetry::start("channel-simulate", &TelemetryConfig::default())?;
    let report = simulator.run(async { drop(tokio::signal::ctrl_c().await) }).await;
    telemetry.flush().await;
    if let Some(path) = ledger {
        write(path, &report.ledger).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(out.line(told(report.ledger.counts()))?)
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

/// Takes a flag over, if it was given.
fn take<T>(into: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *into = value;
    }
}

impl Args {
    fn settings(&self) -> anyhow::Result<SimulatorConfig> {
        let mut config = self.base()?;
        take(&mut config.seed, self.seed);
        take(&mut config.accounts, self.accounts);
        take(&mut config.contacts, self.contacts);
        take(&mut config.groups, self.groups);
        take(&mut config.history, self.history);
        take(&mut config.rate_per_second, self.rate);
        take(&mut config.total, self.total.map(Some));
        self.faults.apply(&mut config.faults);
        let delivery = &mut config.delivery;
        delivery.target_url.clone_from(&self.target);
        take(&mut delivery.secret_header, self.secret_header.clone());
        take(&mut delivery.concurrency, self.concurrency);
        delivery.paced &= !self.flat_out;
        delivery.keep_events |= self.ledger.is_some();
        if let Some(path) = &self.secret_file {
            let secret = keys::read(path)?;
            let secret = secret.with_context(|| format!("{} holds no secret", path.display()))?;
            delivery.secret_value = Some(SecretString::from(secret.expose()));
        }
        Ok(config)
    }

    fn base(&self) -> anyhow::Result<SimulatorConfig> {
        if let Some(events) = self.load {
            return Ok(SimulatorConfig::load(self.seed.unwrap_or_default(), events));
        }
        let Some(path) = &self.settings else {
            return Ok(SimulatorConfig::default());
        };
        let unreadable = || format!("cannot use {}", path.display());
        let text = std::fs::read_to_string(path).with_context(unreadable)?;
        toml::from_str(&text).with_context(unreadable)
    }
}

impl FaultArgs {
    fn apply(&self, faults: &mut Faults) {
        if self.rough {
            *faults = Faults::rough();
        }
        take(&mut faults.duplicate, self.duplicate);
        take(&mut faults.reorder, self.reorder);
        take(&mut faults.delay, self.delay);
        take(&mut faults.drop, self.drop);
        take(&mut faults.poison, self.poison);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn settings(flags: &[&str]) -> SimulatorConfig {
        let line = ["simulate", "--target", "http://127.0.0.1:1/"].iter().chain(flags);
        Line::parse_from(line).args.settings().unwrap()
    }

    #[test]
    fn flags_come_on_top_of_a_file_and_of_the_presets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "seed = 5\ncontacts = 3\n[faults]\ndrop = 0.5\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = settings(&["--settings", path, "--seed", "6", "--flat-out"]);
        assert_eq!((config.seed, config.contacts), (6, 3));
        assert!((config.faults.drop - 0.5).abs() < f64::EPSILON && !config.delivery.paced);
        assert_eq!(config.delivery.target_url, "http://127.0.0.1:1/");

        let load = settings(&["--load", "100", "--rough", "--duplicate", "0.9"]);
        assert_eq!(load.total, Some(100));
        assert!((load.faults.duplicate - 0.9).abs() < f64::EPSILON && load.faults.poison > 0.0);
    }

    #[test]
    fn a_secret_file_without_a_secret_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let line = ["simulate", "--target", "http://127.0.0.1:1/", "--secret-file", path];
        let error = Line::parse_from(line).args.settings().unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
    }
}
