//! What the end of a request means for its message.

use std::time::Duration;

use channel_domain::send::{Attempt, Refusal, Verdict};
use channel_store::outbox::SlowDown;
use channel_unipile::upstream::{Class, Failure, Kind, Started, UpstreamError};

/// How long a message waits at least when its account or UniPile has to be put in order by somebody.
const UNTIL_REPAIRED: Duration = Duration::from_mins(1);

/// How a request ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    /// Set when UniPile asks the account to slow down.
    pub(super) slow_down: Option<SlowDown>,
}

impl Ended {
    /// For metrics.
    pub(super) const fn outcome(&self) -> &'static str {
        match (&self.verdict, self.slow_down) {
            (Verdict::Accepted { .. }, _) => "sent",
            (Verdict::Unknown { .. }, _) => "uncertain",
            (Verdict::Refused(_), Some(_)) => "too_many",
            (Verdict::Refused(Refusal { attempt: Attempt::Never, .. }), None) => "failed",
            (Verdict::Refused(_), None) => "postponed",
        }
    }
}

/// Judges what came of sending a message.
pub(super) fn judge(answer: Result<Started, UpstreamError>) -> Ended {
    match answer {
        Ok(Started { chat, message }) => {
            Ended { verdict: Verdict::Accepted { message, chat }, slow_down: None }
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &UpstreamError) -> Ended {
    if matches!(error.class(), Class::Uncertain) {
        let reason = error.reason().to_ascii_uppercase();
        return Ended { verdict: Verdict::Unknown { reason }, slow_down: None };
    }
    let slow_down = match error.kind() {
        Kind::RateLimited { retry_after } => Some(SlowDown { at_least: retry_after }),
        _ => None,
    };
    Ended { verdict: Verdict::Refused(refusal(error)), slow_down }
}

/// What may come after an error, where asking again is no harm or nothing was done for certain.
pub(super) fn refusal(error: &UpstreamError) -> Refusal {
    let is_away = matches!(error.failure, Failure::Unreachable { .. } | Failure::Paused { .. });
    let attempt = match error.kind() {
        Kind::Temporary if is_away => Attempt::Whenever { wait: error.retry_after() },
        Kind::Temporary => Attempt::Later { wait: error.retry_after() },
        Kind::RateLimited { retry_after } => Attempt::Whenever { wait: retry_after },
        Kind::Reconnect | Kind::Configuration => Attempt::Whenever { wait: Some(UNTIL_REPAIRED) },
        Kind::Permanent | Kind::Restricted => Attempt::Never,
    };
    let reason = error.reason().to_ascii_uppercase();
    Refusal { reason, detail: error.advice().to_owned(), attempt }
}
