use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Event, Kind};
use crate::webhook::WEBHOOK_NAME;
use crate::world::AccountStatus;

/// What a receiver asked for over the API.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: Arc<str>,
    pub(crate) request_url: String,
    pub(crate) source: Source,
    pub(crate) name: Option<String>,
    /// Accounts by id, with their names; empty means all.
    pub(crate) accounts: Vec<(String, String)>,
    pub(crate) enabled: bool,
    pub(crate) headers: Vec<Header>,
    /// Kept for those who list it; no key is renamed.
    pub(crate) data: Vec<Value>,
    pub(crate) events: Vec<String>,
}

/// Which webhooks a subscription is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Messaging,
    AccountStatus,
    Users,
}

/// A header that goes with each delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The events of the source `messaging`.
pub(crate) const MESSAGING_EVENTS: [&str; 6] = [
    "message_received",
    "message_read",
    "message_reaction",
    "message_edited",
    "message_deleted",
    "message_delivered",
];

impl Source {
    /// What is sent when a subscription names no events.
    pub(crate) fn default_events(self) -> &'static [&'static str] {
        match self {
            Self::Messaging => &["message_received"],
            Self::AccountStatus => &[
                "creation_success",
                "creation_fail",
                "deleted",
                "reconnected",
                "sync_success",
                "error",
                "credentials",
                "permissions",
            ],
            Self::Users => &["new_relation"],
        }
    }

    pub(crate) fn knows(self, event: &str) -> bool {
        match self {
            Self::Messaging => MESSAGING_EVENTS.contains(&event),
            Self::AccountStatus => {
                let name = Value::String(event.to_uppercase());
                serde_json::from_value::<AccountStatus>(name).is_ok()
            }
            Self::Users => event == "new_relation",
        }
    }
}

impl Subscription {
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let about = self.accounts.is_empty()
            || self.accounts.iter().any(|(id, _)| **id == *event.account_id);
        let (source, name) = topic(event);
        self.enabled && about && self.source == source && self.events.contains(&name)
    }

    /// The event with this subscription's name in it.
    pub(crate) fn addressed(&self, event: &Event) -> Event {
        let Some(name) = &self.name else { return event.clone() };
        let name = Value::String(name.clone());
        let ours = format!("\"webhook_name\":\"{WEBHOOK_NAME}\"");
        let theirs = format!("\"webhook_name\":{name}");
        Event { body: replaced(&event.body, &ours, &theirs), ..event.clone() }
    }
}

/// Replaces the first occurrence. Inside of a JSON text there is no bare quote, so that what people
/// write is never taken for a key.
fn replaced(body: &Bytes, ours: &str, theirs: &str) -> Bytes {
    let Some(at) = body.windows(ours.len()).position(|part| part == ours.as_bytes()) else {
        return body.clone();
    };
    [&body[..at], theirs.as_bytes(), &body[at + ours.len()..]].concat().into()
}

fn topic(event: &Event) -> (Source, String) {
    let name = match event.kind {
        Kind::AccountStatus | Kind::AccountStatusFlat => {
            return (Source::AccountStatus, event.status.map(status_name).unwrap_or_default());
        }
        Kind::Read => "message_read",
        Kind::Delivered => "message_delivered",
        Kind::Edited => "message_edited",
        Kind::Deleted => "message_deleted",
        Kind::Reaction | Kind::ReactionRemoved => "message_reaction",
        _ => "message_received",
    };
    (Source::Messaging, name.to_owned())
}

/// The name of a state among the events that can be asked for.
fn status_name(status: AccountStatus) -> String {
    let name = serde_json::to_value(status).unwrap_or_default();
    name.as_str().unwrap_or_default().to_lowercase()
}
