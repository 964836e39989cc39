//! When a read is tried again.

use super::Client;
use super::call::Call;
use super::route::Repeat;
use crate::upstream::{Answer, Failure, Refusal, Unreadable, UpstreamError};
use std::time::Duration;

impl Client {
    /// Tries a call as often as its route and its failures allow.
    pub(super) async fn retrying<T, Fut>(
        &self,
        call: &Call<'_>,
        mut attempt: impl FnMut() -> Fut,
    ) -> Answer<T>
    where
        Fut: Future<Output = Answer<T>> + Send,
    {
        let attempts = match call.route.repeat {
            Repeat::Freely => self.options.attempts,
            Repeat::Never => 1,
        };
        let mut failures = 0;
        loop {
            let error = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let Some(wait) = self.wait(&error, failures).filter(|_| failures < attempts) else {
                return Err(error);
            };
            metrics::counter!("channel_unipile_retries_total", "route" => call.route.name)
                .increment(1);
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait after a failure; none if trying again is no use, or takes too long.
    fn wait(&self, error: &UpstreamError, failures: u32) -> Option<Duration> {
        if !may_pass(&error.failure) {
            return None;
        }
        // Three quarters to all of it, so that replicas do not move in step.
        let share = 0.25f64.mul_add((self.chance)().clamp(0.0, 1.0), 0.75);
        let ours = self.options.backoff.wait(failures).mul_f64(share);
        let asked = error.retry_after().unwrap_or_default();
        (asked <= self.options.longest_wait).then_some(ours.max(asked))
    }
}

/// Whether a failure may pass by itself.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } | Failure::Timeout | Failure::Broken { .. } => true,
        Failure::Unreadable { problem, .. } => *problem == Unreadable::NotJson,
        Failure::Refused(Refusal { status, .. }) => {
            matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
        }
        _ => false,
    }
}
