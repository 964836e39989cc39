//! Numbers that are connected on UniPile's own sign-in page.

use super::stage::{Attempt, Stage, Told, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel_domain::Micros;
use channel_proto::ingest::v1::GetIngestStatusRequest;
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::messaging::v1::{
    CreateHostedLinkRequest, CreateHostedLinkResponse, FollowHostedLinkRequest,
    FollowHostedLinkResponse, LinkStep,
};
use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::ConnectionState;
use channel_store::HostedLinks;
use channel_store::hosted::HostedLink;
use channel_store_postgres::{PostgresConfig, PostgresStore};
use channel_store_sqlite::{Options, SqliteStore};
use channel_tests::client;
use channel_tests::program::{Backend, Setup};
use channel_tests::until::until;
use channel_tests::upstream::Place;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

on_both!(
    whoever_opens_a_link_connects_an_account_under_the_name_that_was_given,
    an_account_is_connected_again_by_a_link_and_keeps_its_id,
    another_number_on_the_page_is_told_apart,
    a_second_account_of_a_number_on_the_page_goes_again,
    a_phone_that_is_refused_uses_no_link_up,
    a_callback_is_believed_once_and_only_with_its_token,
    a_callback_changes_nothing_of_anybody_elses_account,
    a_callback_survives_a_crash_before_it_is_confirmed,
    an_account_whose_callback_was_lost_is_nobodys,
    a_link_needs_an_administrator_and_an_address_that_unipile_reaches,
);

impl Told for FollowHostedLinkResponse {
    fn told(self) -> Option<LinkStep> {
        self.step
    }
}

/// With an address at which the simulator reaches the program.
pub(super) fn reached(setup: Setup) -> Setup {
    let origin = format!("http://{}", setup.gateway);
    setup
        .with("UNIPILE__PUBLIC_URL", &origin)
        .with("MESSAGING__LEASE_SECONDS", "2")
        .with("MESSAGING__IMPORT_WAIT_SECONDS", "0")
        .with("INGEST__WORKER_TICK_SECONDS", "1")
}

pub(super) fn named(name: &str) -> CreateHostedLinkRequest {
    CreateHostedLinkRequest { display_name: name.to_owned(), ..CreateHostedLinkRequest::default() }
}

fn again(account: &str) -> CreateHostedLinkRequest {
    CreateHostedLinkRequest { account_id: account.to_owned(), ..CreateHostedLinkRequest::default() }
}

impl Stage {
    pub(super) async fn link(
        &self,
        wish: CreateHostedLinkRequest,
    ) -> Result<CreateHostedLinkResponse> {
        Ok(self.managing()?.create_hosted_link(wish).await?.into_inner())
    }

    pub(super) async fn follow(
        &self,
        link: &CreateHostedLinkResponse,
    ) -> Result<Attempt<FollowHostedLinkResponse>> {
        let request = FollowHostedLinkRequest { link_id: link.link_id.clone() };
        Ok(Attempt(self.managing()?.follow_hosted_link(request).await?.into_inner()))
    }

    async fn refused(&self, wish: CreateHostedLinkRequest) -> Result<(Code, String)> {
        let status = self.managing()?.create_hosted_link(wish).await;
        Ok(reason(&status.err().context("it is not refused")?))
    }
}

fn reason(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason);
    (status.code(), reason.unwrap_or_default())
}

/// Calls back as UniPile would.
async fn call(callback: &str, body: Value) -> Result<u16> {
    let request = reqwest::Client::new().post(callback).json(&body);
    Ok(request.send().await?.status().as_u16())
}

fn created(account: &str) -> Value {
    json!({ "status": "CREATION_SUCCESS", "account_id": account, "name": "as it was given" })
}

async fn whoever_opens_a_link_connects_an_account_under_the_name_that_was_given(
    world: World,
) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let wish = CreateHostedLinkRequest {
        success_url: "https://app.example.com/connected".into(),
        ..named("Front desk")
    };
    let link = stage.link(wish.clone()).await?;
    ensure!(link.expires_at.is_some(), "it is not told how long the link is good");
    ensure!(stage.link(wish).await?.url != link.url, "each call makes a new link");
    let mut steps = stage.follow(&link).await?;
    let next = stage.upstream.open(&link.url, json!({ "calls": 2 })).await?;
    assert_eq!(next.as_deref(), Some("https://app.example.com/connected"));
    let accepted = steps.step().await?;
    let Some(Step::Accepted(accepted)) = accepted else {
        anyhow::bail!("{accepted:?} instead of a phone")
    };
    let account = steps.connected().await?;
    assert_eq!(account.account_id, accepted.account_id);
    assert_eq!((state_of(&account), &*account.display_name), (ConnectionState::Ok, "Front desk"));
    ensure!(!account.phone_number.is_empty(), "its number is not known");
    assert_eq!(stage.listed().await?.len(), 2);
    until("its history is read in", || async {
        let account = stage.get(&account.account_id).await.ok()?;
        account.freshness?.complete_up_to
    })
    .await?;
    // The outcome can be asked for later too.
    let told = stage.follow(&link).await?.connected().await?;
    assert_eq!(told.account_id, account.account_id);
    stage.program.stop().await.map(drop)
}

async fn an_account_is_connected_again_by_a_link_and_keeps_its_id(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let chats = stage.chats().await?;
    stage.upstream.status("CREDENTIALS").await?;
    stage.until_in(&stage.account, ConnectionState::Credentials).await?;
    let link = stage.link(again(&stage.account)).await?;
    let callback = stage.upstream.callback(&link.url).await?;
    assert_eq!(call(&callback, created("another account")).await?, 400);
    stage.upstream.open(&link.url, json!({})).await?;
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!(
        (account.account_id.as_str(), &account.phone_number),
        (&*stage.account, &stage.phone)
    );
    assert_eq!(state_of(&account), ConnectionState::Ok);
    // What it has in store stays, and what it missed is fetched.
    ensure!(stage.chats().await? >= chats, "chats are gone");
    assert_eq!(stage.listed().await?.len(), 1);
    Ok(())
}

async fn another_number_on_the_page_is_told_apart(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    stage.upstream.status("CREDENTIALS").await?;
    stage.until_in(&stage.account, ConnectionState::Credentials).await?;
    let link = stage.link(again(&stage.account)).await?;
    stage.upstream.open(&link.url, json!({ "phone": "15559990001" })).await?;
    assert_eq!(stage.follow(&link).await?.failed().await?.reason, "WRONG_ACCOUNT");
    assert_eq!(stage.get(&stage.account).await?.phone_number, stage.phone);
    Ok(())
}

async fn a_second_account_of_a_number_on_the_page_goes_again(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let link = stage.link(named("Again")).await?;
    let phone = stage.phone.trim_start_matches('+');
    stage.upstream.open(&link.url, json!({ "phone": phone })).await?;
    let failed = stage.follow(&link).await?.failed().await?;
    assert_eq!(failed.reason, "ALREADY_CONNECTED");
    ensure!(failed.detail.contains(&stage.account), "{}", failed.detail);
    let left = stage.upstream.accounts().await?;
    assert_eq!(left.iter().map(|it| &it.0).collect::<Vec<_>>(), [&stage.account]);
    stage.until_alone().await?;
    // Whoever asks later is told the same.
    assert_eq!(stage.follow(&link).await?.failed().await?, failed);
    assert_eq!(state_of(&stage.get(&stage.account).await?), ConnectionState::Ok);
    Ok(())
}

async fn a_phone_that_is_refused_uses_no_link_up(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let wish = CreateHostedLinkRequest {
        failure_url: "http://localhost:3000/failed".into(),
        ..named("In the end")
    };
    let link = stage.link(wish).await?;
    let next = stage.upstream.open(&link.url, json!({ "refused": true })).await?;
    assert_eq!(next.as_deref(), Some("http://localhost:3000/failed"));
    let callback = stage.upstream.callback(&link.url).await?;
    let failed = json!({ "status": "CREATION_FAIL", "account_id": "it was never there" });
    assert_eq!(call(&callback, failed.clone()).await?, 200);
    stage.upstream.open(&link.url, json!({})).await?;
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!(account.display_name, "In the end");
    assert_eq!(call(&callback, failed).await?, 404);
    Ok(())
}

async fn a_callback_is_believed_once_and_only_with_its_token(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let link = stage.link(named("Once")).await?;
    let callback = stage.upstream.callback(&link.url).await?;
    let (address, token) = callback.rsplit_once('/').context("a token")?;
    assert_eq!(URL_SAFE_NO_PAD.decode(token)?.len(), 32);
    let unknown = URL_SAFE_NO_PAD.encode([7; 32]);
    for wrong in [&*unknown, "short", "%00%ff", &token[..42]] {
        assert_eq!(call(&format!("{address}/{wrong}"), created("x")).await?, 404, "{wrong}");
    }
    for nonsense in [json!({}), json!([]), json!({ "status": "OK", "account_id": "x" })] {
        assert_eq!(call(&callback, nonsense.clone()).await?, 400, "{nonsense}");
    }
    let large = json!({ "status": "CREATION_SUCCESS", "account_id": "x".repeat(5_000) });
    assert_eq!(call(&callback, large).await?, 413);
    assert_eq!(reqwest::get(&callback).await?.status(), 405);
    // Nothing of all that used it up.
    stage.upstream.open(&link.url, json!({})).await?;
    let id = stage.follow(&link).await?.connected().await?.account_id;
    for account in [&*id, "another"] {
        assert_eq!(call(&callback, created(account)).await?, 404);
    }
    // One that has ended is as good as none.
    let Stage { program, upstream, .. } = stage;
    let setup = program.stop().await?;
    keep_ended(&world.backend, [9; 32]).await?;
    let program = setup.start().await?;
    let ended = URL_SAFE_NO_PAD.encode([9; 32]);
    let callback = format!("{}hosted/{ended}", program.webhooks());
    assert_eq!(call(&callback, created("x")).await?, 404);
    drop(upstream);
    program.stop().await.map(drop)
}

/// Keeps a link that has ended, under a token.
async fn keep_ended(backend: &Backend, token: [u8; 32]) -> Result<()> {
    let link = HostedLink {
        id: Uuid::from_u128(9),
        tenant: "default".into(),
        name: None,
        account: None,
        made_at: Micros(1),
        expires_at: Micros(2),
    };
    let hash = Sha256::digest(token).into();
    match backend {
        Backend::Sqlite(folder) => {
            let store = SqliteStore::open(folder, Options::default()).await?;
            store.keep_link(&link, &hash).await?;
            store.close().await;
        }
        Backend::Postgres(url) => {
            let store = PostgresStore::connect(PostgresConfig::new(url.clone())).await?;
            store.keep_link(&link, &hash).await?;
        }
    }
    Ok(())
}

async fn a_callback_changes_nothing_of_anybody_elses_account(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let url = stage.program.url();
    let mut acme = client::managing(&url, "acme")?;
    let link = acme.create_hosted_link(named("Mine now")).await?.into_inner();
    let callback = stage.upstream.callback(&link.url).await?;
    let before = stage.get(&stage.account).await?;
    assert_eq!(call(&callback, created(&stage.account)).await?, 200);
    let follow = FollowHostedLinkRequest { link_id: link.link_id.clone() };
    let mut steps = Attempt(acme.follow_hosted_link(follow.clone()).await?.into_inner());
    let failed = steps.failed().await?;
    assert_eq!(failed.reason, "ALREADY_CONNECTED");
    let after = stage.get(&stage.account).await?;
    assert_eq!(
        (&after.display_name, state_of(&after)),
        (&before.display_name, ConnectionState::Ok)
    );
    assert_eq!(stage.upstream.calls("delete_account").await?, 0);
    let mut theirs = client::query_as(&url, "acme")?;
    assert_eq!(
        theirs.list_accounts(ListAccountsRequest::default()).await?.into_inner().accounts,
        []
    );
    // Its own account is not removed either, when a callback names it.
    let link = stage.link(named("Twice")).await?;
    let callback = stage.upstream.callback(&link.url).await?;
    assert_eq!(call(&callback, created(&stage.account)).await?, 200);
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!((account.account_id, account.display_name), (after.account_id, after.display_name));
    // Whose link it is, is whose business its outcome is.
    let status = stage.managing()?.follow_hosted_link(follow).await;
    let status = status.err().context("somebody else may follow it")?;
    assert_eq!(reason(&status), (Code::NotFound, "HOSTED_LINK_NOT_FOUND".to_owned()));
    Ok(())
}

async fn a_callback_survives_a_crash_before_it_is_confirmed(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let broken = json!({ "kind": "answer", "status": 503 });
    stage.upstream.route_fault("get_account", broken, None).await?;
    let link = stage.link(named("Survivor")).await?;
    let mut steps = stage.follow(&link).await?;
    stage.upstream.open(&link.url, json!({})).await?;
    ensure!(matches!(steps.step().await?, Some(Step::Accepted(_))), "nobody signed in");
    let Stage { program, upstream, account, phone } = stage;
    let setup = program.kill().await?;
    upstream.heal().await?;
    let stage = Stage { program: setup.start().await?, upstream, account, phone };
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!((state_of(&account), &*account.display_name), (ConnectionState::Ok, "Survivor"));
    Ok(())
}

async fn an_account_whose_callback_was_lost_is_nobodys(world: World) -> Result<()> {
    let stage = Stage::with(&world, reached).await?;
    let Stage { program, upstream, account, phone } = stage;
    let program = program.stop().await?.with("STORE__TENANT", "").start().await?;
    let stage = Stage { program, upstream, account, phone };
    let link = stage.link(named("Lost")).await?;
    stage.upstream.open(&link.url, json!({ "calls": 0 })).await?;
    let held = async || {
        let mut ingest = stage.program.ingest().ok()?;
        let status = ingest.get_ingest_status(GetIngestStatusRequest {});
        Some(status.await.ok()?.into_inner().held)
    };
    until("its webhooks are held", || async { held().await.filter(|held| *held > 0) }).await?;
    assert_eq!(stage.listed().await?.len(), 1);
    // Once the callback comes after all, what was held belongs to the account.
    let known = stage.account.as_str();
    let new = stage.upstream.accounts().await?.into_iter().find(|it| it.0 != known);
    let (id, _) = new.context("a second account")?;
    let callback = stage.upstream.callback(&link.url).await?;
    assert_eq!(call(&callback, created(&id)).await?, 200);
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!((account.account_id, &*account.display_name), (id, "Lost"));
    until("nothing is held", || async { held().await.filter(|held| *held == 0) }).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_finds_its_way_to_roles_in_processes_of_their_own() {
    apart(crate::world::postgres().await).await.unwrap();
}

async fn apart(world: World) -> Result<()> {
    let role = |name: &str| Setup::role(name, &world.backend);
    let door = role("gateway")?;
    let place = Place::beside(&door)?;
    let ingest = role("ingest")?.start().await?;
    let query = role("query")?.start().await?;
    let origin = format!("http://{}", door.gateway);
    let messaging = place.known_to(role("messaging")?).with("UNIPILE__PUBLIC_URL", &origin);
    let messaging = messaging.with("MESSAGING__POLL_INTERVAL_MS", "50").start().await?;
    let program = door
        .with("GATEWAY__UPSTREAMS__QUERY", &format!("http://{}", query.setup.server))
        .with("GATEWAY__UPSTREAMS__MESSAGING", &format!("http://{}", messaging.setup.server))
        .with("GATEWAY__UPSTREAMS__INGEST", &format!("http://{}", ingest.setup.server))
        .with("GATEWAY__UPSTREAMS__WEBHOOK", &format!("http://{}", ingest.setup.webhook));
    let program = program.start().await?;
    let upstream = place.start().await?;
    upstream.nobody_scans().await?;
    let stage = Stage { program, upstream, account: String::new(), phone: String::new() };
    let link = stage.link(named("Far away")).await?;
    stage.upstream.open(&link.url, json!({})).await?;
    let account = stage.follow(&link).await?.connected().await?;
    assert_eq!(account.display_name, "Far away");
    Ok(())
}

async fn a_link_needs_an_administrator_and_an_address_that_unipile_reaches(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let missing = (Code::FailedPrecondition, "PUBLIC_URL_NOT_CONFIGURED".to_owned());
    assert_eq!(stage.refused(named("")).await?, missing);
    let status = stage.program.messaging()?.create_hosted_link(named("")).await;
    assert_eq!(status.err().context("an agent may")?.code(), Code::PermissionDenied);
    let unknown = (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned());
    assert_eq!(stage.refused(again("nobody's")).await?, unknown);
    let unsafe_url = CreateHostedLinkRequest {
        success_url: "http://app.example.com/".into(),
        ..CreateHostedLinkRequest::default()
    };
    assert_eq!(stage.refused(unsafe_url).await?.0, Code::InvalidArgument);
    assert_eq!(stage.upstream.calls("hosted_link").await?, 0);
    Ok(())
}
