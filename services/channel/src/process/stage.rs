//! What all roles of a process share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel_runtime::admin::{self, Condition, Readiness};
use channel_runtime::clock::{Clock, SystemClock};
use channel_runtime::config::AdminConfig;
use channel_runtime::supervise::{OnFailure, Outcome, Signals, Supervisor, TaskError};
use channel_runtime::telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Ending, bind};

/// The name of the readiness condition that holds while traffic is welcome.
const SERVING: &str = "serving";

/// What all roles of a process share.
pub(crate) struct Stage {
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Arc<dyn Clock>,
    pub(super) readiness: Readiness,
    serving: Condition,
    metrics: Metrics,
    /// Cancelled when nothing more is accepted.
    closing: CancellationToken,
    /// Cancelled when everything has ended, and nobody needs to ask how it is going.
    ended: CancellationToken,
    doors: TaskTracker,
}

impl Stage {
    pub(super) fn new() -> anyhow::Result<Self> {
        let readiness = Readiness::default();
        Ok(Self {
            supervisor: Supervisor::new(),
            clock: Arc::new(SystemClock),
            serving: readiness.condition(SERVING),
            readiness,
            metrics: Metrics::install()?,
            closing: CancellationToken::new(),
            ended: CancellationToken::new(),
            doors: TaskTracker::new(),
        })
    }

    /// Cancelled when nothing more is accepted.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Serves callers under a name until [`Self::closing`], and beyond it those who are inside. The process
    /// is of no use without it.
    pub(crate) fn open_door<E: Into<TaskError>>(
        &self,
        name: &'static str,
        serve: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let closing = self.closing();
        let served = self.doors.track_future(async move {
            serve.await.map_err(Into::into)?;
            if closing.is_cancelled() {
                return Ok(());
            }
            Err("it ended without being asked to".into())
        });
        self.supervisor.spawn(name, OnFailure::StopTheProcess, served);
    }

    /// Opens the address for machines. It is there from before the process is ready until after its end
    /// has begun, to tell of both.
    pub(crate) async fn open_admin(&self, config: &AdminConfig) -> anyhow::Result<SocketAddr> {
        let listener = bind("admin.listen", config.listen).await?;
        let address = listener.local_addr()?;
        self.serve_admin(listener);
        Ok(address)
    }

    fn serve_admin(&self, listener: TcpListener) {
        let (readiness, metrics) = (self.readiness.clone(), self.metrics.clone());
        let (serve, ended) = (self.ended.clone(), self.ended.clone());
        self.supervisor.spawn("admin", OnFailure::StopTheProcess, async move {
            // A connection that asks nothing must not hold up the end.
            let served = admin::serve(listener, readiness, metrics, serve);
            ended.run_until_cancelled(served).await.transpose()?;
            Ok(())
        });
        let (metrics, ended) = (self.metrics.clone(), self.ended.clone());
        self.supervisor.spawn("metrics upkeep", OnFailure::LogAndGoOn, async move {
            metrics.upkeep(ended).await;
            Ok(())
        });
    }

    /// Says that traffic is welcome, and plays until the end.
    pub(super) async fn play(self, ending: Ending, signals: Signals, grace: Duration) -> Outcome {
        let drain = self.supervisor.drain();
        let (serving, closing, ended) = (self.serving.clone(), self.closing, self.ended);
        let doors = self.doors;
        self.supervisor.spawn("orderly end", OnFailure::LogAndGoOn, async move {
            drain.cancelled().await;
            serving.set(false);
            doors.close();
            ending.run(closing, doors.wait()).await;
            ended.cancel();
            Ok(())
        });
        self.serving.set(true);
        self.supervisor.run_until_signal(signals, grace).await
    }
}
