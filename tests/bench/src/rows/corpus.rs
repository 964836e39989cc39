//! A database full of messages, filled through the store as webhooks fill it.

use crate::database::{self, Kind};
use crate::env::{Disk, Env};
use anyhow::ensure;
use bytes::Bytes;
use channel_domain::fact::{ChatClaim, Fact, OwnerClaim, Person, Received, Statement};
use channel_domain::time::Micros;
use channel_query::live::LiveConfig;
use channel_query::page::TOKEN_KEY_LENGTH;
use channel_query::{Live, OverGrpc, Queries};
use channel_runtime::clock::SystemClock;
use channel_runtime::identity::{Identity, Role};
use channel_runtime::supervise::Supervisor;
use channel_store::Store;
use channel_store::intake::{Delivery, Digest, Outcome, Reading};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::Request;

/// Accounts beside the large one.
const OTHERS: usize = 49;
/// The large account's part of all messages, in tenths.
const LARGE_TENTHS: usize = 6;
/// The large chat's part of the large account's messages: one in so many.
const LARGE_CHAT_EVERY: usize = 10;
const BATCH: usize = 500;
/// 2025-01-01, in microseconds.
const NEW_YEAR: i64 = 1_735_689_600_000_000;

/// The account and the chat that most messages are in.
pub(super) const LARGE_ACCOUNT: &str = "account-0";
pub(super) const LARGE_CHAT: &str = "account-0-chat-0";
/// A word that every second message has.
pub(super) const COMMON_WORD: &str = "order";

/// A full database and the query service over it.
pub(super) struct Corpus {
    pub(super) kind: Kind,
    pub(super) messages: usize,
    pub(super) place: String,
    pub(super) filled_in: Duration,
    service: OverGrpc,
    _supervisor: Supervisor,
}

impl Corpus {
    pub(super) async fn fill(env: &mut Env, kind: Kind, messages: usize) -> anyhow::Result<Self> {
        let place = env.database(kind, Disk::Own)?;
        let store = database::open(&place, 16).await?;
        let began = Instant::now();
        let large = messages * LARGE_TENTHS / 10;
        let (one, others) = (Arc::clone(&store), Arc::clone(&store));
        // Two at a time: they write to different accounts.
        let one = tokio::spawn(fill(one, messages, 0..large));
        let others = tokio::spawn(fill(others, messages, large..messages));
        one.await??;
        others.await??;
        let filled_in = began.elapsed();
        let supervisor = Supervisor::new();
        let clock = Arc::new(SystemClock);
        let queries =
            Queries::new(Arc::clone(&store), Arc::clone(&clock) as _, &[7; TOKEN_KEY_LENGTH]);
        let live = Live::start(store, LiveConfig::default(), clock, &supervisor);
        let service = OverGrpc::new(queries, live, supervisor.tasks());
        Ok(Self { kind, messages, place, filled_in, service, _supervisor: supervisor })
    }

    /// The service, as it is called after the wire.
    pub(super) fn service(&self) -> &OverGrpc {
        &self.service
    }
}

/// A call's request with a caller who may see all.
pub(super) fn asked<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Identity {
        subject: "bench".into(),
        tenant: "default".into(),
        role: Role::Viewer,
        accounts: None,
        expires_at: i64::MAX,
    });
    request
}

async fn fill(
    store: Arc<dyn Store>,
    all: usize,
    numbers: std::ops::Range<usize>,
) -> anyhow::Result<()> {
    let mut texts = Texts::new(numbers.start);
    let numbers: Vec<_> = numbers.collect();
    for numbers in numbers.chunks(BATCH) {
        let batch = numbers.iter().map(|number| delivery(all, *number, &mut texts)).collect();
        let taken = store.take(batch).await?;
        let applied = taken.verdicts.iter().all(|one| one.outcome == Outcome::Applied);
        ensure!(applied, "a message was not applied");
    }
    Ok(())
}

fn delivery(all: usize, number: usize, texts: &mut Texts) -> Delivery {
    let large = number < all * LARGE_TENTHS / 10;
    let account = if large { 0 } else { 1 + number % OTHERS };
    let chats = (all / 1_000).max(60);
    let chat = match (large, number % LARGE_CHAT_EVERY) {
        (true, 0) => 0,
        (true, _) => 1 + texts.dice.random_range(0..chats),
        (false, _) => texts.dice.random_range(0..60),
    };
    let at = Micros(NEW_YEAR + i64::try_from(number).unwrap_or_default() * 1_000_000);
    let mut digest = Digest::default();
    digest[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let fact = Fact::Received(Box::new(message(account, chat, number, texts.next(), at)));
    let statement = Box::new(Statement { account: format!("account-{account}").into(), fact });
    Delivery {
        received_at: at,
        body: Bytes::from_static(b"{}"),
        headers: "{}".to_owned(),
        reading: Reading::Statement { statement, digest },
        trace: None,
    }
}

fn message(account: usize, chat: usize, number: usize, text: String, at: Micros) -> Received {
    let phone = format!("4915{account:03}{chat:06}");
    let owner = format!("4930{account:08}");
    let person = Person {
        id: Some(format!("account-{account}-person-{chat}").into()),
        provider_id: Some(format!("{phone}@s.whatsapp.net")),
        name: Some(format!("Person {chat}")),
        phone: Some(format!("+{phone}")),
        ..Person::default()
    };
    Received {
        message: format!("message-{number}").into(),
        provider_id: Some(format!("3EB0{number:016X}")),
        chat: ChatClaim {
            id: format!("account-{account}-chat-{chat}").into(),
            provider_id: Some(format!("{phone}@s.whatsapp.net")),
            is_group: Some(false),
            subject: None,
            pinned: None,
        },
        owner: OwnerClaim { phone: Some(format!("+{owner}")), user_id: None },
        is_sender: Some(false),
        sender: Some(person.clone()),
        attendees: vec![person],
        text: Some(text),
        attachments: vec![],
        sent_at: Some(at),
        event: None,
        hidden: false,
        forwarded: false,
        quoted: None,
    }
}

/// Invented texts: few words are common, many are rare.
struct Texts {
    dice: ChaCha8Rng,
    words: Vec<String>,
}

impl Texts {
    fn new(seed: usize) -> Self {
        let sounds = ["ka", "lo", "mi", "ne", "ra", "su", "te", "vo", "xa", "zu", "be", "di", "fo"];
        let words = (0..sounds.len().pow(3)).map(|number| {
            let sound = |at: u32| sounds[number / sounds.len().pow(at) % sounds.len()];
            [sound(0), sound(1), sound(2)].concat()
        });
        Self { dice: ChaCha8Rng::seed_from_u64(seed as u64), words: words.collect() }
    }

    fn next(&mut self) -> String {
        let mut text =
            if self.dice.random_bool(0.5) { COMMON_WORD.to_owned() } else { "hello".to_owned() };
        for _ in 0..7 {
            // The smaller of three numbers is mostly small.
            let at = (0..3).map(|_| self.dice.random_range(0..self.words.len())).min();
            text.push(' ');
            text.push_str(&self.words[at.unwrap_or_default()]);
        }
        text
    }
}
