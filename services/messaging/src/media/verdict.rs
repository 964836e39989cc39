//! What the end of a try means for its file.

use std::time::Duration;

use channel_domain::media::{Fetch, Setback};
use channel_media::MediaError;
use channel_unipile::upstream::{Failure, Kind, UpstreamError};

/// How long a file waits at least when its account or UniPile has to be put in order by somebody.
const UNTIL_REPAIRED: Duration = Duration::from_mins(1);
/// How long an account waits at least that is asked to slow down.
const SLOWER: Duration = Duration::from_secs(30);
/// How long a file waits at least while there is nowhere to put it.
const UNTIL_ROOM: Duration = Duration::from_secs(10);

/// How a try ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// For good.
    With(Fetch),
    /// Not yet.
    Not(Setback),
    /// The same, and the account has to wait.
    TooMany(Setback),
}

impl Ended {
    /// For metrics.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::With(Fetch::Stored(_)) => "stored",
            Self::With(Fetch::TooLarge) => "too_large",
            Self::With(Fetch::Skipped) => "left_out",
            Self::With(_) => "unavailable",
            Self::Not(_) => "failed",
            Self::TooMany(_) => "too_many",
        }
    }
}

const fn not_yet(reason: &'static str, counts: bool, at_least: Option<Duration>) -> Ended {
    Ended::Not(Setback { reason, counts, at_least })
}

/// The same bytes are just being deleted, or it cannot be told that they are on their way.
pub(super) const fn not_now() -> Ended {
    not_yet("MEDIA_NOT_NOW", false, Some(Duration::from_secs(1)))
}

/// UniPile refused, or its answer broke off.
pub(super) fn refused(error: &UpstreamError) -> Ended {
    let reason = error.reason();
    let gone = || Ended::With(Fetch::Unavailable { reason: reason.to_ascii_uppercase() });
    match (&error.failure, error.kind()) {
        (Failure::TooLarge { .. }, _) => Ended::With(Fetch::TooLarge),
        // Nothing was asked: the host is away, or left alone for a while.
        (Failure::Unreachable { .. } | Failure::Paused { .. }, _) => {
            not_yet(reason, false, error.retry_after())
        }
        (_, Kind::RateLimited { retry_after }) => {
            let at_least = Some(retry_after.unwrap_or_default().max(SLOWER));
            Ended::TooMany(Setback { reason, counts: false, at_least })
        }
        (_, Kind::Reconnect | Kind::Configuration | Kind::Restricted) => {
            not_yet(reason, false, Some(UNTIL_REPAIRED))
        }
        (_, Kind::Temporary) => not_yet(reason, true, error.retry_after()),
        (_, Kind::Permanent) => gone(),
    }
}

/// Fewer bytes came than belong to the file.
pub(super) const fn incomplete(reason: &'static str) -> Ended {
    not_yet(reason, true, None)
}

/// There is nowhere to put the bytes. That says nothing about the file.
pub(super) fn no_room(error: &MediaError) -> Ended {
    tracing::warn!(error = error as &dyn std::error::Error, "a file could not be stored");
    not_yet(error.reason(), false, Some(UNTIL_ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_unipile::upstream::{ConnectStep, Refusal};

    fn of(failure: Failure) -> Ended {
        refused(&UpstreamError { route: "test", failure })
    }

    #[test]
    fn an_outage_says_nothing_about_a_file_and_a_broken_answer_does() {
        let step = ConnectStep::Connect;
        let away = of(Failure::Unreachable { step, cause: "refused".into() });
        assert!(matches!(away, Ended::Not(Setback { counts: false, .. })), "{away:?}");
        let broken = of(Failure::Broken { cause: "reset".into() });
        assert!(matches!(broken, Ended::Not(Setback { counts: true, reason: "broken", .. })));
    }

    #[test]
    fn what_is_final_is_final() {
        assert_eq!(of(Failure::TooLarge { limit: 1 }), Ended::With(Fetch::TooLarge));
        let gone = Fetch::Unavailable { reason: "UNAVAILABLE".into() };
        assert_eq!(of(Failure::Unavailable), Ended::With(gone));
        let refusal = |status| {
            let reason = channel_unipile::upstream::Reason::from_wire("");
            Refusal { status, reason, has_problem: false, retry_after: None }
        };
        assert!(matches!(of(Failure::Refused(refusal(404))), Ended::With(_)));
        assert!(matches!(of(Failure::Refused(refusal(429))), Ended::TooMany(_)));
        assert!(matches!(of(Failure::Refused(refusal(503))), Ended::Not(_)));
    }
}
