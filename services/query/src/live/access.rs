//! What tenants' callers may see: read once for all their streams, and again every few seconds.

use super::config::millis;
use super::core::Core;
use super::hub::AccountRef;
use super::lock;
use super::meters::Meters;
use super::signal::Signal;
use async_trait::async_trait;
use channel_domain::ids::TenantId;
use channel_runtime::supervise::TaskError;
use channel_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// A stream that opens takes a list of this age, so that a thousand streams that come back at once cost a
/// few reads.
const FRESH: Duration = Duration::from_millis(250);

/// Knows which accounts a tenant has.
#[async_trait]
pub(super) trait Accounts: Send + Sync {
    async fn of(&self, tenant: &str) -> Result<Vec<AccountRef>, StoreError>;
}

/// The accounts in a store.
pub(super) struct StoreAccounts(pub(super) Arc<dyn Store>);

#[async_trait]
impl Accounts for StoreAccounts {
    async fn of(&self, tenant: &str) -> Result<Vec<AccountRef>, StoreError> {
        let rows = self.0.accounts(&TenantId::from(tenant)).await?;
        let account = |row: channel_store::reads::AccountRow| AccountRef {
            key: row.key,
            id: row.record.id.into(),
        };
        Ok(rows.into_iter().map(account).collect())
    }
}

/// The tenants that have streams.
pub(super) struct Directory {
    accounts: Arc<dyn Accounts>,
    tenants: Mutex<HashMap<Arc<str>, Arc<Tenant>>>,
    meters: Arc<Meters>,
}

#[derive(Debug, Default)]
struct Tenant {
    known: Mutex<Option<(Instant, Arc<[AccountRef]>)>>,
    listeners: Mutex<HashMap<u64, Arc<Signal>>>,
    flight: tokio::sync::Mutex<()>,
}

impl Directory {
    pub(super) fn new(accounts: Arc<dyn Accounts>, meters: Arc<Meters>) -> Self {
        Self { accounts, tenants: Mutex::default(), meters }
    }

    /// Tells a stream, from now on, that its tenant's accounts changed.
    pub(super) fn listen(&self, tenant: &Arc<str>, stream: u64, signal: &Arc<Signal>) {
        let mut tenants = lock(&self.tenants);
        let entry = tenants.entry(Arc::clone(tenant)).or_default();
        lock(&entry.listeners).insert(stream, Arc::clone(signal));
    }

    pub(super) fn leave(&self, tenant: &Arc<str>, stream: u64) {
        let mut tenants = lock(&self.tenants);
        if let Some(entry) = tenants.get(tenant) {
            let mut listeners = lock(&entry.listeners);
            listeners.remove(&stream);
            let empty = listeners.is_empty();
            drop(listeners);
            if empty {
                tenants.remove(tenant);
            }
        }
    }

    /// The tenant's accounts as last read.
    pub(super) fn known(&self, tenant: &Arc<str>) -> Arc<[AccountRef]> {
        let tenants = lock(&self.tenants);
        let known = tenants.get(tenant).and_then(|entry| {
            let known = lock(&entry.known);
            known.as_ref().map(|(_, accounts)| Arc::clone(accounts))
        });
        known.unwrap_or_default()
    }

    /// The tenant's accounts, read a moment ago at most.
    pub(super) async fn recent(&self, tenant: &Arc<str>) -> Result<Arc<[AccountRef]>, StoreError> {
        let now = Instant::now();
        self.since(tenant, now.checked_sub(FRESH).unwrap_or(now)).await
    }

    /// The tenant's accounts, read after this call began.
    pub(super) async fn present(&self, tenant: &Arc<str>) -> Result<Arc<[AccountRef]>, StoreError> {
        self.since(tenant, Instant::now()).await
    }

    async fn since(
        &self,
        tenant: &Arc<str>,
        least: Instant,
    ) -> Result<Arc<[AccountRef]>, StoreError> {
        let entry = Arc::clone(lock(&self.tenants).entry(Arc::clone(tenant)).or_default());
        let _flight = entry.flight.lock().await;
        if let Some((_, accounts)) = lock(&entry.known).as_ref().filter(|(at, _)| *at > least) {
            return Ok(Arc::clone(accounts));
        }
        let began = Instant::now();
        let accounts: Arc<[AccountRef]> = self.accounts.of(tenant).await?.into();
        let before = lock(&entry.known).replace((began, Arc::clone(&accounts)));
        if before.is_none_or(|(_, before)| before != accounts) {
            for signal in lock(&entry.listeners).values() {
                signal.access_changed();
            }
        }
        Ok(accounts)
    }

    /// The tenants that have streams; forgets the others.
    fn watched(&self) -> Vec<Arc<str>> {
        let mut tenants = lock(&self.tenants);
        tenants.retain(|_, entry| !lock(&entry.listeners).is_empty());
        tenants.keys().cloned().collect()
    }

    /// Reads all tenants' accounts again. One that cannot be read keeps what is known of it.
    async fn refresh(&self) {
        for tenant in self.watched() {
            if let Err(error) = self.present(&tenant).await {
                self.meters.store_failures.add(1);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "access cannot be checked"
                );
            }
        }
    }
}

/// Keeps the directory fresh until the streams have ended.
pub(super) async fn run(core: Arc<Core>) -> Result<(), TaskError> {
    let mut every = tokio::time::interval(millis(core.config.access_interval_ms.max(1)));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = core.finished.cancelled() => return Ok(()),
            _ = every.tick() => core.directory.refresh().await,
        }
    }
}
