//! Asking UniPile for a code, and what its refusals mean.

use std::time::Duration;

use channel_unipile::upstream::{Class, ConnectOptions, Connecting, Kind, Upstream, UpstreamError};

use super::Purpose;
use crate::error::MessagingError;

/// How long to wait where UniPile says that an attempt is under way, and not for how long.
const BUSY: Duration = Duration::from_secs(2);

/// How UniPile does not give a code.
#[derive(Debug)]
pub(super) enum NoCode {
    /// Another attempt is under way there (409, 425), or there were too many.
    Busy(Duration),
    /// It does not answer, or cannot for now.
    Away,
    /// It does not know the account any more.
    Gone,
    /// It refuses; the words are for people.
    Refused(&'static str),
}

pub(super) async fn ask(
    upstream: &dyn Upstream,
    purpose: &Purpose,
    options: &ConnectOptions,
) -> Result<Connecting, UpstreamError> {
    match purpose {
        Purpose::New { .. } => upstream.connect(options).await,
        Purpose::Again { account, .. } => upstream.reconnect(account, options).await,
    }
}

/// Why there is no code.
pub(super) fn why(error: &UpstreamError) -> NoCode {
    let wait = error.retry_after().unwrap_or(BUSY).max(BUSY);
    match (error.status(), error.class()) {
        (Some(409 | 425 | 429), _) => NoCode::Busy(wait),
        _ if error.is_not_found() => NoCode::Gone,
        (_, Class::Uncertain | Class::Certain(Kind::Temporary)) => NoCode::Away,
        (_, Class::Certain(Kind::RateLimited { .. })) => NoCode::Busy(wait),
        (_, Class::Certain(_)) => NoCode::Refused(error.advice()),
    }
}

/// The answer to a call that needed UniPile.
pub(super) fn fault(error: &UpstreamError) -> MessagingError {
    match why(error) {
        NoCode::Busy(wait) => MessagingError::LinkInProgress { retry_after: wait },
        NoCode::Away => MessagingError::UpstreamAway { retry_after: error.retry_after() },
        NoCode::Gone => MessagingError::AccountRemoved,
        NoCode::Refused(advice) => MessagingError::UpstreamRefused { advice },
    }
}
