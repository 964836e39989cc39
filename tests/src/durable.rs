//! What was shown must still be there after a crash.

use crate::history::Seen;
use std::collections::{BTreeMap, BTreeSet};

/// The numbers that were shown and are not stored: each is a promise broken by a crash.
#[must_use]
pub fn missing(shown: impl IntoIterator<Item = u64>, stored: &BTreeSet<u64>) -> Vec<u64> {
    shown.into_iter().filter(|seq| !stored.contains(seq)).collect()
}

/// The numbers of every account that a watcher was shown.
#[must_use]
pub fn shown(seen: &BTreeMap<String, Seen>) -> BTreeMap<String, Vec<u64>> {
    let numbers = |seen: &Seen| seen.changes.iter().map(|change| change.seq).collect();
    seen.iter().map(|(account, seen)| (account.clone(), numbers(seen))).collect()
}
