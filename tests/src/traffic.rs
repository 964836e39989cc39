//! Traffic from the simulator, as a process would send it.

use crate::program::{Program, WEBHOOK_SECRET};
use anyhow::Result;
use channel_simulator::{Ledger, Model, Report, Simulator, SimulatorConfig};
use reqwest::StatusCode;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A simulator at work.
#[derive(Debug)]
pub struct Traffic {
    /// What was sent, and what was acknowledged.
    pub ledger: Arc<Ledger>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Report>,
}

impl Traffic {
    /// Starts sending to a program.
    pub fn start(program: &Program, mut config: SimulatorConfig) -> Result<Self> {
        // A fixed day, so that a longer run of the same seed goes on where a shorter one ended.
        config.start = Some("2026-02-01T12:00:00Z".parse()?);
        config.delivery.target_url = program.webhooks();
        config.delivery.secret_value = Some(WEBHOOK_SECRET.to_owned().into());
        let simulator = Simulator::new(config)?;
        let ledger = simulator.ledger();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(simulator.run(async {
            // A dropped sender is as good as a word.
            let _ = stopped.await;
        }));
        Ok(Self { ledger, stop, task })
    }

    /// Waits until everything is sent and settled.
    pub async fn finish(self) -> Result<Model> {
        let _running = self.stop;
        Ok(self.task.await?.model)
    }

    /// Stops sending.
    pub async fn stop(self) -> Result<Report> {
        drop(self.stop);
        Ok(self.task.await?)
    }
}

/// Posts one webhook and gives the answer's status.
pub async fn post(program: &Program, body: impl Into<reqwest::Body>) -> Result<StatusCode> {
    let request = reqwest::Client::new()
        .post(program.webhooks())
        .header("Unipile-Auth", WEBHOOK_SECRET)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body);
    Ok(request.send().await?.status())
}
