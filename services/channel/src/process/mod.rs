//! A process of roles: build, run, end in order.

pub(crate) mod database;
mod ending;
mod listen;
mod stage;

use std::time::Duration;

use anyhow::{Context, bail};
use channel_runtime::config::TelemetryConfig;
use channel_runtime::supervise::{Cause, Outcome, Signals};
use channel_runtime::telemetry::Telemetry;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::client::ClientArgs;

pub(crate) use ending::Ending;
pub(crate) use listen::{bind, reachable, reachable_address};
pub(crate) use stage::Stage;

/// The limit for everything between the wish to stop and the end of the process is 25 s. This much of it is
/// for the tasks; one second more goes to those that are cut off.
const GRACE: Duration = Duration::from_secs(22);
/// How long calls under way may take once nothing more is accepted. Streams end sooner: they are told.
pub(crate) const CALLS_END: Duration = Duration::from_secs(15);
/// What is left is for the last traces.
const FLUSH: Duration = Duration::from_secs(2);

/// An asynchronous runtime for a process or a command.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start threads")
}

/// Runs a command that asks a running process.
pub(crate) fn ask(
    client: &ClientArgs,
    command: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome.map_err(|error| client.explained(error))
}

/// Runs what `build` puts onto a stage until a signal comes or a task fails that nothing works without.
pub(crate) fn run(
    service: &str,
    config: &TelemetryConfig,
    build: impl AsyncFnOnce(&Stage) -> anyhow::Result<Ending>,
) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let telemetry = Telemetry::start(service, config)?;
        let outcome = on_stage(build).await;
        // A collector that does not answer holds up nobody.
        let _ = timeout(FLUSH, telemetry.flush()).await;
        outcome
    });
    runtime.shutdown_background();
    outcome
}

async fn on_stage(build: impl AsyncFnOnce(&Stage) -> anyhow::Result<Ending>) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let stage = Stage::new()?;
    let ending = tokio::select! {
        ending = build(&stage) => ending?,
        // A database that does not answer must not keep the process from ending.
        () = signals.next() => return Ok(()),
    };
    judge(stage.play(ending, signals, GRACE).await)
}

fn judge(outcome: Outcome) -> anyhow::Result<()> {
    match outcome.cause {
        Cause::Failed { task } => bail!("stopped because the task `{task}` failed"),
        Cause::Asked if outcome.cut_off.is_empty() => Ok(()),
        Cause::Asked => bail!("did not end in time: {}", outcome.cut_off.join(", ")),
    }
}
