//! Connecting accounts, connecting them again, and removing them.
//!
//! | part | what it does |
//! |---|---|
//! | [`Connections`] | checks who asks and for what, and begins |
//! | `attempt` | shows codes until one is scanned, somebody else is faster, or time is up |
//! | `codes` | asks UniPile for a code |
//! | `hosted` | the same by UniPile's own sign-in page |
//! | `remove`, `removal` | has UniPile remove accounts; those to be erased however long that takes |
//! | `settle` | makes sure that the account is the one that was meant, and the only one of its number |
//!
//! An attempt lives in one task of one process. What must outlive it lies in the database: the claim, by which the
//! account finds its owner whoever hears of it first, and by which a newer attempt ends an older one.

mod attempt;
mod codes;
mod erase;
mod hosted;
mod removal;
mod remove;
mod settle;
mod step;

use std::sync::Arc;
use std::time::Duration;

use channel_domain::account::Connection;
use channel_domain::{AccountId, Micros, TenantId};
use channel_runtime::clock::Clock;
use channel_runtime::identity::Identity;
use channel_store::outbox::{AccountNews, Command};
use channel_store::reads::AccountRow;
use channel_store::{Store, StoreError};
use channel_unipile::upstream::{ConnectOptions, Upstream};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::MessagingConfig;
use crate::dispatch::account_news;
use crate::error::MessagingError;
use attempt::Attempt;
pub(crate) use hosted::Following;
pub use hosted::{Confirmer, HostedAsk, HostedMade};
pub use removal::Remover;
pub use step::{LinkFailure, LinkReason, LinkStep};

/// The longest wait until UniPile is asked again that did not answer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Most attempts under way in a process; each asks UniPile for a code now and then.
const MOST_ATTEMPTS: usize = 32;

type Answer<T> = Result<T, MessagingError>;

/// The steps of an attempt. Dropping them withdraws it.
pub type Steps = mpsc::Receiver<Answer<LinkStep>>;

/// What remains to be done of an attempt.
#[must_use = "nothing more happens without it"]
pub struct Run(Option<Attempt>);

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Run").finish_non_exhaustive()
    }
}

impl Run {
    /// Goes on until the account is connected, or cannot be, or nobody looks any more.
    pub async fn to_the_end(self) {
        if let Some(attempt) = self.0 {
            attempt.run().await;
        }
    }
}

/// Which account is connected.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// A new one.
    New {
        /// Who will own it.
        tenant: TenantId,
        /// What it is called here.
        name: Option<String>,
    },
    /// One that is here.
    Again {
        /// The account.
        account: AccountId,
        /// Who owns it.
        tenant: TenantId,
    },
}

/// How a phone is asked to link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// It scans a code.
    Qr,
    /// A code is typed into it. The number, where it is not known.
    Pairing(Option<String>),
}

/// Connects accounts. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    store: Arc<dyn Store>,
    upstream: Option<Arc<dyn Upstream>>,
    clock: Arc<dyn Clock>,
    config: Arc<MessagingConfig>,
    /// Where UniPile reports to after somebody used its sign-in page; the token follows.
    callbacks: Option<String>,
    stop: CancellationToken,
    attempts: Arc<Semaphore>,
    /// Told whenever an erasure was asked for here.
    erasing: Arc<Notify>,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl Connections {
    /// Over a store and an upstream. Attempts that are under way end with `stop`. `callbacks` is the address that UniPile
    /// reports to after somebody used its sign-in page, up to the token; without it there are no links to that.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        upstream: Option<Arc<dyn Upstream>>,
        clock: Arc<dyn Clock>,
        config: Arc<MessagingConfig>,
        callbacks: Option<String>,
        stop: CancellationToken,
    ) -> Self {
        let attempts = Arc::new(Semaphore::new(MOST_ATTEMPTS));
        let erasing = Arc::new(Notify::new());
        let shared = Shared { store, upstream, clock, config, callbacks, stop, attempts, erasing };
        Self { shared: Arc::new(shared) }
    }

    /// Told whenever an erasure was asked for here.
    #[must_use]
    pub fn erase_wake(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.erasing)
    }

    /// Begins to connect a number. The rest of the attempt is to be run.
    ///
    /// # Errors
    ///
    /// As the contract says of `ConnectAccount`.
    pub async fn connect(
        &self,
        caller: &Identity,
        name: Option<String>,
        method: Method,
    ) -> Answer<(Steps, Run)> {
        if caller.accounts.is_some() {
            return Err(MessagingError::TokenLimited);
        }
        let tenant = TenantId::new(&*caller.tenant);
        let options = self.shared.options(method, None)?;
        // Where the number is known beforehand, UniPile need not make a second account first.
        let phone = options.pairing_phone.as_ref().map(|digits| format!("+{digits}"));
        let taken = match &phone {
            Some(phone) => self.shared.taken_here(&tenant, phone, None).await?,
            None => None,
        };
        let purpose = Purpose::New { tenant, name };
        self.begin(purpose, options, taken.map(LinkStep::Failed)).await
    }

    /// Begins to connect an account again.
    ///
    /// # Errors
    ///
    /// As the contract says of `ReconnectAccount`.
    pub async fn reconnect(
        &self,
        caller: &Identity,
        account: AccountId,
        method: Method,
    ) -> Answer<(Steps, Run)> {
        let row = self.shared.staying(caller, &account).await?;
        let options = self.shared.options(method, row.record.phone.as_deref())?;
        let running = self.shared.is_running(&account).await?;
        let done = if running {
            Some(LinkStep::Completed(Box::new(self.shared.row(&account).await?)))
        } else {
            None
        };
        let purpose = Purpose::Again { account, tenant: row.tenant };
        self.begin(purpose, options, done).await
    }

    /// The steps; with `last` there is nothing more to do.
    async fn begin(
        &self,
        purpose: Purpose,
        options: ConnectOptions,
        last: Option<LinkStep>,
    ) -> Answer<(Steps, Run)> {
        let (sender, steps) = mpsc::channel(4);
        let attempt = match last {
            Some(step) => {
                count(if matches!(step, LinkStep::Failed(_)) {
                    "ALREADY_CONNECTED"
                } else {
                    "connected"
                });
                // There is room: nothing was sent before.
                let _ = sender.try_send(Ok(step));
                None
            }
            None => Some(Attempt::begin(Arc::clone(&self.shared), purpose, options, sender).await?),
        };
        Ok((steps, Run(attempt)))
    }
}

impl Shared {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    fn after(&self, wait: Duration) -> Micros {
        self.now().plus(wait)
    }

    /// How long to wait for UniPile, which was asked so many times before in vain.
    fn again(&self, tried: u32) -> Duration {
        self.config.upstream_retry().saturating_mul(1 << tried.min(16)).min(LONGEST_WAIT)
    }

    fn upstream(&self) -> Answer<&Arc<dyn Upstream>> {
        self.upstream.as_ref().ok_or(MessagingError::NotConfigured)
    }

    /// An account that exists for a caller.
    async fn seen(&self, caller: &Identity, id: &AccountId) -> Answer<AccountRow> {
        let account = self.store.account(id).await?;
        let seen = account.filter(|it| caller.may_see(it.tenant.as_str(), &it.record.id));
        seen.ok_or(MessagingError::AccountNotFound)
    }

    /// The same, unless it is removed or about to be.
    async fn staying(&self, caller: &Identity, id: &AccountId) -> Answer<AccountRow> {
        let row = self.seen(caller, id).await?;
        let is_gone = is_in(&row, Connection::Deleted) || self.is_leaving(id).await?;
        if is_gone { Err(MessagingError::AccountRemoved) } else { Ok(row) }
    }

    async fn row(&self, id: &AccountId) -> Answer<AccountRow> {
        self.store.account(id).await?.ok_or(MessagingError::AccountNotFound)
    }

    /// How UniPile is asked; `known` is the number that a known account has.
    fn options(&self, method: Method, known: Option<&str>) -> Answer<ConnectOptions> {
        self.upstream()?;
        let Method::Pairing(phone) = method else { return Ok(ConnectOptions::default()) };
        if !self.config.pairing_codes {
            return Err(MessagingError::PairingDisabled);
        }
        let phone = phone.as_deref().or(known).ok_or(MessagingError::PhoneUnknown)?;
        let digits = phone.trim_start_matches('+').to_owned();
        Ok(ConnectOptions { pairing_phone: Some(digits), ..ConnectOptions::default() })
    }

    /// Whether UniPile says that an account runs, in which case nobody needs to scan anything.
    async fn is_running(&self, account: &AccountId) -> Answer<bool> {
        let asked_at = self.now();
        match self.upstream()?.account(account).await {
            Ok(state) => {
                let running = state.is_running();
                self.learn(account, account_news(state, asked_at)).await?;
                Ok(running)
            }
            Err(error) if error.is_not_found() => Err(MessagingError::AccountRemoved),
            Err(error) => Err(codes::fault(&error)),
        }
    }

    async fn learn(&self, account: &AccountId, news: AccountNews) -> Result<(), StoreError> {
        let (learn, rules) = (Command::LearnAccount(news), self.config.rules());
        self.store.command(account, learn, &rules, self.now(), None).await.map(drop)
    }
}

fn is_in(row: &AccountRow, connection: Connection) -> bool {
    row.record.connection == i32::from(connection as i16)
}

fn count(outcome: &'static str) {
    metrics::counter!("channel_messaging_links_total", "outcome" => outcome).increment(1);
}
