//! Which files are fetched, and what follows from a try that failed.

use super::Fetch;
use crate::fact::AttachmentKind;
use crate::time::Micros;
use std::time::Duration;

/// The first wait after a failed try; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_mins(30);

/// Which files are fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Most bytes of a file.
    pub most_bytes: u64,
    /// Kinds that are left out.
    pub left_out: Vec<AttachmentKind>,
    /// How often a file is tried that its source answers wrongly.
    pub tries: u32,
}

impl Policy {
    /// Why a file is not even asked for. The size is the sender's claim; one that is too small is found out while
    /// the bytes come.
    #[must_use]
    pub fn refuses(&self, kind: AttachmentKind, claimed: Option<u64>) -> Option<Fetch> {
        if self.left_out.contains(&kind) {
            return Some(Fetch::Skipped);
        }
        claimed.is_some_and(|size| size > self.most_bytes).then_some(Fetch::TooLarge)
    }

    /// What becomes of a file after a try that failed: its state, when it is tried again, and whether the try
    /// counts. `jitter` is between 0 and 1.
    #[must_use]
    pub fn after(
        &self,
        setback: Setback,
        failures: u32,
        jitter: f64,
        now: Micros,
    ) -> (Fetch, Option<Micros>, bool) {
        let Setback { reason, counts, at_least } = setback;
        let reason = reason.to_ascii_uppercase();
        let failures = failures + u32::from(counts);
        if counts && failures >= self.tries {
            return (Fetch::Unavailable { reason }, None, counts);
        }
        let wait = wait_after(failures.max(1), jitter).max(at_least.unwrap_or_default());
        (Fetch::Retrying { reason }, Some(now.plus(wait)), counts)
    }
}

/// A try that failed and may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    /// Stable reason.
    pub reason: &'static str,
    /// Whether it says something about the file. An outage does not: it may last as long as it will.
    pub counts: bool,
    /// Wait at least so long.
    pub at_least: Option<Duration>,
}

/// How long to wait after so many failures; between half and all of it, so that files do not come in step.
#[must_use]
pub fn wait_after(failures: u32, jitter: f64) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    full.mul_f64(jitter.clamp(0.0, 1.0).mul_add(0.5, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy { most_bytes: 100, left_out: vec![AttachmentKind::Video], tries: 3 }
    }

    #[test]
    fn a_claim_alone_can_keep_a_file_out() {
        assert_eq!(policy().refuses(AttachmentKind::Video, None), Some(Fetch::Skipped));
        assert_eq!(policy().refuses(AttachmentKind::Image, Some(101)), Some(Fetch::TooLarge));
        assert_eq!(policy().refuses(AttachmentKind::Image, Some(100)), None);
        assert_eq!(policy().refuses(AttachmentKind::Image, None), None);
    }

    #[test]
    fn failures_come_to_an_end_and_outages_do_not() {
        let broken = Setback { reason: "broken", counts: true, at_least: None };
        let (state, next, _) = policy().after(broken, 0, 1.0, Micros(0));
        assert_eq!((state.number(), next), (3, Some(Micros(5_000_000))));
        let (state, next, _) = policy().after(broken, 2, 1.0, Micros(0));
        assert_eq!(state, Fetch::Unavailable { reason: "BROKEN".into() });
        assert_eq!(next, None);
        let minute = Some(Duration::from_mins(1));
        let away = Setback { reason: "paused", counts: false, at_least: minute };
        let (state, next, counts) = policy().after(away, 2, 0.0, Micros(0));
        assert_eq!((state.number(), next, counts), (3, Some(Micros(60_000_000)), false));
    }

    #[test]
    fn waits_grow_to_a_limit() {
        assert!(wait_after(1, 0.0) >= FIRST_WAIT / 2);
        assert_eq!(wait_after(3, 1.0), FIRST_WAIT * 4);
        assert_eq!(wait_after(u32::MAX, 1.0), LONGEST_WAIT);
    }
}
