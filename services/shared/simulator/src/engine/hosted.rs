use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::Notify;
use crate::world::AccountKey;

/// Links to pages for signing in.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<String, Link>>);

/// One link.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The account that is to come back; a new one otherwise.
    pub(crate) account: Option<AccountKey>,
    pub(crate) notify: Option<Notify>,
    pub(crate) success: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) expires: Timestamp,
}

impl Links {
    pub(crate) fn add(&self, token: String, link: Link) {
        self.lock().insert(token, link);
    }

    /// A link that can still be used.
    pub(crate) fn get(&self, token: &str, now: Timestamp) -> Option<Link> {
        self.lock().get(token).filter(|link| link.expires > now).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Link>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
