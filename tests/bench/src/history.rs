//! An account with a past at the simulator, and reading it in.

use crate::child::Part;
use crate::upstream::Place;
use anyhow::Context as _;
use channel_domain::{AccountId, ChatId, Micros};
use channel_messaging::{Importer, MessagingConfig};
use channel_runtime::clock::{Clock as _, SystemClock};
use channel_runtime::supervise::TaskError;
use channel_store::Store;
use channel_store::record::SyncRecord;
use channel_store::sync::{SyncAsk, SyncDone, SyncOrder, SyncStep};
use channel_unipile::hosts::check_base_url;
use channel_unipile::upstream::Upstream;
use channel_unipile::v1::client::{Client, ClientOptions};
use clap::Args;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// An account with a past, and the simulator that has it.
pub(crate) struct Past {
    upstream: Part,
    place: Place,
    pub(crate) account: AccountId,
    pub(crate) chats: Vec<ChatId>,
    pub(crate) messages: usize,
}

impl Past {
    /// Starts the simulator.
    pub(crate) async fn new([chats, each]: [usize; 2]) -> anyhow::Result<Self> {
        let arguments = [
            "upstream".to_owned(),
            "--accounts=1".to_owned(),
            format!("--chats={chats}"),
            format!("--past={each}"),
        ];
        let mut upstream = Part::start(arguments, None)?;
        let place: Place = upstream.hear().await?;
        let (account, _) = place.chats.first().context("no chat")?.clone();
        let chats: Vec<ChatId> = place.chats.iter().map(|(_, chat)| chat.as_str().into()).collect();
        let messages = chats.len() * each;
        Ok(Self { upstream, place, account: account.into(), chats, messages })
    }

    pub(crate) fn client(&self) -> anyhow::Result<Arc<dyn Upstream>> {
        client(&self.place.url, &self.place.key)
    }

    /// What makes a product read it in.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![
            format!("--history-url={}", self.place.url),
            format!("--history-key={}", self.place.key),
            format!("--history-account={}", self.account),
            format!("--history-chat={}", self.chats[0]),
        ]
    }

    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.upstream.end().await
    }
}

/// Whose past a product is to read in.
#[derive(Debug, Clone, Args)]
pub(crate) struct HistoryArgs {
    #[arg(long = "history-url", id = "history-url")]
    url: Option<String>,
    #[arg(long = "history-key", id = "history-key")]
    key: Option<String>,
    #[arg(long = "history-account", id = "history-account")]
    account: Option<String>,
    #[arg(long = "history-chat", id = "history-chat")]
    chat: Option<String>,
}

/// The importer, in the process that has its database.
pub(crate) struct Import {
    store: Arc<dyn Store>,
    account: AccountId,
    stop: CancellationToken,
    running: JoinHandle<Result<(), TaskError>>,
}

impl Import {
    /// Starts the importer; nothing is read in before it is asked for.
    pub(crate) async fn start(
        store: &Arc<dyn Store>,
        upstream: Arc<dyn Upstream>,
        account: &AccountId,
        chat: &ChatId,
    ) -> anyhow::Result<Self> {
        // The account is known once something is known of it.
        store.take(vec![crate::rows::webhook(account, chat, "first", 0)]).await?;
        let stop = CancellationToken::new();
        let config = Arc::new(MessagingConfig::default());
        let (clock, wake) = (Arc::new(SystemClock), Arc::default());
        let importer = Importer::new(Arc::clone(store), upstream, clock, config, wake);
        let running = tokio::spawn(importer.run(stop.clone()));
        Ok(Self { store: Arc::clone(store), account: account.clone(), stop, running })
    }

    /// The same, of what the command line names.
    pub(crate) async fn of(
        store: &Arc<dyn Store>,
        args: &HistoryArgs,
    ) -> anyhow::Result<Option<Self>> {
        let HistoryArgs { url, key, account, chat } = args.clone();
        let (Some(url), Some(key), Some(account), Some(chat)) = (url, key, account, chat) else {
            return Ok(None);
        };
        let upstream = client(&url, &key)?;
        Self::start(store, upstream, &account.into(), &chat.into()).await.map(Some)
    }

    /// Asks for the history; asking again tells how far it came.
    pub(crate) async fn ask(&self) -> anyhow::Result<SyncRecord> {
        let step = SyncStep::Ask(Box::new(SyncAsk::new(Uuid::from_u128(1))));
        let now = Micros(SystemClock.now_micros());
        let order = SyncOrder { account: self.account.clone(), step, now, trace: None };
        match self.store.sync_step(order).await? {
            SyncDone::Stands(sync) => Ok(*sync),
            other => anyhow::bail!("{other:?}"),
        }
    }

    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        if self.running.await?.is_err() {
            anyhow::bail!("the importer failed");
        }
        Ok(())
    }
}

fn client(url: &str, key: &str) -> anyhow::Result<Arc<dyn Upstream>> {
    let key = secrecy::SecretString::from(key);
    let (clock, chance) = (Arc::new(SystemClock), Arc::new(|| 0.5));
    let base = check_base_url(url)?;
    Ok(Arc::new(Client::new(base, &key, ClientOptions::default(), clock, chance)?))
}
