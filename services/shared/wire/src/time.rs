//! Times.

use channel_domain::time::Micros;
use prost_types::Timestamp;

const MICROS: i64 = 1_000_000;

/// Microseconds since 1970 (UTC) as the contract writes them.
#[must_use]
pub fn timestamp(at: Micros) -> Timestamp {
    let nanos = at.0.rem_euclid(MICROS) * 1000;
    Timestamp { seconds: at.0.div_euclid(MICROS), nanos: i32::try_from(nanos).unwrap_or(0) }
}

/// A length of time in microseconds.
pub(super) fn duration(micros: i64) -> prost_types::Duration {
    let nanos = i32::try_from(micros % MICROS * 1000).unwrap_or(0);
    prost_types::Duration { seconds: micros / MICROS, nanos }
}

/// Reads a time of a request, rounded down to microseconds; `None` when it is outside of what the contract
/// allows (years 1 to 9999, nanoseconds below a second).
#[must_use]
pub fn micros(at: &Timestamp) -> Option<Micros> {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let nanos = u32::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    (FIRST..=LAST)
        .contains(&at.seconds)
        .then(|| Micros(at.seconds * MICROS + i64::from(nanos / 1000)))
}

pub(super) fn optional(at: Option<i64>) -> Option<Timestamp> {
    at.map(|at| timestamp(Micros(at)))
}
