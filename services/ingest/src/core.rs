//! The parts of an ingest, shared by its doors and its tasks.

use std::sync::{Arc, Mutex, PoisonError};

use channel_runtime::clock::Clock;
use channel_runtime::config::ConfigError;
use channel_store::intake::Intake;
use http::HeaderName;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::batcher::{Batcher, Writer, WriterParts};
use crate::config::IngestConfig;
use crate::counters::Counters;
use crate::pruner::Pruner;
use crate::reading::Parser;
use crate::worker::Worker;

pub(crate) struct Core {
    pub(crate) admission: Arc<Admission>,
    pub(crate) store: Arc<dyn Intake>,
    pub(crate) worker: Worker,
    pub(crate) pruner: Pruner,
    pub(crate) secret_header: HeaderName,
    ending: CancellationToken,
    closing: CancellationToken,
    /// Counts the writers that have not ended.
    writing: TaskTracker,
    /// Until they are spawned.
    writers: Mutex<Vec<Writer>>,
}

impl Core {
    pub(crate) fn new(
        store: Arc<dyn Intake>,
        config: &IngestConfig,
        clock: Arc<dyn Clock>,
        parser: Parser,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let secret_header = HeaderName::try_from(&config.secret_header)
            .map_err(|_| ConfigError::invalid("ingest.secret_header", "must be a header's name"))?;
        let counters = Arc::new(Counters::default());
        let kept = Arc::new(Notify::new());
        let (ending, closing) = (CancellationToken::new(), CancellationToken::new());
        let (batcher, waiting) = Batcher::new(config);
        let parts = WriterParts {
            store: Arc::clone(&store),
            counters: Arc::clone(&counters),
            kept: Arc::clone(&kept),
            ending: ending.clone(),
            closing: closing.clone(),
            retry_after: config.retry_after(),
        };
        let writer = |waiting| Writer::new(parts.clone(), waiting);
        let writers = waiting.into_iter().map(writer).collect();
        let worker =
            Worker::new(config, Arc::clone(&store), parser.clone(), Arc::clone(&clock), kept);
        let pruner = Pruner {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            config: Arc::new(config.clone()),
        };
        let admission = Admission::new(config, parser, clock, counters, batcher);
        Ok(Self {
            admission: Arc::new(admission),
            store,
            worker,
            pruner,
            secret_header,
            ending,
            closing,
            writing: TaskTracker::new(),
            writers: Mutex::new(writers),
        })
    }

    /// The writers, each to be run as a task; none the second time.
    pub(crate) fn writers(&self) -> Vec<impl Future<Output = ()> + Send + 'static> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let run = |writer: Writer| self.writing.track_future(writer.run());
        std::mem::take(&mut *writers).into_iter().map(run).collect()
    }

    /// Lets nobody in any more, answers those inside, writes what waits.
    pub(crate) async fn drain(&self) {
        self.admission.close();
        self.ending.cancel();
        self.admission.emptied().await;
        self.closing.cancel();
        self.writing.close();
        self.writing.wait().await;
    }
}
