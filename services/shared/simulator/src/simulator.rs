//! Script, faulty wire and deliverer, put together.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tracing::info;

use crate::api;
use crate::config::{ConfigError, SimulatorConfig};
use crate::deliver::Ledger;
use crate::engine::Engine;
use crate::event::Event;
use crate::faults::{FaultRecord, Faulty};
use crate::remote::Remote;
use crate::traffic::Script;
use crate::world::Model;

/// How long requests under way may take when the simulator is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Never trust a clock so far as to sleep for longer than this.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// A UniPile that sends webhooks, and serves its API where the configuration has one.
#[derive(Debug)]
pub struct Simulator {
    events: Faulty<Script>,
    engine: Arc<Engine>,
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
        let fixed = config.start;
        // Live traffic carries real times.
        config.start = config.start.or_else(|| Some(Timestamp::now()));
        let script = Script::new(&config);
        let engine = Arc::new(Engine::new(&config, fixed, script.world())?);
        let events = Faulty::new(script, config.faults.clone(), config.seed);
        Ok(Self { events, engine, pace })
    }

    /// The books, which can be read while the simulator runs.
    #[must_use]
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(self.engine.targets.ledger())
    }

    /// The way to watch it and to meddle with it while it runs.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::new(Arc::clone(&self.engine))
    }

    /// As [`run`](Self::run), and serves the API and the control endpoint meanwhile.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Report {
        let serving = api::serve(listener, Arc::clone(&self.engine));
        let running = self.run(shutdown);
        tokio::select! {
            report = running => report,
            // It has no end of its own.
            never = serving => match never {},
        }
    }

    /// Sends webhooks until all are sent and settled, or until `shutdown` is ready. Requests under
    /// way then get five seconds; whatever is left counts as failed or stays pending.
    /// With an API there is always something that may still happen, and only `shutdown` ends it.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Report {
        info!("simulator started");
        tokio::pin!(shutdown);
        let engine = Arc::clone(&self.engine);
        let all_sent = async {
            send_all(&mut self.events, &engine, self.pace).await;
            if engine.config.api.is_some() {
                std::future::pending::<()>().await;
            }
            engine.targets.finish().await;
        };
        let stopped = tokio::select! {
            () = &mut shutdown => true,
            () = all_sent => false,
            never = engine.work() => match never {},
        };
        if stopped {
            engine.targets.stop();
            let _ = tokio::time::timeout(GRACE, engine.targets.finish()).await;
        }
        let ledger = self.ledger();
        let counts = ledger.counts();
        info!(counts.sent, counts.acked, counts.failed, "simulator stopped");
        let (script, faults) = self.events.into_parts();
        Report { ledger, model: script.model(), faults }
    }
}

async fn send_all(events: &mut Faulty<Script>, engine: &Engine, pace: Pace) {
    let (began, start) = (Instant::now(), events.source().start());
    loop {
        if matches!(pace, Pace::Live) {
            events.source_mut().catch_up(Timestamp::now());
        }
        // Nothing happens in the world before its time: others look at it as well.
        if let Some(due) = events.source_mut().due() {
            pace.wait(due, began, start).await;
        }
        let Some(event) = events.next() else { return };
        pace.wait(event.at, began, start).await;
        engine.dispatch(event).await;
    }
}

impl Pace {
    async fn wait(self, until: Timestamp, began: Instant, start: Timestamp) {
        match self {
            Self::FlatOut => {}
            Self::Live => tokio::time::sleep(until_wall_clock(until)).await,
            Self::SinceStart => {
                let after = Duration::try_from(until.duration_since(start)).unwrap_or_default();
                tokio::time::sleep_until(began + after).await;
            }
        }
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
