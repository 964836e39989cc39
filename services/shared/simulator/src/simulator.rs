//! Script, faulty wire and deliverer, put together.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::info;

use crate::config::{ConfigError, SimulatorConfig};
use crate::deliver::{Deliverer, Ledger};
use crate::event::Event;
use crate::faults::{FaultRecord, Faulty};
use crate::traffic::Script;
use crate::world::Model;

/// How long requests under way may take when the simulator is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Never trust a clock so far as to sleep for longer than this.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// A UniPile that sends webhooks to one receiver.
#[derive(Debug)]
pub struct Simulator {
    events: Faulty<Script>,
    deliverer: Deliverer,
    pace: Pace,
}

/// What a run leaves behind.
#[derive(Debug)]
pub struct Report {
    /// What was sent and acknowledged.
    pub ledger: Arc<Ledger>,
    /// The truth that the webhooks told of, dropped ones included.
    pub model: Model,
    /// What went wrong on the way.
    pub faults: Vec<FaultRecord>,
}

/// When an event is sent.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// As soon as there is room.
    FlatOut,
    /// When the wall clock says so; the script follows that clock.
    Live,
    /// As long after the run began as the event is after the script's start.
    SinceStart,
}

impl Simulator {
    /// Seeds the world and prepares the wire. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(mut config: SimulatorConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let pace = match (config.delivery.paced, config.start) {
            (false, _) => Pace::FlatOut,
            (true, None) => Pace::Live,
            (true, Some(_)) => Pace::SinceStart,
        };
        // The one place that asks what time it is: live traffic carries real times.
        config.start = config.start.or_else(|| Some(Timestamp::now()));
        let deliverer = Deliverer::new(&config.delivery)?;
        let events = Faulty::new(Script::new(&config), config.faults.clone(), config.seed);
        Ok(Self { events, deliverer, pace })
    }

    /// The books, which can be read while the simulator runs.
    #[must_use]
    pub fn ledger(&self) -> Arc<Ledger> {
        self.deliverer.ledger()
    }

    /// Sends webhooks until all are sent and settled, or until `shutdown` is ready. Requests under
    /// way then get five seconds; whatever is left counts as failed or stays pending.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Report {
        info!("simulator started");
        tokio::pin!(shutdown);
        let stopped = tokio::select! {
            () = &mut shutdown => true,
            () = send_all(&mut self.events, &self.deliverer, self.pace) => false,
        };
        let stopped = stopped
            || tokio::select! {
                () = &mut shutdown => true,
                () = self.deliverer.finish() => false,
            };
        if stopped {
            self.deliverer.stop();
            let _ = tokio::time::timeout(GRACE, self.deliverer.finish()).await;
        }
        let ledger = self.deliverer.ledger();
        let counts = ledger.counts();
        info!(counts.sent, counts.acked, counts.failed, "simulator stopped");
        let (script, faults) = self.events.into_parts();
        Report { ledger, model: script.model(), faults }
    }
}

async fn send_all(events: &mut Faulty<Script>, deliverer: &Deliverer, pace: Pace) {
    let (began, start) = (Instant::now(), events.source().start());
    loop {
        if matches!(pace, Pace::Live) {
            events.source_mut().catch_up(Timestamp::now());
        }
        let Some(event) = events.next() else { return };
        match pace {
            Pace::FlatOut => {}
            Pace::Live => tokio::time::sleep(until_wall_clock(event.at)).await,
            Pace::SinceStart => {
                let after = Duration::try_from(event.at.duration_since(start)).unwrap_or_default();
                tokio::time::sleep_until(began + after).await;
            }
        }
        deliverer.send(event).await;
    }
}

fn until_wall_clock(at: Timestamp) -> Duration {
    let left = at.duration_since(Timestamp::now());
    Duration::try_from(left).unwrap_or_default().min(LONGEST_SLEEP)
}

/// Runs a simulator until its events are all settled, or until `shutdown` is ready.
///
/// # Errors
///
/// [`ConfigError`] when the configuration makes no sense.
pub async fn run(
    config: SimulatorConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Report, ConfigError> {
    Ok(Simulator::new(config)?.run(shutdown).await)
}

/// The events of a configuration, faults included, without sending them anywhere.
///
/// The configuration is taken as it is; [`SimulatorConfig::validate`] says whether it makes sense.
pub fn bodies(config: &SimulatorConfig) -> impl Iterator<Item = Event> + use<> {
    Faulty::new(Script::new(config), config.faults.clone(), config.seed)
}
