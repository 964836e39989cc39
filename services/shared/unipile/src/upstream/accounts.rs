//! Connected numbers: list, connect, reconnect, restart, delete.

use super::{Answer, Page, Paging};
use async_trait::async_trait;
use channel_domain::fact::UpstreamStatus;
use channel_domain::{AccountId, Micros};
use secrecy::SecretString;
use std::net::Ipv4Addr;

/// Calls about connected numbers.
///
/// # Errors
///
/// All calls: [`super::UpstreamError`].
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// The WhatsApp accounts that the API key reaches, of all tenants.
    async fn accounts(&self, paging: &Paging) -> Answer<Page<Account>>;

    /// One account. Right after [`connect`](Self::connect) UniPile may not know it yet.
    async fn account(&self, account: &AccountId) -> Answer<Account>;

    /// Begins to connect a number; it is connected once the account's status says so, never by this
    /// answer. An attempt lives about five minutes, its QR code cannot be renewed: connect again.
    async fn connect(&self, options: &ConnectOptions) -> Answer<Connecting>;

    /// As [`connect`](Self::connect), for an account that lost its session. Connecting the number anew
    /// instead would make a second account with all its history.
    async fn reconnect(&self, account: &AccountId, options: &ConnectOptions) -> Answer<Connecting>;

    /// Starts a stopped account again. False when UniPile says that it did not start, which it does with
    /// a success.
    async fn restart(&self, account: &AccountId) -> Answer<bool>;

    /// Unlinks the number and forgets the account.
    async fn delete_account(&self, account: &AccountId) -> Answer<()>;

    /// Starts to read the account's history again, or tells how far that came. UniPile documents it for
    /// `LinkedIn` only, so expect [`super::UpstreamError::is_unsupported`] or a 4xx.
    async fn sync_account(&self, account: &AccountId) -> Answer<SyncState>;

    /// A link to UniPile's own sign-in page. All links die with UniPile's daily restart: make one for each
    /// click.
    async fn hosted_link(&self, link: &HostedLink) -> Answer<String>;
}

/// A connected number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// UniPile's id.
    pub id: AccountId,
    /// What UniPile calls it; in practice the phone number.
    pub name: Option<String>,
    /// The phone number as written, usually digits without `+`.
    pub phone: Option<String>,
    /// When it was connected first.
    pub created_at: Option<Micros>,
    /// Its connections; a WhatsApp account has one.
    pub sources: Vec<Source>,
}

/// One connection of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// UniPile's id.
    pub id: Option<String>,
    /// Its state; `None` for one that this program does not know, which counts as not running.
    pub status: Option<UpstreamStatus>,
}

impl Account {
    /// Whether it runs: all of its sources do, and there is at least one. While it does not, reads answer
    /// from old data and no webhooks come.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.trouble().is_none() && !self.sources.is_empty()
    }

    /// The state as a webhook would report it: that of the first source that does not run. `None` when
    /// UniPile names no state, or one that this program does not know.
    #[must_use]
    pub fn status(&self) -> Option<UpstreamStatus> {
        self.trouble().or(self.sources.first())?.status
    }

    fn trouble(&self) -> Option<&Source> {
        self.sources.iter().find(|source| source.status != Some(UpstreamStatus::Ok))
    }
}

/// How to connect a number. Nothing is required.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// Ask for a code to type on the phone instead of a QR code: the number in E.164 without `+`.
    pub pairing_phone: Option<String>,
    /// Where UniPile's proxy should stand, as two letters of ISO 3166.
    pub country: Option<String>,
    /// Choose the proxy's place by this address instead.
    pub ip: Option<Ipv4Addr>,
    /// A proxy of one's own.
    pub proxy: Option<Proxy>,
}

/// A proxy between UniPile and WhatsApp.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http`, `https` or `socks5`; UniPile chooses when missing.
    pub protocol: Option<String>,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User name and password.
    pub login: Option<(String, SecretString)>,
}

/// An attempt to connect.
#[derive(Debug, Clone)]
pub struct Connecting {
    /// The id that the account has, or will have.
    pub account: Option<AccountId>,
    /// What comes next.
    pub step: Step,
}

/// What comes next in an attempt to connect.
#[derive(Debug, Clone)]
pub enum Step {
    /// Show this text as a QR code. Whoever scans it links their WhatsApp: a secret.
    Qr(SecretString),
    /// Show this code, to be typed on the phone: a secret.
    PairingCode(SecretString),
    /// Nothing: the account was made.
    Created,
    /// Nothing: the account is connected again.
    Reconnected,
    /// Something that WhatsApp does not use; the kind as UniPile names it, such as `2FA`.
    Other(String),
}

/// How far a resynchronisation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// It began with this call.
    Started,
    /// It runs.
    Running,
    /// A part is done (accounts only).
    ChunkDone,
    /// It is done. The next call starts it again.
    Done,
    /// It failed. The next call starts it again.
    Failed,
    /// The chat no longer exists (chats only).
    ChatDeleted,
    /// A state that this program does not know.
    Unknown,
}

impl SyncState {
    /// Whether to stop asking: another call would start it again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Started | Self::Running | Self::ChunkDone)
    }
}

/// A link to UniPile's sign-in page.
#[derive(Debug, Clone)]
pub struct HostedLink {
    /// For a new account or for one known.
    pub purpose: HostedPurpose,
    /// When it ends at the latest.
    pub expires_at: Micros,
    /// Comes back in the callback; UniPile does not sign that, so let it be hard to guess.
    pub name: Option<String>,
    /// Where UniPile reports success.
    pub notify_url: Option<String>,
    /// Where the browser goes after success.
    pub success_url: Option<String>,
    /// Where the browser goes after failure.
    pub failure_url: Option<String>,
    /// Go there without UniPile's own page of success.
    pub bypass_success_screen: bool,
    /// How much history to read in.
    pub sync_limit: Option<SyncLimit>,
    /// Options not to offer, such as `proxy`, as UniPile names them.
    pub disabled_options: Vec<String>,
}

/// What a sign-in page is for.
#[derive(Debug, Clone)]
pub enum HostedPurpose {
    /// A new WhatsApp account.
    Create,
    /// An account that lost its session.
    Reconnect(AccountId),
}

/// How much history UniPile reads in; "partially supported by providers".
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncLimit {
    /// Chats of an inbox.
    pub chats: Option<HistoryLimit>,
    /// Messages of a chat.
    pub messages: Option<HistoryLimit>,
}

/// A bound of history.
#[derive(Debug, Clone, Copy)]
pub enum HistoryLimit {
    /// Not older than this.
    Since(Micros),
    /// Not more than this; 0 is none.
    Count(u32),
}
