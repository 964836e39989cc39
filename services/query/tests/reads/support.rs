//! A store with facts in it, and callers.

use bytes::Bytes;
use channel_domain::fact::{
    ChatClaim, Deleted, Fact, OwnerClaim, Person, Received, Statement, Status, UpstreamStatus,
};
use channel_domain::time::Micros;
use channel_query::live::LiveConfig;
use channel_query::page::TOKEN_KEY_LENGTH;
use channel_query::{Live, OverGrpc, Queries};
use channel_runtime::clock::{ManualClock, SystemClock};
use channel_runtime::identity::{Identity, Role};
use channel_runtime::supervise::Supervisor;
use channel_store::intake::{Adoption, Delivery, Digest, Intake, Outcome, Reading};
use channel_store_sqlite::{Options, SqliteStore};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tempfile::TempDir;
use tonic::{Request, Status as GrpcStatus};

/// A round second to begin with.
const NOON: i64 = 1_769_940_000_000_000;

/// `seconds` after noon.
pub(crate) const fn at(seconds: i64) -> Micros {
    Micros(NOON + seconds * 1_000_000)
}

/// A service over a store of its own.
pub(crate) struct World {
    pub(crate) service: OverGrpc,
    store: Arc<SqliteStore>,
    _supervisor: Supervisor,
    _folder: TempDir,
}

impl World {
    /// Accounts of one tenant, `t1`.
    pub(crate) async fn of(accounts: &[&str]) -> Self {
        Self::shared(&[("t1", accounts)]).await
    }

    /// Accounts of several tenants.
    pub(crate) async fn shared(tenants: &[(&str, &[&str])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut opened = None;
        for (tenant, accounts) in tenants {
            // An account belongs to the tenant that adopts accounts when it is first heard of.
            if let Some(store) = opened.take() {
                let store: SqliteStore = store;
                store.close().await;
            }
            let adoption = Adoption::By((*tenant).into());
            let options = Options { adoption, ..Options::default() };
            let store = SqliteStore::open(folder.path(), options).await.unwrap();
            for account in *accounts {
                let fact = Fact::Status(Status { status: UpstreamStatus::Ok });
                take(&store, account, vec![fact], 0).await;
            }
            opened = Some(store);
        }
        let store = Arc::new(opened.unwrap());
        let clock = Arc::new(ManualClock::at(NOON));
        let queries = Queries::new(store.clone(), clock, &[9; TOKEN_KEY_LENGTH]);
        let supervisor = Supervisor::new();
        let config = LiveConfig::default();
        let live = Live::start(store.clone(), config, Arc::new(SystemClock), &supervisor);
        let service = OverGrpc::new(queries, live, supervisor.tasks());
        Self { service, store, _supervisor: supervisor, _folder: folder }
    }

    /// Facts about an account, received together at a second.
    pub(crate) async fn tell(&self, account: &str, facts: Vec<Fact>, second: i64) {
        take(&self.store, account, facts, second).await;
    }
}

async fn take(store: &SqliteStore, account: &str, facts: Vec<Fact>, second: i64) {
    let delivery = |fact: Fact| {
        let mut digest: Digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(format!("{account} {fact:?}"))[..16]);
        let statement = Box::new(Statement { account: account.into(), fact });
        Delivery {
            received_at: at(second),
            body: Bytes::from_static(b"{}"),
            headers: "{}".into(),
            reading: Reading::Statement { statement, digest },
            trace: None,
        }
    };
    let taken = store.take(facts.into_iter().map(delivery).collect()).await.unwrap();
    assert!(taken.verdicts.iter().all(|it| it.outcome == Outcome::Applied), "{taken:?}");
}

/// A contact.
pub(crate) fn person(name: &str, phone: &str) -> Person {
    Person {
        id: Some(format!("p-{phone}").into()),
        provider_id: Some(format!("{phone}@s.whatsapp.net")),
        name: Some(name.into()),
        phone: Some(phone.into()),
        ..Person::default()
    }
}

/// A text from Ana.
pub(crate) fn text(message: &str, chat: &str, text: &str, second: i64) -> Fact {
    from(&person("Ana", "15550100002"), message, chat, text, second)
}

/// A text from somebody.
pub(crate) fn from(who: &Person, message: &str, chat: &str, text: &str, second: i64) -> Fact {
    Fact::Received(Box::new(received(who, message, chat, text, second)))
}

/// A message that is not meant to be shown.
pub(crate) fn hidden(message: &str, chat: &str, text: &str, second: i64) -> Fact {
    let ana = person("Ana", "15550100002");
    let message = received(&ana, message, chat, text, second);
    Fact::Received(Box::new(Received { hidden: true, ..message }))
}

/// A deletion.
pub(crate) fn deleted(message: &str) -> Fact {
    Fact::Deleted(Deleted { message: message.into() })
}

fn received(who: &Person, message: &str, chat: &str, text: &str, second: i64) -> Received {
    Received {
        message: message.into(),
        provider_id: None,
        chat: ChatClaim {
            id: chat.into(),
            provider_id: None,
            is_group: Some(false),
            subject: None,
            pinned: None,
        },
        owner: OwnerClaim::default(),
        is_sender: Some(false),
        sender: Some(who.clone()),
        attendees: vec![],
        text: Some(text.into()),
        attachments: vec![],
        sent_at: Some(at(second)),
        event: None,
        hidden: false,
        forwarded: false,
        quoted: None,
    }
}

/// Somebody of a tenant who may read all of its accounts.
pub(crate) fn viewer(tenant: &str) -> Identity {
    Identity {
        subject: "someone".into(),
        tenant: tenant.into(),
        role: Role::Viewer,
        accounts: None,
        expires_at: i64::MAX,
    }
}

/// Somebody who may read these accounts only.
pub(crate) fn limited(tenant: &str, accounts: &[&str]) -> Identity {
    let accounts = accounts.iter().map(ToString::to_string).collect();
    Identity { accounts: Some(Arc::new(accounts)), ..viewer(tenant) }
}

/// A request of a caller.
pub(crate) fn by<T>(caller: &Identity, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}

/// A request of somebody in `t1`.
pub(crate) fn ask<T>(message: T) -> Request<T> {
    by(&viewer("t1"), message)
}

/// Code and reason of a refusal.
pub(crate) fn reason(status: &GrpcStatus) -> (tonic::Code, String) {
    let reason = channel_runtime::fault::reason_of(status).unwrap_or_default();
    (status.code(), reason)
}
