//! Which account has to wait, and until when.

use std::collections::HashMap;
use std::time::Duration;

use channel_domain::media::wait_after;
use channel_domain::{AccountId, Micros};

use super::look::Went;

/// How long an account waits before it is looked again whether something more urgent waits.
const GIVES_WAY: Duration = Duration::from_secs(1);
/// How long pictures give way at most: a queue that never ends must not keep them out for ever.
const GIVES_WAY_AT_MOST: Duration = Duration::from_mins(1);

/// The turns of accounts. Kept in memory: a process that begins anew begins at the same pace.
#[derive(Debug)]
pub(super) struct Turns {
    spacing: Duration,
    waiting: HashMap<AccountId, Micros>,
    /// Since when an account gives way.
    giving: HashMap<AccountId, Micros>,
    /// Looks that failed one after the other: an outage is the account's, not one picture's.
    failing: HashMap<AccountId, u32>,
}

impl Turns {
    pub(super) fn new(per_minute: u32) -> Self {
        let spacing = Duration::from_mins(1) / per_minute.max(1);
        let (waiting, giving, failing) = Default::default();
        Self { spacing, waiting, giving, failing }
    }

    /// The accounts that have to wait.
    pub(super) fn waiting(&mut self, now: Micros) -> Vec<AccountId> {
        self.waiting.retain(|_, until| *until > now);
        self.waiting.keys().cloned().collect()
    }

    /// When the next one need not wait any more.
    pub(super) fn next(&self) -> Option<Micros> {
        self.waiting.values().min().copied()
    }

    /// Whether an account lets something more urgent go first.
    pub(super) fn gives_way(&mut self, account: &AccountId, now: Micros) -> bool {
        let since = *self.giving.entry(account.clone()).or_insert(now);
        let gives_way = now < since.plus(GIVES_WAY_AT_MOST);
        if gives_way {
            self.waiting.insert(account.clone(), now.plus(GIVES_WAY));
        }
        gives_way
    }

    /// A look has ended that began at `began`. `jitter` is between 0 and 1.
    pub(super) fn ended(
        &mut self,
        account: AccountId,
        began: Micros,
        now: Micros,
        went: Went,
        jitter: f64,
    ) {
        self.giving.remove(&account);
        let mut until = began.plus(self.spacing);
        match went {
            Went::Well => drop(self.failing.remove(&account)),
            Went::Badly { at_least } => {
                let failing = self.failing.entry(account.clone()).or_default();
                *failing = failing.saturating_add(1);
                let wait = wait_after(*failing, jitter).max(at_least.unwrap_or_default());
                until = until.max(now.plus(wait));
            }
        }
        self.waiting.insert(account, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn an_account_is_asked_at_its_pace_and_others_do_not_wait_for_it() {
        let mut turns = Turns::new(30);
        turns.ended("a".into(), Micros(0), Micros(SECOND), Went::Well, 1.0);
        assert_eq!(turns.next(), Some(Micros(2 * SECOND)));
        assert_eq!(turns.waiting(Micros(SECOND)), ["a".into()]);
        assert!(turns.waiting(Micros(2 * SECOND)).is_empty());
    }

    #[test]
    fn an_outage_makes_the_whole_account_wait_longer_and_longer() {
        let mut turns = Turns::new(60);
        let bad = |at_least| Went::Badly { at_least };
        turns.ended("a".into(), Micros(0), Micros(0), bad(None), 1.0);
        assert_eq!(turns.next(), Some(Micros(5 * SECOND)));
        turns.ended("a".into(), Micros(0), Micros(0), bad(None), 1.0);
        assert_eq!(turns.next(), Some(Micros(10 * SECOND)));
        turns.ended("a".into(), Micros(0), Micros(0), bad(Some(Duration::from_mins(1))), 1.0);
        assert_eq!(turns.next(), Some(Micros(60 * SECOND)));
        turns.ended("a".into(), Micros(0), Micros(0), Went::Well, 1.0);
        assert_eq!(turns.next(), Some(Micros(SECOND)));
    }

    #[test]
    fn pictures_give_way_for_a_while_and_not_for_ever() {
        let (mut turns, account) = (Turns::new(60), "a".into());
        assert!(turns.gives_way(&account, Micros(0)));
        assert!(turns.gives_way(&account, Micros(59 * SECOND)));
        assert!(!turns.gives_way(&account, Micros(60 * SECOND)));
        turns.ended(account.clone(), Micros(0), Micros(0), Went::Well, 1.0);
        assert!(turns.gives_way(&account, Micros(61 * SECOND)), "after one it is asked again");
    }
}
