//! What the end of a request means for its message.

use std::time::Duration;

use channel_domain::send::{Attempt, Refusal, Verdict};
use channel_store::outbox::SlowDown;
use channel_unipile::upstream::{Class, Failure, Kind, Sent, UpstreamError};

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
pub(super) fn judge(answer: Result<Sent, UpstreamError>) -> Ended {
    match answer {
        Ok(Sent { message }) => {
            Ended { verdict: Verdict::Accepted { message, chat: None }, slow_down: None }
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &UpstreamError) -> Ended {
    let reason = error.reason().to_ascii_uppercase();
    let Class::Certain(kind) = error.class() else {
        return Ended { verdict: Verdict::Unknown { reason }, slow_down: None };
    };
    let is_away = matches!(error.failure, Failure::Unreachable { .. } | Failure::Paused { .. });
    let (attempt, slow_down) = match kind {
        Kind::Temporary if is_away => (Attempt::Whenever { wait: error.retry_after() }, None),
        Kind::Temporary => (Attempt::Later { wait: error.retry_after() }, None),
        Kind::RateLimited { retry_after } => {
            let slow_down = SlowDown { at_least: retry_after };
            (Attempt::Whenever { wait: retry_after }, Some(slow_down))
        }
        Kind::Reconnect | Kind::Configuration => {
            (Attempt::Whenever { wait: Some(UNTIL_REPAIRED) }, None)
        }
        Kind::Permanent | Kind::Restricted => (Attempt::Never, None),
    };
    let detail = error.advice().to_owned();
    Ended { verdict: Verdict::Refused(Refusal { reason, detail, attempt }), slow_down }
}
