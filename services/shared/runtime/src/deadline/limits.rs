//! How long a method may take.

use std::time::Duration;

/// How long the calls of one method may take; `None` means for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Until the response begins.
    pub begin: Option<Duration>,
    /// Until the end of the response, when the caller names no deadline.
    pub default: Option<Duration>,
    /// Until the end of the response, whatever the caller names.
    pub ceiling: Option<Duration>,
}

impl Limits {
    /// A call without a deadline gets the default, and none gets more than the ceiling.
    #[must_use]
    pub fn unary(default: Duration, ceiling: Duration) -> Self {
        Self { begin: None, default: Some(default), ceiling: Some(ceiling) }
    }

    /// The deadline that the caller names, or none.
    #[must_use]
    pub fn stream() -> Self {
        Self::default()
    }

    /// Like [`Self::stream`], with a limit on how long nothing may be answered at all.
    #[must_use]
    pub fn stream_that_begins_within(begin: Duration) -> Self {
        Self { begin: Some(begin), ..Self::default() }
    }

    pub(super) fn whole(self, asked: Option<Duration>) -> Option<Duration> {
        earliest(asked.or(self.default), self.ceiling)
    }
}

pub(super) fn earliest<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
