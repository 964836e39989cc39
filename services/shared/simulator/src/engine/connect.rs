//! Accounts that come, go and come back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::Engine;
use super::agenda::Doing;
use crate::dice::{Dice, purpose};
use crate::event::Event;
use crate::world::{AccountKey, AccountStatus, World};

/// QR codes that are shown at the moment, by the id of the account they are for.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    made: u64,
    open: HashMap<Arc<str>, Attempt>,
}

#[derive(Debug)]
struct Attempt {
    number: u64,
    expires: Instant,
    /// The account that comes back; a new one otherwise.
    account: Option<AccountKey>,
    notify: Option<Notify>,
}

/// Whom to tell that an account is there.
#[derive(Debug, Clone)]
pub(crate) struct Notify {
    pub(crate) url: String,
    pub(crate) name: Option<String>,
    /// How often.
    pub(crate) calls: u32,
}

/// A code is scanned.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    id: Arc<str>,
    number: u64,
    how: How,
}

/// By whom, and with what luck.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct How {
    /// The digits of the phone's number; one of its own for each new account otherwise.
    pub(crate) phone: Option<String>,
    /// WhatsApp does not link the phone.
    pub(crate) refused: bool,
}

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt that is open for an account, if it is this one.
    fn take(&self, id: &str, number: u64) -> Option<Attempt> {
        let mut inner = self.lock();
        inner.open.get(id).filter(|attempt| attempt.number == number)?;
        inner.open.remove(id).filter(|attempt| attempt.expires > Instant::now())
    }
}

impl Engine {
    /// Shows a QR code, for an account that is there already or for a new one. Returns the account's
    /// id and the text to encode. An earlier code for the same account is void.
    pub(crate) fn show_code(
        &self,
        account: Option<AccountKey>,
        notify: Option<Notify>,
    ) -> (Arc<str>, String) {
        let id = {
            let world = &mut *self.world.lock();
            let known = account.and_then(|key| world.account(key)).map(|a| Arc::clone(&a.id));
            known.unwrap_or_else(|| world.ids().unipile())
        };
        let (behaviour, now) = (self.behaviour(), Instant::now());
        let mut inner = self.attempts.lock();
        inner.made += 1;
        let number = inner.made;
        let expires = now + Duration::from_millis(behaviour.attempt_ms);
        inner.open.insert(Arc::clone(&id), Attempt { number, expires, account, notify });
        drop(inner);
        if let Some(after) = behaviour.scan_after_ms {
            let scanned = now + Duration::from_millis(after);
            let (id, how) = (Arc::clone(&id), How::default());
            self.agenda.add(scanned, Doing::Scan(Scan { id, number, how }));
        }
        let code = format!("2@simulated{number}/{id},{id}=");
        (id, code)
    }

    /// Scans the code that is shown for an account. False when there is none.
    pub(crate) fn scan(&self, id: &str, how: How) -> bool {
        let open =
            self.attempts.lock().open.get_key_value(id).map(|(id, a)| (id.clone(), a.number));
        let Some((id, number)) = open else { return false };
        self.agenda.add(Instant::now(), Doing::Scan(Scan { id, number, how }));
        true
    }

    /// Takes back a code that nobody has scanned. False when there is none.
    pub(crate) fn withdraw(&self, id: &str) -> bool {
        self.attempts.lock().open.remove(id).is_some()
    }

    /// A code was scanned: the account is there, and its states follow one after another.
    pub(super) fn scanned(&self, world: &mut World, scan: &Scan) -> Option<Event> {
        let Scan { id, number, how } = scan;
        let attempt = self.attempts.take(id, *number)?;
        let (now, outcome) = (Instant::now(), attempt.account.is_some());
        let (key, first) = match attempt.account {
            Some(key) => (key, AccountStatus::Reconnected),
            None => (self.create(world, id, *number), AccountStatus::CreationSuccess),
        };
        if how.refused {
            let status =
                if outcome { AccountStatus::Credentials } else { AccountStatus::CreationFail };
            world.set_status(key, status, false);
            self.agenda.add(now, Doing::Status(key, status));
            self.report(attempt.notify, AccountStatus::CreationFail, id);
            return None;
        }
        if let Some(phone) = &how.phone {
            world.account_mut(key)?.owner_has(phone);
        }
        self.agenda.add(now, Doing::Status(key, first));
        self.agenda.add(now, Doing::Status(key, AccountStatus::Ok));
        if !outcome {
            let synced = now + Duration::from_millis(self.behaviour().sync_ms);
            self.agenda.add(synced, Doing::Status(key, AccountStatus::SyncSuccess));
        }
        self.report(attempt.notify, first, id);
        None
    }

    /// Calls back whoever had a page for signing in made.
    fn report(&self, notify: Option<Notify>, status: AccountStatus, id: &str) {
        let Some(Notify { url, name, calls }) = notify else { return };
        let body = json!({ "status": status, "account_id": id, "name": name });
        let body = Bytes::from(body.to_string());
        for _ in 0..calls {
            let (url, body) = (url.clone(), body.clone());
            self.agenda.add(Instant::now(), Doing::Notify { url, body });
        }
    }

    fn create(&self, world: &mut World, id: &Arc<str>, number: u64) -> AccountKey {
        let dice = &mut Dice::new(self.config.seed, purpose::CONNECT | number);
        world.add_account(Some(Arc::clone(id)), &self.config, dice, self.clock.now())
    }

    /// Gives an account a state by hand; it keeps it until another one is given.
    pub(crate) fn set_status(&self, key: AccountKey, status: AccountStatus) {
        let world = &mut *self.world.lock();
        if let Some(account) = world.account_mut(key) {
            account.grounded = !status.is_up();
        }
        if let Some(change) = world.set_status(key, status, false) {
            self.tell(world, change, self.clock.now(), Duration::ZERO);
        }
        self.beat();
    }
}
