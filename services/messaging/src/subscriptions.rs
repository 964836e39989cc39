//! Keeps UniPile telling us: the webhooks that it pushes to are made, looked at from time to time, and made anew
//! when they are gone, switched off, or not as they must be.
//!
//! Ours are known by their address and name. Others are left alone, also with the same address: a webhook that
//! comes twice is stored once. There is no way to change one, so a new one is made before the old one goes: a
//! moment with two costs nothing, a moment without one costs messages.

use std::sync::Arc;
use std::time::Duration;

use channel_runtime::supervise::{Rounds, TaskError};
use channel_unipile::upstream::{
    Paging, Upstream, UpstreamError, Webhook, WebhookHeader, WebhookSettings, WebhookSource,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

/// Most pages of webhooks that are read; nobody has so many.
const MOST_PAGES: usize = 50;

/// What our webhooks must be.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Where to, as UniPile reaches it.
    pub url: String,
    /// The header with the secret.
    pub header: String,
    /// The secret.
    pub secret: SecretString,
}

/// Looks after our webhooks at UniPile.
#[derive(Clone)]
pub struct Subscriptions {
    upstream: Arc<dyn Upstream>,
    wanted: Subscription,
    every: Duration,
}

impl std::fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}

impl Subscriptions {
    /// Looks at them now, and then as often as this.
    #[must_use]
    pub const fn new(upstream: Arc<dyn Upstream>, wanted: Subscription, every: Duration) -> Self {
        Self { upstream, wanted, every }
    }

    /// Looks after them until `stop`.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut rounds = Rounds::default();
        while !stop.is_cancelled() {
            let repaired = self.repair().await;
            if repaired.is_err() {
                count("failed");
            }
            let repaired = repaired.map(|()| self.every);
            let rest = rounds.rest(repaired, "the webhooks at UniPile cannot be looked after");
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        Ok(())
    }

    /// Makes what is missing, and removes what must not stay.
    async fn repair(&self) -> Result<(), UpstreamError> {
        let there = self.listed().await?;
        // One that cannot be repaired keeps no other from it.
        let [messaging, status] = WebhookSource::ALL;
        let first = self.repair_one(messaging, &there).await;
        self.repair_one(status, &there).await.and(first)
    }

    async fn repair_one(
        &self,
        source: WebhookSource,
        there: &[Webhook],
    ) -> Result<(), UpstreamError> {
        let Repair { make, remove } = self.wanted.repair(source, there);
        if make {
            self.upstream.create_webhook(&self.wanted.settings(source)).await?;
            count("created");
            tracing::info!(source = source.as_str(), "a webhook was made at UniPile");
        }
        for id in remove {
            match self.upstream.delete_webhook(&id).await {
                Ok(()) => count("deleted"),
                // Somebody else was faster.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn listed(&self) -> Result<Vec<Webhook>, UpstreamError> {
        let mut there = Vec::new();
        let mut paging = Paging { cursor: None, limit: 100 };
        for _ in 0..MOST_PAGES {
            let page = self.upstream.webhooks(&paging).await?;
            there.extend(page.items);
            paging.cursor = page.next;
            if paging.cursor.is_none() {
                break;
            }
        }
        Ok(there)
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("channel_messaging_webhooks_total", "outcome" => outcome).increment(1);
}

/// What there is to do about one source.
#[derive(Debug, PartialEq, Eq)]
struct Repair {
    make: bool,
    remove: Vec<String>,
}

impl Subscription {
    fn name(source: WebhookSource) -> String {
        format!("channel {}", source.as_str())
    }

    fn settings(&self, source: WebhookSource) -> WebhookSettings {
        WebhookSettings {
            source,
            url: self.url.clone(),
            name: Some(Self::name(source)),
            accounts: Vec::new(),
            headers: vec![WebhookHeader { name: self.header.clone(), value: self.secret.clone() }],
        }
    }

    /// Of several good ones the least id stays, so that processes that look at the same time agree.
    fn repair(&self, source: WebhookSource, there: &[Webhook]) -> Repair {
        let name = Self::name(source);
        let is_ours =
            |it: &&Webhook| it.name.as_ref() == Some(&name) && it.url.as_ref() == Some(&self.url);
        let ours: Vec<_> = there.iter().filter(is_ours).collect();
        let good = ours.iter().filter(|it| self.is_good(source, it)).map(|it| &it.id).min();
        let rest = ours.iter().map(|it| &it.id).filter(|id| Some(*id) != good);
        Repair { make: good.is_none(), remove: rest.cloned().collect() }
    }

    fn is_good(&self, source: WebhookSource, it: &Webhook) -> bool {
        let has = |name: &str, value: &str| {
            it.headers.iter().any(|header| {
                header.name.eq_ignore_ascii_case(name) && header.value.expose_secret() == value
            })
        };
        it.enabled != Some(false)
            && it.accounts.is_empty()
            && source.events().iter().all(|event| it.events.iter().any(|it| it == event))
            && has(&self.header, self.secret.expose_secret())
            && has("Content-Type", "application/json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: WebhookSource = WebhookSource::Messaging;

    fn wanted() -> Subscription {
        Subscription {
            url: "https://inbox.example.com/api/v1/webhooks/unipile/".into(),
            header: "Unipile-Auth".into(),
            secret: SecretString::from("a secret"),
        }
    }

    fn header(name: &str, value: &str) -> WebhookHeader {
        WebhookHeader { name: name.into(), value: SecretString::from(value) }
    }

    fn good(id: &str) -> Webhook {
        Webhook {
            id: id.into(),
            name: Some("channel messaging".into()),
            url: Some(wanted().url),
            enabled: Some(true),
            accounts: vec![],
            events: SOURCE.events().iter().map(ToString::to_string).collect(),
            headers: vec![
                header("content-type", "application/json"),
                header("Unipile-Auth", "a secret"),
            ],
        }
    }

    fn repair(there: &[Webhook]) -> (bool, Vec<String>) {
        let Repair { make, remove } = wanted().repair(SOURCE, there);
        (make, remove)
    }

    #[test]
    fn a_good_one_stays_and_a_missing_one_is_made() {
        assert_eq!(repair(&[]), (true, vec![]));
        assert_eq!(repair(&[good("a")]), (false, vec![]));
        assert_eq!(
            repair(&[good("b"), good("a")]),
            (false, vec!["b".into()]),
            "the least id stays"
        );
    }

    #[test]
    fn one_that_would_lose_something_is_replaced() {
        let spoil: [fn(&mut Webhook); 6] = [
            |it| it.enabled = Some(false),
            |it| it.accounts = vec!["only this one".into()],
            |it| drop(it.events.pop()),
            |it| it.events.clear(),
            |it| it.headers[1] = header("Unipile-Auth", "an old secret"),
            |it| drop(it.headers.remove(0)),
        ];
        for (number, spoil) in spoil.into_iter().enumerate() {
            let mut bad = good("a");
            spoil(&mut bad);
            assert_eq!(repair(&[bad]), (true, vec!["a".into()]), "{number}");
        }
    }

    #[test]
    fn those_of_others_are_left_alone() {
        let named = Webhook { name: Some("mine".into()), ..good("a") };
        let elsewhere = Webhook { url: Some("https://other.example.com/".into()), ..good("b") };
        assert_eq!(repair(&[named, elsewhere]), (true, vec![]));
    }
}
