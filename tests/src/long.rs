//! Long forms of scenarios, for whom they are too long to be run each time.

use std::time::Duration;

/// The variable of the environment that asks for them, whatever it says.
pub const VARIABLE: &str = "CHANNEL_TESTS_LONG";

/// Whether scenarios that have a long form are to be run in it.
#[must_use]
pub fn is_wanted() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}

/// One of two sizes.
#[must_use]
pub fn either<T>(short: T, long: T) -> T {
    if is_wanted() { long } else { short }
}

/// Longer than anything takes on a slow machine.
#[must_use]
pub fn patience() -> Duration {
    either(Duration::from_mins(1), Duration::from_hours(1))
}
