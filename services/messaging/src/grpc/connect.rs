//! From the contract's calls about connecting to ours, and back.

use channel_domain::{AccountId, Micros, jid};
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::{FieldErrors, to_status};
use channel_runtime::identity::Identity;
use channel_runtime::supervise::Tasks;
use channel_store::reads::AccountRow;
use channel_wire as wire;
use futures::stream;
use secrecy::ExposeSecret as _;
use tonic::Status;

use super::erase;
use super::requests::id;
use super::{Answer, Stated};
use crate::connect::{Connections, LinkStep, Method, Run, Steps};
use crate::error::MessagingError;

pub(super) async fn connect(
    connections: Connections,
    tasks: Tasks,
    caller: Identity,
    request: pb::ConnectAccountRequest,
) -> Answer<Stated<pb::ConnectAccountResponse>> {
    let mut bad = FieldErrors::default();
    let method = method(&mut bad, request.method);
    let name = name(&mut bad, &request.display_name);
    let method = with_number(&mut bad, &method, &request.phone_number);
    if !bad.is_empty() {
        return Err(bad.into());
    }
    let begun = connections.connect(&caller, name, method).await?;
    Ok(streamed(begun, &tasks, |step| pb::ConnectAccountResponse { step: Some(step) }))
}

pub(super) async fn reconnect(
    connections: Connections,
    tasks: Tasks,
    caller: Identity,
    request: pb::ReconnectAccountRequest,
) -> Answer<Stated<pb::ReconnectAccountResponse>> {
    let mut bad = FieldErrors::default();
    let method = method(&mut bad, request.method);
    let account = id::<AccountId>(&mut bad, "account_id", request.account_id);
    let account = account.filter(|_| bad.is_empty()).ok_or(bad)?;
    let begun = connections.reconnect(&caller, account, method).await?;
    Ok(streamed(begun, &tasks, |step| pb::ReconnectAccountResponse { step: Some(step) }))
}

pub(super) async fn remove(
    connections: Connections,
    _tasks: Tasks,
    caller: Identity,
    request: pb::RemoveAccountRequest,
) -> Answer<pb::RemoveAccountResponse> {
    let mut bad = FieldErrors::default();
    let account = id::<AccountId>(&mut bad, "account_id", request.account_id);
    let account = account.filter(|_| bad.is_empty()).ok_or(bad)?;
    let (row, erasure) = connections.remove(&caller, &account, request.erase_data).await?;
    let erasure = erasure.as_ref().map(erase::shown);
    Ok(pb::RemoveAccountResponse { account: Some(shown(&row)), erasure })
}

fn method(bad: &mut FieldErrors, number: i32) -> Method {
    match pb::LinkMethod::try_from(number) {
        Ok(pb::LinkMethod::Unspecified | pb::LinkMethod::QrCode) => Method::Qr,
        Ok(pb::LinkMethod::PairingCode) => Method::Pairing(None),
        Err(_) => {
            bad.add("method", "is not known");
            Method::Qr
        }
    }
}

pub(super) fn name(bad: &mut FieldErrors, text: &str) -> Option<String> {
    let name = text.trim();
    bad.ensure(
        "display_name",
        name.chars().count() <= super::requests::MOST_NAME,
        "must be at most 128 characters",
    );
    bad.ensure("display_name", !name.chars().any(char::is_control), "must be one line of text");
    Some(name).filter(|name| !name.is_empty()).map(ToOwned::to_owned)
}

/// The number that a code to type is for.
fn with_number(bad: &mut FieldErrors, method: &Method, number: &str) -> Method {
    match method {
        Method::Qr => {
            bad.ensure("phone_number", number.is_empty(), "must be empty for a QR code");
            Method::Qr
        }
        Method::Pairing(_) => {
            let phone = jid::phone_from_digits(number);
            bad.ensure("phone_number", phone.is_some(), "must be a phone number in E.164");
            Method::Pairing(phone)
        }
    }
}

/// The attempt goes on in a task of its own, and ends when nobody takes its steps any more.
fn streamed<R: Send + 'static>(
    (steps, run): (Steps, Run),
    tasks: &Tasks,
    response: impl Fn(pb::LinkStep) -> R + Send + 'static,
) -> Stated<R> {
    // What it finds is told by its steps.
    drop(tasks.spawn_owned(run.to_the_end()));
    Box::pin(stream::unfold((steps, response), async |(mut steps, response)| {
        let step = steps.recv().await?;
        let told = told(step).map(&response);
        Some((told, (steps, response)))
    }))
}

pub(super) fn told(step: Result<LinkStep, MessagingError>) -> Result<pb::LinkStep, Status> {
    use pb::link_step::Step;
    let time = |at: Micros| Some(wire::timestamp(at));
    let step = match step.map_err(|error| to_status(&error))? {
        LinkStep::Qr { payload, expires_at } => Step::QrCode(pb::QrCode {
            payload: payload.expose_secret().to_owned(),
            expires_at: time(expires_at),
        }),
        LinkStep::Pairing { code, expires_at } => Step::PairingCode(pb::PairingCode {
            code: code.expose_secret().to_owned(),
            expires_at: time(expires_at),
        }),
        LinkStep::Accepted(account) => {
            Step::Accepted(pb::LinkAccepted { account_id: account.to_string() })
        }
        LinkStep::Completed(row) => {
            Step::Completed(pb::LinkCompleted { account: Some(shown(&row)) })
        }
        LinkStep::Failed(failure) => Step::Failed(pb::LinkFailed {
            reason: failure.reason.name().to_owned(),
            detail: failure.detail,
        }),
    };
    Ok(pb::LinkStep { step: Some(step) })
}

fn shown(row: &AccountRow) -> channel_proto::types::v1::Account {
    let freshness = wire::freshness(&row.record, row.heard_at, row.head.seq);
    wire::account(&row.record, freshness)
}
