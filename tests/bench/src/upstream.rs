//! The simulator in UniPile's place, in a process of its own.

use crate::child::{Orders, report};
use anyhow::Context as _;
use channel_simulator::{ApiConfig, ApiFault, FaultRule, Route, Running, SimulatorConfig, Which};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What it is like.
#[derive(Debug, Clone, Args)]
pub(crate) struct UpstreamArgs {
    #[arg(long)]
    pub(crate) accounts: usize,
    /// Chats of each account.
    #[arg(long)]
    pub(crate) chats: usize,
    /// How long it takes to take a message.
    #[arg(long, default_value_t = 0)]
    pub(crate) latency_ms: u64,
    /// Messages of each chat from before the run.
    #[arg(long, default_value_t = 0)]
    pub(crate) past: u32,
}

/// Where it is, and what it has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) key: String,
    /// Account and chat.
    pub(crate) chats: Vec<(String, String)>,
}

/// What it has taken.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) messages: usize,
    /// Whether the texts of each chat came in their order.
    pub(crate) in_order: bool,
}

/// Serves until told to end; each time it is let on, it tells what it has taken.
pub(crate) async fn run(args: UpstreamArgs) -> anyhow::Result<()> {
    let fault = ApiFault::Latency { ms: args.latency_ms, jitter_ms: 0 };
    let slow = args.latency_ms > 0;
    let faults = slow.then(|| FaultRule::each(Route::SendMessage, fault)).into_iter().collect();
    let running = Running::start(SimulatorConfig {
        accounts: args.accounts,
        contacts: args.chats,
        groups: 0,
        announce_accounts: false,
        history: 0,
        total: Some(0),
        past_per_chat: args.past,
        api: Some(ApiConfig { faults, ..ApiConfig::default() }),
        ..SimulatorConfig::default()
    })
    .await?;
    let chats = running.remote.model().chats.into_iter();
    report(&Place {
        url: running.url.clone(),
        key: running.remote.key().to_owned(),
        chats: chats.map(|(id, chat)| (chat.account_id, id)).collect(),
    })?;
    let mut orders = Orders::listen();
    while orders.next().await {
        report(&taken(&running)?)?;
    }
    running.stop().await;
    Ok(())
}

fn taken(running: &Running) -> anyhow::Result<Taken> {
    let entries = running.remote.accepted(&Which::default());
    let messages = entries.len();
    let (mut last, mut in_order) = (HashMap::<String, String>::new(), true);
    for entry in entries {
        let chat = entry.chat_id.context("a message in no chat")?;
        let text = entry.text.context("a message without a text")?;
        in_order &= last.get(&chat).is_none_or(|before| *before < text);
        last.insert(chat, text);
    }
    Ok(Taken { messages, in_order })
}
