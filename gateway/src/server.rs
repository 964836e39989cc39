//! Accepts connections, a bounded number of them, and stops twice: asks, waits, insists.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::connection::Connections;

/// How long accepting pauses when the system refuses, as when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a gateway came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Every call ended by itself.
    Clean,
    /// The grace was over, and connections were cut.
    Forced {
        /// How many.
        connections: usize,
    },
}

/// The connections of one gateway, and how to end them.
pub(crate) struct Server {
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    drain: CancellationToken,
    kill: CancellationToken,
}

impl Server {
    pub(crate) fn new(connections: Connections, max_connections: usize) -> Self {
        Self {
            connections: Arc::new(connections),
            places: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))),
            tasks: TaskTracker::new(),
            drain: CancellationToken::new(),
            kill: CancellationToken::new(),
        }
    }

    pub(crate) async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        grace: Duration,
    ) -> Shutdown {
        tokio::select! {
            () = self.accept_for_ever(&listener) => {}
            () = shutdown => {}
        }
        drop(listener);
        self.stop(grace).await
    }

    async fn accept_for_ever(&self, listener: &TcpListener) {
        loop {
            // The place first: whom we cannot serve stays in the system's queue.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            let stream = accept(listener).await;
            let connections = Arc::clone(&self.connections);
            let (drain, kill) = (self.drain.clone(), self.kill.clone());
            self.tasks.spawn(async move {
                let _place = place;
                kill.run_until_cancelled(connections.serve(stream, drain)).await;
            });
        }
    }

    async fn stop(self, grace: Duration) -> Shutdown {
        self.drain.cancel();
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_ok() {
            return Shutdown::Clean;
        }
        let connections = self.tasks.len();
        tracing::warn!(connections, "cutting connections that outlived the grace");
        self.kill.cancel();
        self.tasks.wait().await;
        Shutdown::Forced { connections }
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client has gone between its greeting and ours.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
