//! Numbers that nobody chose.

use std::hash::{BuildHasher as _, RandomState};

/// A number below this. A scenario that fails has to tell it.
#[must_use]
pub fn below(end: u64) -> u64 {
    RandomState::new().hash_one(()) % end.max(1)
}
