//! Does what is on the agenda.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;

use super::Engine;
use super::agenda::Doing;
use crate::event::Event;
use crate::world::{Change, Content, Draft, MessageKey, World};

impl Engine {
    /// Does things when they are due, for ever.
    pub(crate) async fn work(&self) -> Infallible {
        loop {
            let doing = self.agenda.next().await;
            if let Some(event) = self.perform(doing) {
                self.dispatch(event).await;
            }
            self.beat();
        }
    }

    /// Whether all that was going to happen has happened, and the receivers know.
    pub(crate) fn is_settled(&self) -> bool {
        self.agenda.is_idle() && self.targets.ledger().counts().pending() == 0
    }

    fn perform(&self, doing: Doing) -> Option<Event> {
        let world = &mut *self.world.lock();
        let change = match doing {
            Doing::Send(event) => return Some(event),
            Doing::Receipt(key, receipt) => world.receive(key, receipt)?,
            Doing::Answer(key) => self.answer(world, key)?,
            Doing::Status(account, status) => {
                world.account_mut(account)?.grounded = !status.is_up();
                world.set_status(account, status, false)?
            }
            Doing::Scan(scan) => return self.scanned(world, &scan),
            Doing::Notify { url, body } => return self.call_back(url, body),
        };
        self.event(world, change, self.clock.tick(), None)
    }

    fn answer(&self, world: &mut World, to: MessageKey) -> Option<Change> {
        let message = world.read(to)?;
        let (order, text) = (message.order, message.content.text().unwrap_or_default());
        let answer = super::answer::to(text, self.config.seed, order);
        let others = world.chat(to.chat)?.others();
        let sender = *others.get(usize::try_from(order).ok()? % others.len().max(1))?;
        world.post(to.chat, Draft::new(sender, Content::Text(answer)), self.clock.tick())
    }

    /// Tells whoever had a page for signing in made how it went. Nothing depends on the answer.
    fn call_back(&self, url: String, body: Bytes) -> Option<Event> {
        self.callbacks.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
            let Ok(client) = client.build() else { return };
            let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
            if request.send().await.is_err() {
                tracing::warn!("the callback of a hosted link was not answered");
            }
        });
        None
    }
}
