//! How long a webhook rests between two tries.

use std::time::Duration;

use rand::Rng;

const WAITS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
];

/// The longest wait after `attempts` failures.
pub(super) fn ceiling(attempts: u32) -> Duration {
    let at = (attempts.max(1) as usize - 1).min(WAITS.len() - 1);
    WAITS[at]
}

/// A wait with full jitter: replicas, and webhooks that failed together, do not come back together.
pub(super) fn wait(attempts: u32) -> Duration {
    ceiling(attempts).mul_f64(rand::rng().random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_never_pass_their_ceiling() {
        let seconds = [1, 5, 30, 120, 600, 3_600, 3_600, 3_600];
        for (attempts, expected) in (1..).zip(seconds) {
            assert_eq!(ceiling(attempts).as_secs(), expected);
            assert!((0..50).all(|_| wait(attempts) <= ceiling(attempts)));
        }
        assert_eq!(ceiling(0), ceiling(1));
        assert_eq!(ceiling(u32::MAX).as_secs(), 3_600);
    }
}
