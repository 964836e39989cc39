//! How long to wait before starting a failed task again.

use std::time::Duration;

use rand::Rng;

/// Doubling waits, with a little chance so that replicas do not move in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// After this many failures in a row the process stops; 0 means never.
    pub give_up_after: u32,
    /// A task that ran this long starts counting failures anew.
    pub steady_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            most: Duration::from_secs(30),
            give_up_after: 10,
            steady_after: Duration::from_mins(1),
        }
    }
}

impl Backoff {
    /// The wait after the `failures`-th failure in a row, without chance.
    #[must_use]
    pub fn wait(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// The same, shortened by up to a quarter at random.
    #[must_use]
    pub fn jittered(&self, failures: u32) -> Duration {
        self.wait(failures).mul_f64(rand::rng().random_range(0.75..=1.0))
    }

    pub(super) fn is_spent(&self, failures: u32) -> bool {
        self.give_up_after > 0 && failures >= self.give_up_after
    }
}
