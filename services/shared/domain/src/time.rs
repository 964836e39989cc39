//! Points in time, and the order in which facts were stored.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Microseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// From whole milliseconds, as UniPile writes its times.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Days since 1970, rounded down.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }

    /// How long it is until then; nothing, if that has passed.
    #[must_use]
    pub const fn after(self, now: Self) -> Duration {
        let micros = self.0.saturating_sub(now.0);
        Duration::from_micros(if micros > 0 { micros.unsigned_abs() } else { 0 })
    }

    /// So much later, or as late as there is.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The beginning of a day, in UTC.
    #[must_use]
    pub const fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(86_400_000_000))
    }
}

/// When and in which order a payload was stored.
///
/// UniPile's events carry no id and no usable time of their own, so facts that can truly repeat (an
/// edit, a reaction, an account's status) are ordered by this: it is fixed when the payload is stored
/// and is the same whenever, and however often, the payload is applied.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Stamp {
    /// When the payload was received.
    pub at: Micros,
    /// The id of its row in the inbox, which settles ties.
    pub inbox: i64,
}
