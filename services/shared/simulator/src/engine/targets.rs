//! Who gets webhooks: the receiver that was configured, and those who subscribed.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::task::JoinHandle;

use super::subscription::Subscription;
use crate::config::ConfigError;
use crate::deliver::{Deliverer, DeliveryConfig, Destination, Ledger};
use crate::event::Event;

/// One receiver.
#[derive(Debug)]
pub(crate) struct Target {
    /// What it asked for; the configured receiver gets everything.
    pub(crate) subscription: Option<Subscription>,
    deliverer: Deliverer,
}

/// All receivers. They share one ledger.
#[derive(Debug)]
pub(crate) struct Targets {
    list: RwLock<Vec<Arc<Target>>>,
    config: DeliveryConfig,
    ledger: Arc<Ledger>,
}

impl Targets {
    /// The configured receiver alone, or nobody when no address is configured.
    pub(crate) fn new(config: &DeliveryConfig) -> Result<Self, ConfigError> {
        let ledger = Arc::new(Ledger::new(config.keep_events));
        let mut list = Vec::new();
        if !config.target_url.is_empty() {
            let to = Destination::configured(config)?;
            let deliverer = Deliverer::new(to, config, Arc::clone(&ledger))?;
            list.push(Arc::new(Target { subscription: None, deliverer }));
        }
        Ok(Self { list: RwLock::new(list), config: config.clone(), ledger })
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn all(&self) -> Vec<Arc<Target>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a receiver. `None` when its address or a header is none.
    pub(crate) fn subscribe(&self, subscription: Subscription) -> Option<()> {
        let mut to = Destination::new(&subscription.request_url)?;
        for header in &subscription.headers {
            to = to.with_header(&header.key, &header.value)?;
        }
        let deliverer = Deliverer::new(to, &self.config, Arc::clone(&self.ledger)).ok()?;
        let target = Target { subscription: Some(subscription), deliverer };
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.push(Arc::new(target));
        Some(())
    }

    /// Whether there was such a subscription. What it was sent already is still delivered.
    pub(crate) fn unsubscribe(&self, id: &str) -> bool {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let before = list.len();
        list.retain(|target| target.subscription.as_ref().is_none_or(|s| *s.id != *id));
        list.len() < before
    }

    /// Sends an event to everybody who wants it.
    pub(crate) async fn send(&self, event: &Event) -> Vec<JoinHandle<()>> {
        let mut deliveries = Vec::new();
        for target in self.all() {
            let event = match &target.subscription {
                None => event.clone(),
                Some(subscription) if subscription.wants(event) => subscription.addressed(event),
                Some(_) => continue,
            };
            deliveries.extend(target.deliverer.send(event).await);
        }
        deliveries
    }

    /// Waits until every event is acknowledged or given up.
    pub(crate) async fn finish(&self) {
        for target in self.all() {
            target.deliverer.finish().await;
        }
    }

    /// Makes every event end with the attempt that is under way.
    pub(crate) fn stop(&self) {
        self.all().iter().for_each(|target| target.deliverer.stop());
    }
}
