use serde::Serialize;
use serde_json::Value;

use crate::engine::{Header, Subscription};

/// A subscription.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookView<'a> {
    object: &'static str,
    id: &'a str,
    account_ids: Vec<AccountRef<'a>>,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    request_url: &'a str,
    format: &'static str,
    headers: &'a [Header],
    data: &'a [Value],
    events: &'a [String],
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Asked for as a string, listed as an object.
#[derive(Debug, Serialize)]
struct AccountRef<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> From<&'a Subscription> for WebhookView<'a> {
    fn from(subscription: &'a Subscription) -> Self {
        let account = |(id, name): &'a (String, String)| AccountRef { id, name, kind: "WHATSAPP" };
        Self {
            object: "Webhook",
            id: &subscription.id,
            account_ids: subscription.accounts.iter().map(account).collect(),
            enabled: subscription.enabled,
            name: subscription.name.as_deref(),
            request_url: &subscription.request_url,
            format: "json",
            headers: &subscription.headers,
            data: &subscription.data,
            events: &subscription.events,
            kind: "AUTO",
        }
    }
}
