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
        let asked = error.retry_after().unwrap_or_default();
        let ours = spread(self.options.backoff.wait(failures), (self.chance)());
        (asked <= self.options.longest_wait).then_some(ours.max(asked))
    }
}

/// Three quarters to all of a wait, so that replicas do not move in step.
fn spread(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(0.25f64.mul_add(chance.clamp(0.0, 1.0), 0.75))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::check_base_url;
    use crate::upstream::Reason;
    use crate::v1::client::ClientOptions;
    use channel_runtime::clock::ManualClock;
    use secrecy::SecretString;
    use std::sync::Arc;

    fn client(chance: f64) -> Client {
        let base = check_base_url("http://127.0.0.1:1").unwrap();
        let (key, clock) = (SecretString::from("k"), Arc::new(ManualClock::default()));
        let chance = Arc::new(move || chance);
        Client::new(base, &key, ClientOptions::default(), clock, chance).unwrap()
    }

    fn limited(seconds: Option<u64>) -> UpstreamError {
        let retry_after = seconds.map(Duration::from_secs);
        let reason = Reason::UNKNOWN;
        let refusal = Refusal { status: 429, reason, has_problem: true, retry_after };
        UpstreamError { route: "x", failure: Failure::Refused(refusal) }
    }

    #[test]
    fn waits_double_up_to_a_limit_and_are_spread_by_chance() {
        let (low, high) = (client(0.0), client(1.0));
        let millis =
            |client: &Client, failures| client.wait(&limited(None), failures).unwrap().as_millis();
        let lows: Vec<_> = (1..8).map(|failures| millis(&low, failures)).collect();
        let highs: Vec<_> = (1..8).map(|failures| millis(&high, failures)).collect();
        assert_eq!(highs, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(lows, [375, 750, 1500, 3000, 6000, 6000, 6000]);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_never_shortened_and_one_too_long_is_not_begun() {
        let client = client(0.5);
        let wait = |seconds| client.wait(&limited(Some(seconds)), 1);
        assert_eq!(wait(10), Some(Duration::from_secs(10)));
        assert_eq!(wait(11), None);
        assert!(wait(0).is_some_and(|wait| wait > Duration::ZERO));
    }
}
