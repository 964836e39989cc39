//! What the HTTP library's errors mean.

use crate::breaker::Outcome;
use crate::upstream::{ConnectStep, Failure, Refusal};
use std::error::Error;
use std::io;

/// What went wrong with an exchange.
///
/// Nothing of a request leaves before the connection stands, so a failure to connect is certain.
pub(super) fn of_transport(error: &reqwest::Error) -> Failure {
    let cause = words(error);
    if error.is_connect() {
        let step = if error.is_dns() {
            ConnectStep::Dns
        } else if is_tls(error) {
            ConnectStep::Tls
        } else if error.is_timeout() {
            ConnectStep::Timeout
        } else {
            ConnectStep::Connect
        };
        Failure::Unreachable { step, cause }
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Broken { cause }
    }
}

/// What it says about the health of UniPile. A refusal, even a rude one, is an answer; 501 is one too.
pub(super) fn outcome<T>(result: &Result<T, Failure>) -> Option<Outcome> {
    let Err(failure) = result else { return Some(Outcome::Answered) };
    match failure {
        Failure::Unreachable { .. } => Some(Outcome::HostFailed),
        Failure::Timeout
        | Failure::Broken { .. }
        | Failure::Refused(Refusal { status: 500 | 502..=599, .. }) => Some(Outcome::AccountFailed),
        Failure::Refused(_)
        | Failure::Unreadable { .. }
        | Failure::TooLarge { .. }
        | Failure::ForeignAccount => Some(Outcome::Answered),
        // Our own doing.
        _ => None,
    }
}

/// The innermost cause: the operating system's or TLS library's words, which hold neither path nor content.
fn words(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<rustls::Error>)
}

/// The error and what caused it, inwards. An IO error passes over the one that it wraps, so that one is
/// asked for by name.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&cause| inner(cause))
}

fn inner<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}
