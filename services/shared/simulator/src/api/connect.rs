//! Connecting accounts: QR codes, and what is done with accounts in trouble.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::ask::{Ask, Body};
use super::call::Call;
use super::error::Problem;
use crate::books::Accepted;
use crate::mishap::Route;
use crate::world::{AccountKey, AccountStatus};

/// What is known of a wish to connect. Other fields are about proxies, of which there are none here.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    provider: Option<String>,
    pairing_phone_number: Option<String>,
}

pub(super) async fn connect(ask: Ask, Body(wish): Body<Wish>) -> Result<Response, Problem> {
    wish.check()?;
    let call = Call::begin(&ask, Route::ConnectAccount, None, None).await?;
    show(call, None, &wish).await
}

pub(super) async fn reconnect(
    ask: Ask,
    Path(id): Path<String>,
    Body(wish): Body<Wish>,
) -> Result<Response, Problem> {
    wish.check()?;
    let key = ask.account(&id)?;
    let call = Call::about_account(&ask, Route::ReconnectAccount, key).await?;
    show(call, Some(key), &wish).await
}

impl Wish {
    fn check(&self) -> Result<(), Problem> {
        match self.provider.as_deref() {
            Some("WHATSAPP") => {}
            Some(_) => return Err(Problem::not_implemented()),
            None => return Err(Problem::missing("provider")),
        }
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match &self.pairing_phone_number {
            Some(number) if !digits(number) => {
                Err(Problem::invalid("pairing_phone_number must be digits"))
            }
            _ => Ok(()),
        }
    }
}

async fn show(call: Call, account: Option<AccountKey>, wish: &Wish) -> Result<Response, Problem> {
    let (account_id, qrcode) = call.engine.show_code(account, None);
    call.enter(Accepted { account_id: Some(account_id.to_string()), ..call.blank() });
    // What the field with a pairing code is called is not documented.
    let checkpoint = match &wish.pairing_phone_number {
        Some(_) => json!({ "type": "PAIRING_CODE", "code": pairing_code(&account_id) }),
        None => json!({ "type": "QRCODE", "qrcode": qrcode }),
    };
    let status = StatusCode::from_u16(call.engine.behaviour().checkpoint_status);
    let body =
        json!({ "object": "Checkpoint", "account_id": &*account_id, "checkpoint": checkpoint });
    call.answer(status.unwrap_or(StatusCode::ACCEPTED), &body).await
}

fn pairing_code(id: &Arc<str>) -> String {
    let letters = id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    let code: String = letters.chain("SIMULATE".chars()).take(8).collect();
    format!("{}-{}", &code[..4], &code[4..])
}

/// Brings an account back from an error, but not one that WhatsApp has logged out.
pub(super) async fn restart(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.account(&id)?;
    let call = Call::about_account(&ask, Route::RestartAccount, key).await?;
    call.enter(Accepted { account_id: Some(id), ..call.blank() });
    let status = call.engine.world.lock().account(key).map(|account| account.status);
    let lost = matches!(status, Some(AccountStatus::Credentials | AccountStatus::Permissions));
    if !lost && !call.plan.without_effect {
        call.engine.set_status(key, AccountStatus::Ok);
    }
    let object = if lost { "AccountFailedToRestart" } else { "AccountRestarted" };
    call.answer(StatusCode::OK, &json!({ "object": object })).await
}
