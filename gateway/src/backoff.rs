//! Connects to a remote service, and leaves it alone for a while after a failure.
//!
//! The pause sits in the connector because calls queue in front of it: while the service is away
//! they must fail at once, not one connect timeout after the other.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::Instant};
use tower::Service;

use crate::methods::Owner;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Opens the connections to one service. Clones share the pause.
#[derive(Clone)]
pub(crate) struct Connector {
    owner: Owner,
    timeout: Duration,
    gate: Arc<Mutex<Gate>>,
}

#[derive(Default)]
struct Gate {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Connector {
    pub(crate) fn new(owner: Owner, timeout: Duration) -> Self {
        Self { owner, timeout, gate: Arc::default() }
    }

    fn gate(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_pausing(&self) -> bool {
        let until = self.gate().closed_until;
        until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&self, outcome: &io::Result<TcpStream>) {
        let mut gate = self.gate();
        match outcome {
            Ok(_) => *gate = Gate::default(),
            // Dials that were under way together fail together: that is one failure.
            Err(_) if gate.closed_until.is_some_and(|until| Instant::now() < until) => {}
            Err(error) => {
                gate.failures = gate.failures.saturating_add(1);
                let pause = pause_after(gate.failures);
                gate.closed_until = Some(Instant::now() + pause);
                let upstream = self.owner.name();
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(upstream, %error, pause_ms, "cannot connect to a service");
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            if this.is_pausing() {
                return Err(io::Error::other("pausing after a failed connection"));
            }
            let outcome = tokio::time::timeout(this.timeout, connect(&uri))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            this.note(&outcome);
            outcome.map(TokioIo::new)
        })
    }
}

async fn connect(uri: &Uri) -> io::Result<TcpStream> {
    let missing_host = || io::Error::new(io::ErrorKind::InvalidInput, "the URL has no host");
    let host = uri.host().ok_or_else(missing_host)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let https = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How long a service is left alone after so many failures in a row.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn refusal(connector: &mut Connector) -> io::ErrorKind {
        let uri = Uri::from_static("http://127.0.0.1:1");
        connector.call(uri).await.err().unwrap().kind()
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nobody_dials_until_the_pause_is_over() {
        let mut connector = Connector::new(Owner::Query, Duration::from_secs(1));
        let mut other = connector.clone();
        assert_eq!(refusal(&mut connector).await, io::ErrorKind::ConnectionRefused);
        assert_eq!(refusal(&mut other).await, io::ErrorKind::Other);
        tokio::time::advance(FIRST_PAUSE).await;
        assert_eq!(refusal(&mut other).await, io::ErrorKind::ConnectionRefused);
        tokio::time::advance(FIRST_PAUSE).await;
        assert_eq!(refusal(&mut connector).await, io::ErrorKind::Other);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_the_one_before_nor_longer_than_five_seconds(
            failures in 1_u32..u32::MAX,
        ) {
            prop_assert!(pause_after(failures) <= pause_after(failures + 1));
            prop_assert!(pause_after(failures) <= LONGEST_PAUSE);
            prop_assert!(pause_after(failures) >= FIRST_PAUSE);
        }
    }
}
