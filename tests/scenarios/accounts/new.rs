//! Numbers that are connected, each once.

use super::stage::{Stage, account_in, state_of};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::messaging::v1::{ConnectAccountRequest, LinkMethod};
use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::ConnectionState;
use channel_tests::client;
use channel_tests::until::until;
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

on_both!(
    a_scanned_code_connects_an_account_under_the_name_that_was_given,
    a_code_that_was_renewed_meanwhile_connects_too,
    a_code_that_nobody_scans_expires_and_leaves_nothing,
    a_phone_that_whatsapp_refuses_is_told_of,
    a_second_account_of_a_number_is_refused_and_goes_again,
    whoever_hangs_up_withdraws_the_code,
    whoever_hangs_up_after_the_scan_has_an_account,
    an_upstream_that_is_away_is_told_as_that,
    an_attempt_ends_when_its_codes_cannot_be_renewed,
    an_upstream_that_is_busy_with_another_attempt_is_waited_for,
    an_account_belongs_to_the_tenant_that_connects_it,
    only_an_administrator_connects_accounts,
    codes_to_type_are_offered_only_where_they_are_switched_on,
);

async fn a_scanned_code_connects_an_account_under_the_name_that_was_given(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut attempt = stage.connect("Front desk").await?;
    let id = account_in(&attempt.code().await?)?;
    assert!(stage.get(&id).await.is_err(), "it is shown before it is there");
    assert!(stage.upstream.scan(&id, json!({})).await?);
    let accepted = attempt.step().await?.context("a step")?;
    assert!(matches!(accepted, Step::Accepted(ref it) if it.account_id == id), "{accepted:?}");
    let account = attempt.connected().await?;
    assert_eq!((account.account_id.as_str(), account.display_name.as_str()), (&*id, "Front desk"));
    assert_eq!(state_of(&account), ConnectionState::Ok);
    assert!(!account.phone_number.is_empty());
    assert_eq!(stage.get(&id).await?.display_name, "Front desk");
    assert_eq!(stage.listed().await?.len(), 2);
    stage.program.stop().await.map(drop)
}

async fn a_code_that_was_renewed_meanwhile_connects_too(world: World) -> Result<()> {
    let stage = Stage::with(&world, |it| it.with("MESSAGING__LINK_CODE_SECONDS", "1")).await?;
    let mut attempt = stage.connect("").await?;
    let (first, second) = (attempt.code().await?, attempt.code().await?);
    assert_ne!(first, second);
    let id = account_in(&first)?;
    assert!(stage.upstream.scan(&id, json!({})).await?);
    let account = attempt.connected().await?;
    assert_eq!(account.account_id, id);
    assert_eq!(account.display_name.replace(' ', ""), account.phone_number);
    // Whoever scans one of the other codes now connects nothing.
    let other = account_in(&second)?;
    assert!(other != id, "each code is for an account of its own");
    until("the other codes are withdrawn", || async {
        (stage.upstream.calls("delete_account").await.ok()? > 0).then_some(())
    })
    .await?;
    assert!(!stage.upstream.scan(&other, json!({})).await?, "the other code is still good");
    assert_eq!(stage.get(&id).await?.account_id, id);
    Ok(())
}

async fn a_code_that_nobody_scans_expires_and_leaves_nothing(world: World) -> Result<()> {
    let short = |it: channel_tests::program::Setup| {
        it.with("MESSAGING__LINK_CODE_SECONDS", "1").with("MESSAGING__LINK_SECONDS", "2")
    };
    let stage = Stage::with(&world, short).await?;
    let mut attempt = stage.connect("").await?;
    let id = account_in(&attempt.code().await?)?;
    assert_eq!(attempt.failed().await?.reason, "CODE_EXPIRED");
    until("the codes are withdrawn", || async {
        (stage.upstream.calls("delete_account").await.ok()? >= 2).then_some(())
    })
    .await?;
    assert!(!stage.upstream.scan(&id, json!({})).await?, "the code is good after its end");
    assert_eq!(stage.listed().await?.len(), 1);
    assert_eq!(stage.upstream.accounts().await?.len(), 1);
    Ok(())
}

async fn a_phone_that_whatsapp_refuses_is_told_of(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut attempt = stage.connect("").await?;
    let id = account_in(&attempt.code().await?)?;
    assert!(stage.upstream.scan(&id, json!({ "refused": true })).await?);
    assert_eq!(attempt.failed().await?.reason, "REFUSED");
    // What UniPile refuses at once is told the same way round, as a status.
    let refusal = json!({ "kind": "answer", "status": 403, "type": "feature_not_subscribed" });
    stage.upstream.next_fault("connect_account", refusal).await?;
    let status = refused(&stage, ConnectAccountRequest::default()).await?;
    assert_eq!(status, (Code::FailedPrecondition, "UPSTREAM_REFUSED".to_owned()));
    Ok(())
}

async fn a_second_account_of_a_number_is_refused_and_goes_again(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut attempt = stage.connect("").await?;
    let id = account_in(&attempt.code().await?)?;
    let phone = stage.phone.trim_start_matches('+');
    assert!(stage.upstream.scan(&id, json!({ "phone": phone })).await?);
    let failed = attempt.failed().await?;
    assert_eq!(failed.reason, "ALREADY_CONNECTED");
    assert!(failed.detail.contains(&stage.account), "{}", failed.detail);
    assert!(failed.detail.contains("Reconnect"), "{}", failed.detail);
    let left = stage.upstream.accounts().await?;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].0, stage.account);
    stage.until_alone().await?;
    assert_ne!(state_of(&stage.get(&stage.account).await?), ConnectionState::Deleted);
    Ok(())
}

async fn whoever_hangs_up_withdraws_the_code(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut attempt = stage.connect("").await?;
    let id = account_in(&attempt.code().await?)?;
    let before = stage.upstream.calls("delete_account").await?;
    drop(attempt);
    until("the code is withdrawn", || async {
        (stage.upstream.calls("delete_account").await.ok()? > before).then_some(())
    })
    .await?;
    assert!(!stage.upstream.scan(&id, json!({})).await?, "the code is still good");
    // The program ends at once: nothing is left of the attempt.
    stage.program.stop().await.map(drop)
}

async fn whoever_hangs_up_after_the_scan_has_an_account(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut attempt = stage.connect("Kept").await?;
    let id = account_in(&attempt.code().await?)?;
    assert!(stage.upstream.scan(&id, json!({})).await?);
    let accepted = attempt.step().await?;
    assert!(matches!(accepted, Some(Step::Accepted(_))), "{accepted:?}");
    drop(attempt);
    let account = stage.until_in(&id, ConnectionState::Ok).await?;
    assert_eq!(account.display_name, "Kept");
    Ok(())
}

async fn an_upstream_that_is_away_is_told_as_that(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let place = stage.upstream.kill().await?;
    let request = ConnectAccountRequest::default();
    let mut managing = client::managing(&stage.program.url(), "default")?;
    let status = managing.connect_account(request).await.err().context("it is there")?;
    assert_eq!(status.code(), Code::Unavailable);
    let reason = status.get_details_error_info().map(|info| info.reason);
    assert_eq!(reason.as_deref(), Some("UPSTREAM_UNAVAILABLE"));
    drop(place);
    Ok(())
}

async fn an_attempt_ends_when_its_codes_cannot_be_renewed(world: World) -> Result<()> {
    let stage = Stage::with(&world, |it| it.with("MESSAGING__LINK_CODE_SECONDS", "1")).await?;
    let mut attempt = stage.connect("").await?;
    attempt.code().await?;
    let broken = json!({ "kind": "answer", "status": 503 });
    stage.upstream.route_fault("connect_account", broken, None).await?;
    assert_eq!(attempt.failed().await?.reason, "UPSTREAM_UNAVAILABLE");
    Ok(())
}

async fn an_upstream_that_is_busy_with_another_attempt_is_waited_for(world: World) -> Result<()> {
    let stage = Stage::with(&world, |it| it.with("MESSAGING__LINK_CODE_SECONDS", "1")).await?;
    let busy = |status: u16| json!({ "kind": "answer", "status": status });
    // At the beginning it is for the caller to come again.
    stage.upstream.next_fault("connect_account", busy(425)).await?;
    let status = refused(&stage, ConnectAccountRequest::default()).await?;
    assert_eq!(status, (Code::Unavailable, "LINK_IN_PROGRESS".to_owned()));
    // Later the code that is shown stays until there is another.
    let mut attempt = stage.connect("").await?;
    let first = attempt.code().await?;
    stage.upstream.next_fault("connect_account", busy(409)).await?;
    assert_ne!(attempt.code().await?, first);
    Ok(())
}

async fn an_account_belongs_to_the_tenant_that_connects_it(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let url = stage.program.url();
    let request = ConnectAccountRequest::default();
    let steps = client::managing(&url, "acme")?.connect_account(request).await?.into_inner();
    let mut attempt = super::stage::Attempt(steps);
    let id = account_in(&attempt.code().await?)?;
    assert!(stage.upstream.scan(&id, json!({})).await?);
    assert_eq!(attempt.connected().await?.account_id, id);
    let mut acme = client::query_as(&url, "acme")?;
    let theirs = acme.list_accounts(ListAccountsRequest::default()).await?.into_inner().accounts;
    assert_eq!(theirs.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>(), [&*id]);
    // Nobody else sees it; whose it is, is not told either.
    assert!(stage.listed().await?.iter().all(|it| it.account_id != id));
    let digits = theirs[0].phone_number.trim_start_matches('+').to_owned();
    let mut attempt = stage.connect("").await?;
    let second = account_in(&attempt.code().await?)?;
    assert!(stage.upstream.scan(&second, json!({ "phone": digits })).await?);
    let failed = attempt.failed().await?;
    assert_eq!(failed.reason, "ALREADY_CONNECTED");
    assert!(!failed.detail.contains(&id), "{}", failed.detail);
    Ok(())
}

async fn only_an_administrator_connects_accounts(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut agent = stage.program.messaging()?;
    let status = agent.connect_account(ConnectAccountRequest::default()).await;
    let status = status.err().context("an agent may connect")?;
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(stage.upstream.calls("connect_account").await?, 0);
    Ok(())
}

async fn codes_to_type_are_offered_only_where_they_are_switched_on(world: World) -> Result<()> {
    let pairing = |phone: &str| ConnectAccountRequest {
        method: LinkMethod::PairingCode.into(),
        phone_number: phone.to_owned(),
        ..ConnectAccountRequest::default()
    };
    let stage = Stage::new(&world).await?;
    let status = refused(&stage, pairing("+15550123456")).await?;
    assert_eq!(status, (Code::FailedPrecondition, "PAIRING_DISABLED".to_owned()));
    let wrong = ConnectAccountRequest { method: 0, ..pairing("+15550123456") };
    assert_eq!(refused(&stage, wrong).await?.0, Code::InvalidArgument);
    let Stage { program, upstream, account, phone } = stage;
    let setup = program.stop().await?.with("MESSAGING__PAIRING_CODES", "true");
    let stage = Stage { program: setup.start().await?, upstream, account, phone };
    let steps = stage.managing()?.connect_account(pairing("+1 555 012-3456")).await?;
    let mut attempt = super::stage::Attempt(steps.into_inner());
    let code = attempt.step().await?;
    ensure!(matches!(&code, Some(Step::PairingCode(code)) if code.code.len() == 9), "{code:?}");
    // A number that has an account is known before UniPile is asked.
    let calls = stage.upstream.calls("connect_account").await?;
    let steps = stage.managing()?.connect_account(pairing(&stage.phone)).await?;
    let failed = super::stage::Attempt(steps.into_inner()).failed().await?;
    assert_eq!(failed.reason, "ALREADY_CONNECTED");
    assert_eq!(stage.upstream.calls("connect_account").await?, calls);
    Ok(())
}

async fn refused(stage: &Stage, request: ConnectAccountRequest) -> Result<(Code, String)> {
    let status = stage.managing()?.connect_account(request).await;
    let status = status.err().context("it is not refused")?;
    let reason = status.get_details_error_info().map(|info| info.reason);
    Ok((status.code(), reason.unwrap_or_default()))
}
