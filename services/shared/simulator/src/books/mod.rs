//! What the API has accepted: the truth about what was asked for, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::mishap::Route;

/// A request that was accepted: it has its effect, whatever the caller was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Place in the ledger, from 1.
    pub number: u64,
    /// What was asked for.
    pub route: Route,
    /// The account it was about.
    pub account_id: Option<String>,
    /// The chat it was about.
    pub chat_id: Option<String>,
    /// The message that it made or changed.
    pub message_id: Option<String>,
    /// The text in it, the emoji, or the action.
    pub text: Option<String>,
    /// Files in it.
    pub files: usize,
    /// When it was accepted, by the world's clock.
    pub at: Timestamp,
    /// What went wrong with it on purpose.
    pub faults: Vec<String>,
}

/// Which entries are meant. What is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    /// Those after this place.
    pub after: u64,
    /// Those that asked for this.
    pub route: Option<Route>,
    /// Those about this account.
    pub account_id: Option<String>,
    /// Those about this chat.
    pub chat_id: Option<String>,
    /// Those about this message.
    pub message_id: Option<String>,
    /// Those with exactly this text.
    pub text: Option<String>,
}

/// How many calls of a route there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calls {
    /// Calls that were understood, refused ones included.
    pub received: u64,
    /// Those that were answered well.
    pub answered: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Accepted>,
    calls: BTreeMap<Route, Calls>,
}

impl Books {
    /// Enters what was accepted; its number is set here.
    pub(crate) fn enter(&self, mut entry: Accepted) {
        let mut inner = self.lock();
        entry.number = inner.entries.len() as u64 + 1;
        inner.entries.push(entry);
    }

    pub(crate) fn received(&self, route: Route) {
        self.lock().calls.entry(route).or_default().received += 1;
    }

    pub(crate) fn answered(&self, route: Route) {
        self.lock().calls.entry(route).or_default().answered += 1;
    }

    pub(crate) fn calls(&self) -> BTreeMap<Route, Calls> {
        self.lock().calls.clone()
    }

    pub(crate) fn matching(&self, which: &Which) -> Vec<Accepted> {
        self.lock().entries.iter().filter(|entry| which.means(entry)).cloned().collect()
    }

    pub(crate) fn count(&self, which: &Which) -> usize {
        self.lock().entries.iter().filter(|entry| which.means(entry)).count()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Which {
    fn means(&self, entry: &Accepted) -> bool {
        let same = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        entry.number > self.after
            && self.route.is_none_or(|route| route == entry.route)
            && same(&self.account_id, &entry.account_id)
            && same(&self.chat_id, &entry.chat_id)
            && same(&self.message_id, &entry.message_id)
            && same(&self.text, &entry.text)
    }
}
