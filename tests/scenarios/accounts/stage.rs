//! A program, the simulator that it connects accounts at, and attempts to do so.

use crate::world::World;
use anyhow::{Context, Result, bail, ensure};
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::messaging::v1::{
    ConnectAccountRequest, ConnectAccountResponse, LinkFailed, LinkStep, ReconnectAccountRequest,
    ReconnectAccountResponse,
};
use channel_proto::query::v1::{GetAccountRequest, ListAccountsRequest, ListChatsRequest};
use channel_proto::types::v1::{Account, AccountConnection, ConnectionState};
use channel_tests::client;
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use tonic::{Status, Streaming};

/// A program and its upstream, which has one account that the program knows.
pub(super) struct Stage {
    pub(super) program: Program,
    pub(super) upstream: Upstream,
    pub(super) account: String,
    pub(super) phone: String,
}

/// What takes minutes for people takes seconds here.
fn fast(setup: Setup) -> Setup {
    setup
        .with("UNIPILE__TIMEOUT_SECONDS", "1")
        .with("MESSAGING__LINK_SECONDS", "60")
        .with("MESSAGING__LINK_CODE_SECONDS", "60")
        .with("MESSAGING__POLL_INTERVAL_MS", "50")
}

impl Stage {
    pub(super) async fn new(world: &World) -> Result<Self> {
        Self::with(world, |setup| setup).await
    }

    /// With settings of its own.
    pub(super) async fn with(world: &World, change: impl Fn(Setup) -> Setup) -> Result<Self> {
        let setup = change(fast(Setup::whole(&world.backend)?));
        Self::at(Place::beside(&setup)?, setup).await
    }

    async fn at(place: Place, setup: Setup) -> Result<Self> {
        let program = place.known_to(setup).start().await?;
        let upstream = place.start().await?;
        upstream.nobody_scans().await?;
        let (account, digits) = upstream.accounts().await?.pop().context("an account")?;
        let stage = Self { program, upstream, account, phone: format!("+{digits}") };
        let chat = stage.upstream.chats().await?.remove(0);
        stage.upstream.contact_writes(&chat, "hello?").await?;
        until("the account, its number and its state are known", || async {
            let account = stage.get(&stage.account).await.ok()?;
            let is_known = account.phone_number == stage.phone;
            (is_known && state_of(&account) == ConnectionState::Ok).then_some(())
        })
        .await?;
        Ok(stage)
    }

    /// Another program over the same database, which has to be one that takes several.
    pub(super) async fn beside(world: &World) -> Result<(Self, Program)> {
        let setup = fast(Setup::whole(&world.backend)?);
        let place = Place::beside(&setup)?;
        let other = place.known_to(fast(Setup::whole(&world.backend)?));
        let stage = Self::at(place, setup).await?;
        Ok((stage, other.start().await?))
    }

    pub(super) fn managing(&self) -> Result<client::Messaging> {
        client::managing(&self.program.url(), "default")
    }

    pub(super) async fn connect(&self, name: &str) -> Result<Attempt<ConnectAccountResponse>> {
        let display_name = name.to_owned();
        let request = ConnectAccountRequest { display_name, ..ConnectAccountRequest::default() };
        Ok(Attempt(self.managing()?.connect_account(request).await?.into_inner()))
    }

    pub(super) async fn reconnect(&self) -> Result<Attempt<ReconnectAccountResponse>> {
        let request = again(&self.account);
        Ok(Attempt(self.managing()?.reconnect_account(request).await?.into_inner()))
    }

    /// An account as its tenant sees it.
    pub(super) async fn get(&self, id: &str) -> Result<Account> {
        let request = GetAccountRequest { account_id: id.to_owned(), min_as_of_seq: 0 };
        let answer = self.program.query()?.get_account(request).await?.into_inner();
        answer.account.context("an account")
    }

    pub(super) async fn until_in(&self, id: &str, state: ConnectionState) -> Result<Account> {
        until(&format!("{id} is in {state:?}"), || async {
            self.get(id).await.ok().filter(|account| state_of(account) == state)
        })
        .await
    }

    pub(super) async fn listed(&self) -> Result<Vec<Account>> {
        let request = ListAccountsRequest::default();
        Ok(self.program.query()?.list_accounts(request).await?.into_inner().accounts)
    }

    /// Until no other account is listed than the first one.
    pub(super) async fn until_alone(&self) -> Result<()> {
        until("nothing is seen of a second account", || async {
            let listed = self.listed().await.ok()?;
            (listed.len() == 1 && listed[0].account_id == self.account).then_some(())
        })
        .await
    }

    pub(super) async fn chats(&self) -> Result<usize> {
        let request = ListChatsRequest {
            account_ids: vec![self.account.clone()],
            ..ListChatsRequest::default()
        };
        Ok(self.program.query()?.list_chats(request).await?.into_inner().chats.len())
    }
}

pub(super) fn again(account: &str) -> ReconnectAccountRequest {
    ReconnectAccountRequest { account_id: account.to_owned(), ..ReconnectAccountRequest::default() }
}

pub(super) fn state_of(account: &Account) -> ConnectionState {
    account.connection.as_ref().map_or(ConnectionState::Unspecified, AccountConnection::state)
}

/// The account that a code of the simulator is for.
pub(super) fn account_in(code: &str) -> Result<String> {
    let id = code.split_once('/').and_then(|(_, rest)| rest.split_once(','));
    Ok(id.context("a code of the simulator")?.0.to_owned())
}

/// An answer of either call.
pub(super) trait Told {
    fn told(self) -> Option<LinkStep>;
}

impl Told for ConnectAccountResponse {
    fn told(self) -> Option<LinkStep> {
        self.step
    }
}

impl Told for ReconnectAccountResponse {
    fn told(self) -> Option<LinkStep> {
        self.step
    }
}

/// An attempt that is under way. Dropping it hangs up.
pub(super) struct Attempt<T>(pub(super) Streaming<T>);

impl<T: Told> Attempt<T> {
    /// The next step; `None` at the end.
    pub(super) async fn step(&mut self) -> Result<Option<Step>, Status> {
        Ok(self.0.message().await?.and_then(|it| it.told()?.step))
    }

    /// The next step, which is a code. Returns what it says.
    pub(super) async fn code(&mut self) -> Result<String> {
        match self.step().await? {
            Some(Step::QrCode(code)) => {
                ensure!(code.expires_at.is_some(), "it is not told how long the code is good");
                Ok(code.payload)
            }
            other => bail!("{other:?} instead of a code"),
        }
    }

    /// What comes at the end, after any number of codes and the news that the phone has linked.
    async fn last(&mut self) -> Result<Step> {
        let last = loop {
            match self.step().await?.context("the stream ended without an outcome")? {
                Step::QrCode(_) | Step::Accepted(_) => {}
                step => break step,
            }
        };
        ensure!(self.step().await?.is_none(), "there is more after the outcome");
        Ok(last)
    }

    pub(super) async fn connected(&mut self) -> Result<Account> {
        match self.last().await? {
            Step::Completed(done) => done.account.context("an account"),
            other => bail!("{other:?} instead of an account"),
        }
    }

    pub(super) async fn failed(&mut self) -> Result<LinkFailed> {
        match self.last().await? {
            Step::Failed(failed) => Ok(failed),
            other => bail!("{other:?} instead of a failure"),
        }
    }
}
