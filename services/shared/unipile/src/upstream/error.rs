//! How a call ends badly.

use super::class::{Class, Kind};
use super::reason::Reason;
use std::fmt;
use std::time::Duration;

/// A call that failed.
///
/// Holds no key, no text and no part of a body: `type` of UniPile's error body is kept as a [`Reason`],
/// its `title` and `detail` are not. [`advice`](Self::advice) is the sentence for people, the display is
/// for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamError {
    /// The call, as method and path template.
    pub route: &'static str,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection came about, so nothing was sent.
    Unreachable {
        /// At which step.
        step: ConnectStep,
        /// The system's or TLS library's words.
        cause: String,
    },
    /// The answer did not come in time, or not completely.
    Timeout,
    /// The connection broke once bytes may have left.
    Broken {
        /// The HTTP library's words.
        cause: String,
    },
    /// UniPile, or something in between, refused.
    Refused(Refusal),
    /// A success whose body cannot be understood.
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        problem: Unreadable,
    },
    /// More bytes than allowed.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The bytes of an attachment cannot be had: UniPile said so with the message. Nothing was asked.
    Unavailable,
    /// The answer speaks of another account than the one asked about.
    ForeignAccount,
    /// The breaker is open after too many failures: nothing was sent.
    Paused {
        /// When the next attempt is let through.
        retry_in: Duration,
    },
    /// A file to be sent could not be read, or has another length than announced; what was sent of the
    /// request is incomplete, so UniPile cannot have taken it.
    File {
        /// The name of the file's error, or what is wrong with its length.
        cause: String,
    },
    /// The request makes no sense and was not sent.
    Invalid(&'static str),
}

/// Where connecting failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStep {
    /// The host's name has no address.
    Dns,
    /// Nobody listens, or the network is down.
    Connect,
    /// The limit for connecting passed.
    Timeout,
    /// The certificate or the handshake.
    Tls,
}

/// A status that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// UniPile's reason.
    pub reason: Reason,
    /// Whether the body was one of UniPile's error bodies. If not, something in between may have
    /// answered, or the route may not exist.
    pub has_problem: bool,
    /// The header `Retry-After`; UniPile documents none. At most a day.
    pub retry_after: Option<Duration>,
}

/// What is wrong with the body of a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// No JSON, or only its beginning.
    NotJson,
    /// JSON of another shape than documented: `what` is missing or of another type.
    Shape(&'static str),
    /// More bytes than a JSON body may have.
    TooLong,
}

impl UpstreamError {
    /// Whether UniPile may have done what was asked, and what would help; see [`Class`].
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.failure {
            Failure::Unreachable { .. } | Failure::Paused { .. } => Class::Certain(Kind::Temporary),
            Failure::Refused(refusal) => refusal.class(),
            Failure::TooLarge { .. }
            | Failure::Unavailable
            | Failure::ForeignAccount
            | Failure::File { .. }
            | Failure::Invalid(_) => Class::Certain(Kind::Permanent),
            Failure::Timeout | Failure::Broken { .. } | Failure::Unreadable { .. } => {
                Class::Uncertain
            }
        }
    }

    /// What would help, even where it is uncertain what happened.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (&self.failure, self.class()) {
            (Failure::Refused(refusal), _) => refusal.kind(),
            (_, Class::Certain(kind)) => kind,
            (_, Class::Uncertain) => Kind::Temporary,
        }
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.failure {
            Failure::Refused(refusal) => Some(refusal.status),
            Failure::Unreadable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// A stable name: UniPile's reason, else what happened. For storage, metrics and clients.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.failure {
            Failure::Unreachable { step: ConnectStep::Dns, .. } => "unreachable_dns",
            Failure::Unreachable { step: ConnectStep::Connect, .. } => "unreachable_connect",
            Failure::Unreachable { step: ConnectStep::Timeout, .. } => "unreachable_timeout",
            Failure::Unreachable { step: ConnectStep::Tls, .. } => "unreachable_tls",
            Failure::Timeout => "timeout",
            Failure::Broken { .. } => "broken",
            Failure::Refused(refusal) => refusal.reason.name(),
            Failure::Unreadable { .. } => "unreadable",
            Failure::TooLarge { .. } => "too_large",
            Failure::Unavailable => "unavailable",
            Failure::ForeignAccount => "foreign_account",
            Failure::Paused { .. } => "paused",
            Failure::File { .. } => "file",
            Failure::Invalid(_) => "invalid",
        }
    }

    /// A sentence that a person understands. Never UniPile's own words.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match &self.failure {
            Failure::Refused(refusal) => refusal.advice(),
            Failure::TooLarge { .. } => "The file is larger than allowed here.",
            Failure::Unavailable => "WhatsApp does not offer this file any more.",
            Failure::File { .. } => "The file to be sent cannot be read.",
            Failure::Invalid(_) | Failure::ForeignAccount => Kind::Permanent.text(),
            Failure::Unreachable { .. } | Failure::Paused { .. } => {
                "UniPile cannot be reached. It will be tried again."
            }
            Failure::Timeout | Failure::Broken { .. } | Failure::Unreadable { .. } => {
                "UniPile's answer got lost."
            }
        }
    }

    /// How long to wait before trying again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            Failure::Refused(refusal) => refusal.retry_after,
            Failure::Paused { retry_in } => Some(*retry_in),
            _ => None,
        }
    }

    /// Whether UniPile says that the thing does not exist: its own 404, not one of a proxy in between.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.failure, Failure::Refused(Refusal { status: 404, has_problem: true, .. }))
    }

    /// Whether the answer was longer than any is read here: a page of fewer objects may fit.
    #[must_use]
    pub const fn is_too_long(&self) -> bool {
        matches!(self.failure, Failure::Unreadable { problem: Unreadable::TooLong, .. })
    }

    /// Whether UniPile says that it cannot do this for WhatsApp (501).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.status() == Some(501) || self.reason() == "feature_not_implemented"
    }
}

impl Refusal {
    fn class(self) -> Class {
        match self.status {
            408 | 409 => Class::Uncertain,
            400..=499 => Class::Certain(self.kind()),
            301 | 302 | 307 | 308 => Class::Certain(Kind::Configuration),
            _ => Class::Uncertain,
        }
    }

    fn kind(self) -> Kind {
        let by_status = || match self.status {
            300..=399 => Kind::Configuration,
            status => Kind::of_status(status),
        };
        match self.reason.kind().unwrap_or_else(by_status) {
            Kind::RateLimited { .. } => Kind::RateLimited { retry_after: self.retry_after },
            kind => kind,
        }
    }

    fn advice(self) -> &'static str {
        self.reason.text().unwrap_or(self.kind().text())
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniPile {}: ", self.route)?;
        match &self.failure {
            Failure::Unreachable { step, cause } => {
                write!(f, "unreachable ({}): {cause}", step.name())
            }
            Failure::Timeout => f.write_str("no answer in time"),
            Failure::Broken { cause } => write!(f, "the connection broke: {cause}"),
            Failure::Refused(refusal) => write!(f, "status {}, {}", refusal.status, refusal.reason),
            Failure::Unreadable { status, problem } => {
                write!(f, "status {status}, unreadable: {problem}")
            }
            Failure::TooLarge { limit } => write!(f, "more than {limit} bytes"),
            Failure::Unavailable => f.write_str("the file is marked as unavailable"),
            Failure::ForeignAccount => f.write_str("the answer is about another account"),
            Failure::Paused { retry_in } => write!(f, "paused for {} s", retry_in.as_secs()),
            Failure::File { cause } => write!(f, "a file to be sent cannot be read: {cause}"),
            Failure::Invalid(what) => write!(f, "not sent: {what}"),
        }
    }
}

impl std::error::Error for UpstreamError {}

impl ConnectStep {
    const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("no JSON"),
            Self::Shape(what) => write!(f, "{what} is missing or of another type"),
            Self::TooLong => f.write_str("too long"),
        }
    }
}
