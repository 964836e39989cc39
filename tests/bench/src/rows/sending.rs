//! Rows 11 and 12: taking messages to be sent, and sending them at the pace of their accounts.

use crate::child::Part;
use crate::database::{self, Kind};
use crate::env::{Disk, Env};
use crate::memory::{Course, Memory};
use crate::stats::{Times, float, millis, thousands};
use crate::table::Line;
use crate::upstream::{Place, Taken};
use anyhow::ensure;
use channel_domain::fact::{ChatClaim, Fact, OwnerClaim, Received, Statement};
use channel_domain::{AccountId, ChatId, MessageId, Micros};
use channel_messaging::{Ask, Dispatcher, MessagingConfig, Outgoing};
use channel_runtime::clock::{Clock as _, SystemClock};
use channel_runtime::identity::{Identity, Role};
use channel_store::Store;
use channel_store::intake::{Delivery, Reading};
use channel_store::outbox::To;
use channel_unipile::hosts::check_base_url;
use channel_unipile::upstream::Upstream;
use channel_unipile::v1::client::{Client, ClientOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

pub(super) const ANSWER: &str = "From the command to its answer, in process, one after another, into the chats of \
    one account, while every request to UniPile takes 5 s. The reference is one webhook of the same size, taken by \
    the same store: one commit.";
pub(super) const DRAIN: &str = "Messages that wait in the outbox of many accounts, each account allowed one in half a \
    second: from the first to leave to the last that UniPile took, over HTTP, and whether each chat's messages came in \
    their order. The memory is what is resident of the process with the dispatcher and the database's client, before, \
    half way and at the end, and of it what no file is behind; UniPile's simulator is another process.";

/// How long UniPile takes.
const SLOW_MS: u64 = 5_000;
/// Most commits that an answer may take.
const COMMITS: f64 = 2.0;
const CHATS: usize = 5;
const INTERVAL_MS: u32 = 500;
/// How much longer than the pace allows it may take.
const REACH: f64 = 1.1;
/// Resident memory may grow by this much, in MiB.
const GROWTH: f64 = 64.0;

/// A store, the simulator in UniPile's place, and what sends.
struct Desk {
    store: Arc<dyn Store>,
    upstream: Part,
    outgoing: Outgoing,
    /// Account and chat.
    chats: Vec<(AccountId, ChatId)>,
    dispatcher: Dispatcher,
    stop: CancellationToken,
}

impl Desk {
    async fn new(env: &mut Env, kind: Kind, accounts: usize, slow: bool) -> anyhow::Result<Self> {
        let store = database::open(&env.database(kind, Disk::Own)?, 16).await?;
        let latency = if slow { SLOW_MS } else { 0 };
        let arguments = [
            "upstream".to_owned(),
            format!("--accounts={accounts}"),
            format!("--chats={CHATS}"),
            format!("--latency-ms={latency}"),
        ];
        let mut upstream = Part::start(arguments, None)?;
        let place: Place = upstream.hear().await?;
        let chats: Vec<(AccountId, ChatId)> =
            place.chats.into_iter().map(|(account, chat)| (account.into(), chat.into())).collect();
        for (account, chat) in &chats {
            store.take(vec![webhook(account, chat, "first", 0)]).await?;
        }
        let config = Arc::new(MessagingConfig {
            send_interval_ms: if slow { 0 } else { INTERVAL_MS },
            send_burst: 1,
            most_waiting: 1_000_000,
            concurrency: 256,
            ..MessagingConfig::default()
        });
        let clock = Arc::new(SystemClock);
        let key = secrecy::SecretString::from(place.key);
        let base = check_base_url(&place.url)?;
        let chance = Arc::new(|| 0.5);
        let client = Client::new(base, &key, ClientOptions::default(), clock.clone(), chance)?;
        let client: Arc<dyn Upstream> = Arc::new(client);
        let outgoing = Outgoing::new(store.clone(), clock.clone(), config.clone(), true);
        let dispatcher = Dispatcher::new(store.clone(), client, clock, config, outgoing.wake());
        let stop = CancellationToken::new();
        Ok(Self { store, upstream, outgoing, chats, dispatcher, stop })
    }

    /// Lets what waits leave.
    fn go(&self) {
        tokio::spawn(self.dispatcher.clone().run(self.stop.clone()));
    }

    async fn send(&self, chat: usize, text: String) -> anyhow::Result<()> {
        let (account, chat) = self.chats[chat % self.chats.len()].clone();
        let request = channel_domain::send::Request::Message {
            text: Some(text),
            files: vec![],
            quote: None,
            typing_ms: None,
        };
        let ask = Ask {
            account,
            to: To::Chat(chat),
            message: MessageId(uuid::Uuid::now_v7()),
            request,
            files: vec![],
            hash: [0; 32],
            expires_in: None,
        };
        self.outgoing.send(&caller(), ask).await?;
        Ok(())
    }

    async fn taken(&mut self) -> anyhow::Result<Taken> {
        self.upstream.go().await?;
        self.upstream.hear().await
    }

    async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.upstream.end().await
    }
}

fn caller() -> Identity {
    Identity {
        subject: "bench".into(),
        tenant: "default".into(),
        role: Role::Agent,
        accounts: None,
        expires_at: i64::MAX,
    }
}

/// A message of a contact, as a webhook tells it.
pub(crate) fn webhook(account: &AccountId, chat: &ChatId, text: &str, number: usize) -> Delivery {
    let id = format!("{chat}-{number}");
    let received = Received {
        message: id.as_str().into(),
        provider_id: None,
        chat: ChatClaim {
            id: chat.clone(),
            provider_id: None,
            is_group: Some(false),
            subject: None,
            pinned: None,
        },
        owner: OwnerClaim::default(),
        is_sender: Some(false),
        sender: None,
        attendees: vec![],
        text: Some(text.to_owned()),
        attachments: vec![],
        sent_at: None,
        event: None,
        hidden: false,
        forwarded: false,
        quoted: None,
    };
    let fact = Fact::Received(Box::new(received));
    let statement = Statement { account: account.clone(), fact };
    let mut digest = [0_u8; 16];
    for (at, byte) in id.bytes().enumerate() {
        digest[at % 16] = digest[at % 16].rotate_left(3) ^ byte;
    }
    Delivery {
        received_at: Micros(SystemClock.now_micros()),
        body: bytes::Bytes::from_static(b"{}"),
        headers: "{}".to_owned(),
        reading: Reading::Statement { statement: Box::new(statement), digest },
        trace: None,
    }
}

/// Row 11.
pub(super) async fn answers(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for kind in Kind::BOTH {
        let desk = Desk::new(env, kind, 1, true).await?;
        desk.go();
        let (mut answers, mut commits) = (Times::default(), Times::default());
        let (account, chat) = desk.chats[0].clone();
        for number in 1..=env.sizes.reads {
            let began = Instant::now();
            desk.store.take(vec![webhook(&account, &chat, "as long as it", number)]).await?;
            commits.add(began.elapsed());
            let began = Instant::now();
            desk.send(number, format!("message {number}")).await?;
            answers.add(began.elapsed());
        }
        desk.end().await?;
        let (answer, commit) = (answers.summary(), commits.summary());
        let ratio = answer.p50 / commit.p50.max(1.0);
        lines.push(
            Line::new(11, format!("SendMessage → answer, UniPile takes 5 s, {}", kind.name()))
                .measured(format!("p50 {} ms, p99 {} ms", millis(answer.p50), millis(answer.p99)))
                .reference(format!("one commit p50 {} ms", millis(commit.p50)))
                .ratio(ratio)
                .reach(format!("≤ {COMMITS} commits"), ratio <= COMMITS)
                .number("p50_us", answer.p50)
                .number("p99_us", answer.p99)
                .number("commit_p50_us", commit.p50),
        );
    }
    Ok(lines)
}

/// Row 12.
pub(super) async fn drain(env: &mut Env) -> anyhow::Result<Vec<Line>> {
    let (accounts, each) = (env.sizes.outbox[0], env.sizes.outbox[1]);
    let pace = float(each - 1) * f64::from(INTERVAL_MS) / 1_000.0;
    let mut lines = Vec::new();
    for kind in Kind::BOTH {
        let mut desk = Desk::new(env, kind, accounts, false).await?;
        for number in 0..accounts * each {
            // Account by account, chat by chat, so that each account has as many.
            desk.send(number, format!("{number:08}")).await?;
        }
        let drained = desk.drain(accounts * each, pace).await?;
        desk.end().await?;
        let what = format!(
            "{} accounts × {each} messages leave at their pace, in order, {}",
            thousands(float(accounts)),
            kind.name()
        );
        lines.push(drained.line(what, pace));
    }
    Ok(lines)
}

/// How an outbox got empty.
struct Drained {
    seconds: f64,
    /// Resident MiB before, half way and at the end.
    memory: Course,
}

impl Desk {
    async fn drain(&mut self, total: usize, pace: f64) -> anyhow::Result<Drained> {
        let (before, began) = (Memory::now()?, Instant::now());
        self.go();
        tokio::time::sleep(Duration::from_secs_f64(pace / 2.0)).await;
        let half = Memory::now()?;
        // None can be through before.
        tokio::time::sleep(Duration::from_secs_f64(pace).saturating_sub(began.elapsed())).await;
        loop {
            let taken = self.taken().await?;
            ensure!(taken.in_order, "out of order");
            if taken.messages >= total {
                break;
            }
            ensure!(began.elapsed() < Duration::from_mins(10), "{} of {total}", taken.messages);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        Ok(Drained { seconds, memory: Course([before, half, Memory::now()?]) })
    }
}

impl Drained {
    fn line(&self, what: String, pace: f64) -> Line {
        let (Course([before, half, end]), ratio) = (self.memory, self.seconds / pace.max(0.1));
        let is_flat = end.resident - before.resident <= GROWTH;
        let measured = format!("{:.1} s, {}", self.seconds, self.memory);
        Line::new(12, what)
            .measured(measured)
            .reference(format!("the pace allows {pace:.1} s"))
            .ratio(ratio)
            .reach(format!("≤ {REACH}×, ≤ {GROWTH} MiB more"), ratio <= REACH && is_flat)
            .number("seconds", self.seconds)
            .number("pace_seconds", pace)
            .number("mib_before", before.resident)
            .number("mib_half_way", half.resident)
            .number("mib_after", end.resident)
    }
}
