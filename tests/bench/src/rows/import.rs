//! Row 13: reading an account's history in.

use crate::child::Part;
use crate::cpu;
use crate::database::{self, Kind};
use crate::env::{Disk, Env};
use crate::stats::{float, thousands};
use crate::table::Line;
use crate::upstream::Place;
use anyhow::{Context as _, ensure};
use channel_domain::{AccountId, ChatId, Micros};
use channel_messaging::{Importer, MessagingConfig};
use channel_runtime::clock::{Clock as _, SystemClock};
use channel_store::Store;
use channel_store::sync::{SyncAsk, SyncDone, SyncOrder, SyncStep};
use channel_unipile::hosts::check_base_url;
use channel_unipile::upstream::{Cursor, MessageQuery, PAGE_MAX, Paging, Upstream};
use channel_unipile::v1::client::{Client, ClientOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) const NOTE: &str = "From asking for an account's history to its end: chats, people and messages from the \
    simulator, which answers at once and is another process on the same cores. The reference is reading the same pages, \
    one after another, and writing nothing. Resident memory of the process with the importer and the database's client, \
    before, half way and at the end.";

/// Messages a second to reach.
const REACH: f64 = 8_000.0;
/// Resident memory may grow by no more in the second half, in MiB.
const FLAT: f64 = 16.0;

/// An account with a past, at the simulator.
struct Past {
    upstream: Part,
    client: Arc<dyn Upstream>,
    account: AccountId,
    chats: Vec<ChatId>,
    messages: usize,
}

impl Past {
    async fn new(chats: usize, each: usize) -> anyhow::Result<Self> {
        let arguments = [
            "upstream".to_owned(),
            "--accounts=1".to_owned(),
            format!("--chats={chats}"),
            format!("--past={each}"),
        ];
        let mut upstream = Part::start(arguments, None)?;
        let place: Place = upstream.hear().await?;
        let (account, _) = place.chats.first().context("no chat")?.clone();
        let key = secrecy::SecretString::from(place.key);
        let base = check_base_url(&place.url)?;
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(|| 0.5));
        let client = Client::new(base, &key, ClientOptions::default(), clock, chance)?;
        let chats: Vec<ChatId> = place.chats.into_iter().map(|(_, chat)| chat.into()).collect();
        let messages = chats.len() * each;
        Ok(Self { upstream, client: Arc::new(client), account: account.into(), chats, messages })
    }

    /// Reads every page, and leaves it. Returns the seconds.
    async fn read(&self) -> anyhow::Result<f64> {
        let (began, mut count) = (Instant::now(), 0);
        for chat in &self.chats {
            let mut cursor: Option<Cursor> = None;
            loop {
                let paging = Paging { cursor, limit: PAGE_MAX };
                let query = MessageQuery { paging, ..MessageQuery::default() };
                let page = self.client.chat_messages(&self.account, chat, &query).await?;
                count += page.items.len();
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        ensure!(count == self.messages, "{count} messages");
        Ok(began.elapsed().as_secs_f64())
    }

    /// Reads everything in. Returns the seconds, and memory before, half way and at the end.
    async fn import(&self, store: &Arc<dyn Store>) -> anyhow::Result<(f64, [f64; 3])> {
        let stop = CancellationToken::new();
        let config = Arc::new(MessagingConfig::default());
        let (clock, wake) = (Arc::new(SystemClock), Arc::default());
        let importer = Importer::new(store.clone(), self.client.clone(), clock, config, wake);
        let running = tokio::spawn(importer.run(stop.clone()));
        let memory = || anyhow::Ok(cpu::mebibytes(cpu::resident(std::process::id())?));
        let (before, began) = (memory()?, Instant::now());
        let mut half = None;
        loop {
            let sync = step(store, &self.account).await?;
            if half.is_none() && sync.messages_read * 2 >= self.messages as u64 {
                half = Some(memory()?);
            }
            if sync.ended_at.is_some() {
                ensure!(sync.messages_added == self.messages as u64, "{sync:?}");
                break;
            }
            ensure!(began.elapsed() < Duration::from_mins(20), "{sync:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        let memory = [before, half.unwrap_or(before), memory()?];
        stop.cancel();
        if running.await?.is_err() {
            anyhow::bail!("the importer failed");
        }
        Ok((seconds, memory))
    }
}

/// Asks for the history; asking again tells how far it came.
async fn step(
    store: &Arc<dyn Store>,
    account: &AccountId,
) -> anyhow::Result<channel_store::record::SyncRecord> {
    let ask = SyncAsk::new(Uuid::from_u128(1));
    let now = Micros(SystemClock.now_micros());
    let step = SyncStep::Ask(Box::new(ask));
    let order = SyncOrder { account: account.clone(), step, now, trace: None };
    match store.sync_step(order).await? {
        SyncDone::Stands(sync) => Ok(*sync),
        other => anyhow::bail!("{other:?}"),
    }
}

/// Row 13.
pub(super) async fn run(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let [chats, each] = env.sizes.history;
    let past = Past::new(chats, each).await?;
    let read = past.read().await?;
    let mut lines = Vec::new();
    for kind in Kind::BOTH {
        let store = database::open(&env.database(kind, Disk::Own)?, 16).await?;
        let account = past.account.clone();
        store.take(vec![super::sending::webhook(&account, &past.chats[0], "first", 0)]).await?;
        let (seconds, [before, half, end]) = past.import(&store).await?;
        let (rate, reference) = (float(past.messages) / seconds, float(past.messages) / read);
        let is_flat = end - half <= FLAT;
        lines.push(
            Line::new(
                13,
                format!(
                    "import of {chats} chats × {} messages, {}",
                    thousands(float(each)),
                    kind.name()
                ),
            )
            .measured(format!("{}/s, {before:.0} → {half:.0} → {end:.0} MiB", thousands(rate)))
            .reference(format!("{}/s read only", thousands(reference)))
            .ratio(rate / reference.max(1.0))
            .reach(
                format!("≥ {}/s, second half ≤ {FLAT} MiB more", thousands(REACH)),
                rate >= REACH && is_flat,
            )
            .number("messages_per_second", rate)
            .number("read_only_per_second", reference)
            .number("mib_before", before)
            .number("mib_half_way", half)
            .number("mib_after", end),
        );
    }
    past.upstream.end().await?;
    Ok(lines)
}
