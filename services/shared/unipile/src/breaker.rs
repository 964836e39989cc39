//! Leaves UniPile alone while it fails, and looks carefully whether it is back.
//!
//! One breaker for each account, so that one number's trouble stops no other; and one for the host, because
//! a host that cannot be reached fails for all. Each opens after a number of failures in a row, stays open
//! for a while, and then lets single calls through until one succeeds.

use channel_domain::AccountId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Failures in a row that open it; 0 never opens it.
    pub failures: u32,
    /// How long it lets nothing through.
    pub open_for: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(15) }
    }
}

/// While a single call looks whether all is well, others come back after this.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// How a call that was let through ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// UniPile answered, be it with a refusal.
    Answered,
    /// The host could not be reached.
    HostFailed,
    /// The host was reached, and failed.
    AccountFailed,
}

/// The breakers of one host.
#[derive(Debug)]
pub struct Breakers {
    options: BreakerOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    host: Breaker,
    /// Only those with a failure, so that it stays small.
    accounts: HashMap<AccountId, Breaker>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
    probing: bool,
}

/// A call that was let through. Dropped without an outcome, it counts as nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    breakers: &'a Breakers,
    account: Option<AccountId>,
    probes_host: bool,
    probes_account: bool,
    outcome: Option<Outcome>,
}

impl Breakers {
    /// Breakers that are all closed.
    #[must_use]
    pub fn new(options: BreakerOptions) -> Self {
        Self { options, state: Mutex::default() }
    }

    /// Asks to call.
    ///
    /// # Errors
    ///
    /// If the host's or the account's breaker is open: how long until it is worth asking again.
    pub fn admit(&self, account: Option<&AccountId>) -> Result<Permit<'_>, Duration> {
        let now = Instant::now();
        let mut state = self.state();
        let closed = Breaker::default();
        let of_account = account.and_then(|account| state.accounts.get(account));
        let probes_host = state.host.may_pass(now)?;
        let probes_account = of_account.unwrap_or(&closed).may_pass(now)?;
        state.host.probing |= probes_host;
        if let Some(breaker) = account.and_then(|account| state.accounts.get_mut(account)) {
            breaker.probing |= probes_account;
        }
        let account = account.cloned();
        Ok(Permit { breakers: self, account, probes_host, probes_account, outcome: None })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, permit: &Permit<'_>) {
        let mut state = self.state();
        let State { host, accounts } = &mut *state;
        match permit.outcome {
            Some(Outcome::HostFailed) => host.fail(self.options, permit.probes_host, "host"),
            Some(_) => *host = Breaker::default(),
            None => host.probing &= !permit.probes_host,
        }
        let Some(account) = &permit.account else { return };
        if permit.outcome == Some(Outcome::AccountFailed) {
            let breaker = accounts.entry(account.clone()).or_default();
            breaker.fail(self.options, permit.probes_account, "account");
        } else if permit.outcome == Some(Outcome::Answered) {
            accounts.remove(account);
        } else if let Some(breaker) = accounts.get_mut(account) {
            breaker.probing &= !permit.probes_account;
        }
    }
}

impl Breaker {
    /// Whether a call may pass: as a probe, as any other, or not before a time.
    fn may_pass(&self, now: Instant) -> Result<bool, Duration> {
        match self.open_until {
            None => Ok(false),
            Some(until) if until > now => Err(until - now),
            Some(_) if self.probing => Err(PROBE_WAIT),
            Some(_) => Ok(true),
        }
    }

    fn fail(&mut self, options: BreakerOptions, is_probe: bool, scope: &'static str) {
        self.failures = self.failures.saturating_add(1);
        let opens = options.failures > 0 && self.failures >= options.failures;
        // A call that began before it opened says nothing new.
        if is_probe || opens && self.open_until.is_none() {
            metrics::counter!("channel_unipile_breaker_opened_total", "scope" => scope)
                .increment(1);
            self.open_until = Some(Instant::now() + options.open_for);
            self.probing = false;
        }
    }
}

impl Permit<'_> {
    /// Says how the call ended.
    pub fn settle(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breakers.settle(self);
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{AccountFailed, Answered, HostFailed};
    use super::*;

    const OPEN: Duration = Duration::from_secs(15);

    fn account(id: &str) -> AccountId {
        AccountId::from(id)
    }

    fn call(breakers: &Breakers, id: &str, outcome: Outcome) {
        breakers.admit(Some(&account(id))).unwrap().settle(outcome);
    }

    fn is_open(breakers: &Breakers, id: &str) -> bool {
        breakers.admit(Some(&account(id))).is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_five_failures_in_a_row_and_says_for_how_long() {
        let breakers = Breakers::new(BreakerOptions::default());
        for _ in 0..5 {
            call(&breakers, "a", AccountFailed);
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        let wait = breakers.admit(Some(&account("a"))).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_between_starts_the_count_anew_and_forgets_the_account() {
        let breakers = Breakers::new(BreakerOptions::default());
        for _ in 0..20 {
            (0..4).for_each(|_| call(&breakers, "a", AccountFailed));
            call(&breakers, "a", Answered);
        }
        assert!(!is_open(&breakers, "a"));
        assert!(breakers.state().accounts.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_in_trouble_stops_no_other() {
        let breakers = Breakers::new(BreakerOptions::default());
        (0..5).for_each(|_| call(&breakers, "a", AccountFailed));
        assert!(is_open(&breakers, "a"));
        assert!(!is_open(&breakers, "b"));
        assert!(breakers.admit(None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_cannot_be_reached_pauses_every_account() {
        let breakers = Breakers::new(BreakerOptions::default());
        for id in ["a", "b", "c", "d", "e"] {
            call(&breakers, id, HostFailed);
        }
        assert!(is_open(&breakers, "a") && is_open(&breakers, "never-seen"));
        assert!(breakers.admit(None).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_on_any_account_shows_that_the_host_is_there() {
        let breakers = Breakers::new(BreakerOptions::default());
        (0..4).for_each(|_| call(&breakers, "a", HostFailed));
        call(&breakers, "b", AccountFailed);
        (0..4).for_each(|_| call(&breakers, "a", HostFailed));
        assert!(!is_open(&breakers, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_one_call_at_a_time_decides() {
        let breakers = Breakers::new(BreakerOptions::default());
        (0..5).for_each(|_| call(&breakers, "a", AccountFailed));
        tokio::time::advance(OPEN).await;
        let a = account("a");
        let probe = breakers.admit(Some(&a)).unwrap();
        assert_eq!(breakers.admit(Some(&a)).unwrap_err(), PROBE_WAIT);
        probe.settle(AccountFailed);
        assert_eq!(breakers.admit(Some(&a)).unwrap_err(), OPEN);
        tokio::time::advance(OPEN).await;
        breakers.admit(Some(&a)).unwrap().settle(Answered);
        assert!(!is_open(&breakers, "a"));
        (0..4).for_each(|_| call(&breakers, "a", AccountFailed));
        assert!(!is_open(&breakers, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_cancelled_leaves_room_for_the_next() {
        let breakers = Breakers::new(BreakerOptions::default());
        let a = account("a");
        (0..5).for_each(|_| call(&breakers, "a", AccountFailed));
        (0..5).for_each(|_| call(&breakers, "b", HostFailed));
        tokio::time::advance(OPEN).await;
        drop(breakers.admit(Some(&a)).unwrap());
        breakers.admit(Some(&a)).unwrap().settle(Answered);
        assert!(!is_open(&breakers, "a") && !is_open(&breakers, "b"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_is_refused_takes_no_probe_from_the_host() {
        let breakers = Breakers::new(BreakerOptions::default());
        (0..5).for_each(|_| call(&breakers, "b", HostFailed));
        tokio::time::advance(Duration::from_secs(10)).await;
        breakers.state().accounts.insert(
            account("a"),
            Breaker { failures: 5, open_until: Some(Instant::now() + OPEN), probing: false },
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(is_open(&breakers, "a"));
        breakers.admit(Some(&account("b"))).unwrap().settle(Answered);
        assert!(!is_open(&breakers, "b"));
    }

    #[tokio::test(start_paused = true)]
    async fn late_failures_of_calls_under_way_do_not_prolong_it() {
        let breakers = Breakers::new(BreakerOptions::default());
        let a = account("a");
        let late: Vec<_> = (0..3).map(|_| breakers.admit(Some(&a)).unwrap()).collect();
        (0..5).for_each(|_| call(&breakers, "a", AccountFailed));
        tokio::time::advance(Duration::from_secs(14)).await;
        for permit in late {
            permit.settle(AccountFailed);
        }
        assert_eq!(breakers.admit(Some(&a)).unwrap_err(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_switches_it_off() {
        let breakers = Breakers::new(BreakerOptions { failures: 0, open_for: OPEN });
        (0..50).for_each(|_| call(&breakers, "a", AccountFailed));
        assert!(!is_open(&breakers, "a"));
    }
}
