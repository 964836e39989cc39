//! When to come back after a stream has ended.

use std::time::Duration;

use rand::Rng;

/// The longest wait before the second attempt in a row.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait ever, unless the server asks for more.
const MOST: Duration = Duration::from_secs(30);
/// A stream that lasted this long was a good one: the counting starts anew.
const HEALTHY: Duration = Duration::from_mins(1);

/// What the server asks of a client that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Nothing,
    /// With an error: the same for everybody, and for every attempt.
    AtLeast(Duration),
    /// With a goodbye: drawn for this client.
    For(Duration),
}

/// Counts the attempts in a row.
#[derive(Debug, Default)]
pub(super) struct Pace {
    attempts: u32,
}

impl Pace {
    /// How long to wait after a stream that lasted for `lasted`.
    pub(super) fn wait(&mut self, lasted: Duration, asks: Asks) -> Duration {
        if lasted >= HEALTHY {
            self.attempts = 0;
        }
        let most = FIRST.saturating_mul(1 << self.attempts.min(16)).min(MOST);
        self.attempts += 1;
        let own = most.mul_f64(rand::rng().random_range(0.0..=1.0));
        match asks {
            Asks::Nothing => own,
            Asks::AtLeast(asked) => own.max(asked),
            Asks::For(asked) => asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEF: Duration = Duration::from_secs(1);

    #[test]
    fn waits_are_random_below_a_bound_that_doubles_up_to_half_a_minute() {
        for (attempts, most) in [(0, 500), (1, 1_000), (5, 16_000), (6, 30_000), (999, 30_000)] {
            let mut pace = Pace { attempts };
            assert!(pace.wait(BRIEF, Asks::Nothing) <= Duration::from_millis(most));
        }
        let many = (0..200).map(|_| Pace { attempts: 6 }.wait(BRIEF, Asks::Nothing));
        assert!(many.max().unwrap() > Duration::from_secs(15), "all of the range is used");
    }

    #[test]
    fn the_servers_wish_wins_and_a_long_stream_starts_the_count_anew() {
        let mut pace = Pace { attempts: 9 };
        let asked = Duration::from_secs(45);
        assert_eq!(pace.wait(BRIEF, Asks::For(asked)), asked);
        assert!(pace.wait(BRIEF, Asks::AtLeast(asked)) >= asked);
        let brief = Asks::AtLeast(Duration::from_millis(1));
        let many = (0..200).map(|_| Pace { attempts: 6 }.wait(BRIEF, brief));
        assert!(many.max().unwrap() > BRIEF, "an error's delay is only the least");
        assert!(pace.wait(HEALTHY, Asks::Nothing) <= FIRST);
        assert_eq!(pace.attempts, 1);
    }
}
