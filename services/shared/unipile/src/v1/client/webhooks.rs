//! Calls about where UniPile pushes to.

use super::call::Call;
use super::read::{known, page, webhook};
use super::{Client, route};
use crate::upstream::{Answer, Page, Paging, Webhook, WebhookSettings, Webhooks};
use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

#[async_trait]
impl Webhooks for Client {
    async fn webhooks(&self, paging: &Paging) -> Answer<Page<Webhook>> {
        let call = Call::general(route::WEBHOOKS, &[]).page(paging);
        self.page(call, |root| page(root, webhook::webhook)).await
    }

    async fn create_webhook(&self, settings: &WebhookSettings) -> Answer<Option<String>> {
        let call = Call::general(route::CREATE_WEBHOOK, &[]).json(created(settings));
        self.object(call, |root| Ok(known(root, "webhook_id"))).await
    }

    async fn delete_webhook(&self, id: &str) -> Answer<()> {
        self.done(Call::general(route::DELETE_WEBHOOK, &[id])).await
    }
}

/// Without `data`, which would rename the keys of what is pushed. All events are named, for the default of a
/// source lacks some.
fn created(settings: &WebhookSettings) -> Value {
    let (source, events) = (settings.source.as_str(), settings.source.events());
    let mut headers = vec![json!({ "key": "Content-Type", "value": "application/json" })];
    let given = settings.headers.iter();
    headers.extend(given.map(|h| json!({ "key": h.name, "value": h.value.expose_secret() })));
    let mut body = json!({
        "source": source,
        "request_url": settings.url,
        "format": "json",
        "enabled": true,
        "headers": headers,
        "events": events,
    });
    if let Some(name) = &settings.name {
        body["name"] = json!(name);
    }
    if !settings.accounts.is_empty() {
        body["account_ids"] = json!(settings.accounts);
    }
    body
}
