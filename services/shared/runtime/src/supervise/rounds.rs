//! Work that comes in rounds, each of which may fail and is then tried again.

use std::error::Error;
use std::time::Duration;

use super::Backoff;

/// How rounds of work went, and so how long to rest after each.
#[derive(Debug, Default)]
pub struct Rounds {
    failures: u32,
}

impl Rounds {
    /// How long to rest after a round: as long as it says, or longer and longer while rounds fail. `waits` tells the log
    /// what does not go on.
    pub fn rest<E>(&mut self, round: Result<Duration, E>, waits: &'static str) -> Duration
    where
        E: Error + 'static,
    {
        match round {
            Ok(rest) => {
                self.failures = 0;
                rest
            }
            Err(error) => {
                self.failures += 1;
                let error = &error as &dyn Error;
                tracing::warn!(error, "{waits}");
                Backoff::default().jittered(self.failures)
            }
        }
    }

    /// Whether the last round failed: then only time helps.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn rests_grow_while_rounds_fail_and_are_as_told_afterwards() {
        let mut rounds = Rounds::default();
        let told = Duration::from_secs(5);
        let fails = || Err(io::Error::other("away"));
        let first = rounds.rest(fails(), "waits");
        assert!(first <= Duration::from_millis(100) && rounds.is_failing());
        for _ in 0..20 {
            rounds.rest(fails(), "waits");
        }
        assert!(rounds.rest(fails(), "waits") > Duration::from_secs(20), "it grows");
        assert_eq!(rounds.rest(Ok::<_, io::Error>(told), "waits"), told);
        assert!(!rounds.is_failing());
        assert!(rounds.rest(fails(), "waits") < Duration::from_secs(1), "it begins anew");
    }
}
