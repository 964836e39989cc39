//! Where UniPile pushes to.

use super::{Answer, Page, Paging};
use async_trait::async_trait;
use channel_domain::AccountId;
use secrecy::SecretString;

/// Calls about the webhooks that UniPile pushes to. There is no way to change one: make another and delete
/// the first.
///
/// # Errors
///
/// All calls: [`super::UpstreamError`].
#[async_trait]
pub trait Webhooks: Send + Sync + 'static {
    /// All webhooks of the API key.
    async fn webhooks(&self, paging: &Paging) -> Answer<Page<Webhook>>;

    /// Makes one that gets every event of its source, as JSON. The id; missing if UniPile's answer lacks
    /// it.
    async fn create_webhook(&self, settings: &WebhookSettings) -> Answer<Option<String>>;

    /// Deletes one.
    async fn delete_webhook(&self, id: &str) -> Answer<()>;
}

/// What a webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookSource {
    /// Messages, receipts, reactions, edits, deletions.
    Messaging,
    /// The accounts' connections.
    AccountStatus,
}

impl WebhookSource {
    /// All that there is for WhatsApp.
    pub const ALL: [Self; 2] = [Self::Messaging, Self::AccountStatus];

    /// Its name at UniPile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messaging => "messaging",
            Self::AccountStatus => "account_status",
        }
    }

    /// All its events; the default of a source lacks some.
    #[must_use]
    pub const fn events(self) -> &'static [&'static str] {
        match self {
            Self::Messaging => &[
                "message_received",
                "message_read",
                "message_reaction",
                "message_edited",
                "message_deleted",
                "message_delivered",
            ],
            Self::AccountStatus => &[
                "creation_success",
                "creation_fail",
                "deleted",
                "reconnected",
                "sync_success",
                "stopped",
                "ok",
                "connecting",
                "error",
                "credentials",
                "permissions",
            ],
        }
    }
}

/// A webhook to be made.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// What it tells.
    pub source: WebhookSource,
    /// Where to.
    pub url: String,
    /// Comes back in each push.
    pub name: Option<String>,
    /// Only these accounts; empty means all, present and future ones.
    pub accounts: Vec<AccountId>,
    /// Sent with each push: the secret that proves where it comes from. A `Content-Type` for JSON is added,
    /// for UniPile would send a wrong one.
    pub headers: Vec<WebhookHeader>,
}

/// A header of a webhook.
#[derive(Debug, Clone)]
pub struct WebhookHeader {
    /// Its name.
    pub name: String,
    /// Its value, which may be the secret.
    pub value: SecretString,
}

/// A webhook as UniPile has it.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// UniPile's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Where to.
    pub url: Option<String>,
    /// Whether it pushes, if UniPile says so.
    pub enabled: Option<bool>,
    /// Only these accounts; empty means all.
    pub accounts: Vec<AccountId>,
    /// Events, as UniPile names them; empty means its default.
    pub events: Vec<String>,
    /// Headers: UniPile gives their values in clear.
    pub headers: Vec<WebhookHeader>,
}
