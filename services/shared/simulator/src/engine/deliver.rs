//! From a change to the webhooks that tell of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::agenda::Doing;
use super::{Engine, Missed};
use crate::event::Event;
use crate::webhook;
use crate::world::{Change, World};

impl Engine {
    /// The webhook that tells of a change.
    pub(super) fn event(
        &self,
        world: &World,
        change: Change,
        at: Timestamp,
        text: Option<&str>,
    ) -> Option<Event> {
        let webhook = webhook::render_as(world, change, at, text)?;
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        Some(webhook.into_event(number, at))
    }

    /// Has a change told of, after a while.
    pub(super) fn tell(&self, world: &World, change: Change, at: Timestamp, after: Duration) {
        if let Some(event) = self.event(world, change, at, None) {
            self.agenda.add(Instant::now() + after, Doing::Send(event));
        }
    }

    /// Sends an event to all who want it, unless its account is down. Waits while too much is
    /// outstanding; what is returned ends when the receivers have it.
    pub(crate) async fn dispatch(&self, event: Event) -> Vec<JoinHandle<()>> {
        if event.status.is_none() && self.is_withheld(&event) {
            return Vec::new();
        }
        let mut deliveries = self.targets.send(&event).await;
        if event.status.is_some_and(crate::AccountStatus::is_up) {
            for missed in self.take_held(&event.account_id) {
                deliveries.extend(self.targets.send(&missed).await);
            }
        }
        deliveries
    }

    /// UniPile tells of no message while an account is down, and of none of a deleted one at all.
    fn is_withheld(&self, event: &Event) -> bool {
        if self.config.api.is_none() {
            return false;
        }
        let grounded = {
            let world = self.world.lock();
            let Some(key) = world.find_account(&event.account_id) else { return true };
            world.account(key).is_none_or(|account| account.grounded)
        };
        if grounded && self.behaviour().missed == Missed::SentLater {
            let account = Arc::clone(&event.account_id);
            self.held().entry(account).or_default().push(event.clone());
        }
        grounded
    }

    /// What was withheld, once the account is back for good.
    fn take_held(&self, account: &Arc<str>) -> Vec<Event> {
        let world = self.world.lock();
        let key = world.find_account(account);
        let grounded = key.and_then(|key| world.account(key)).is_none_or(|a| a.grounded);
        drop(world);
        if grounded { Vec::new() } else { self.held().remove(account).unwrap_or_default() }
    }
}
