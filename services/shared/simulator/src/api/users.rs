use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::call::{Call, writable};
use super::error::Problem;
use crate::mishap::Route;
use crate::world::{AccountKey, Who, World};

/// Numbers that end so are not on WhatsApp.
const NOT_THERE: &str = "0000";

/// Somebody on WhatsApp, whom the account may know already.
pub(super) enum Found {
    Known(Who),
    Stranger { digits: String },
}

/// Looks somebody up: a number that is none, or ends in four zeros, is not on WhatsApp.
pub(super) fn look_up(world: &World, account: AccountKey, jid: &str) -> Option<Found> {
    if let Some(who) = world.find_person_of(account, jid) {
        return Some(Found::Known(who));
    }
    let digits = jid.strip_suffix("@s.whatsapp.net")?;
    let is_number = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let there = is_number && !digits.ends_with(NOT_THERE);
    there.then(|| Found::Stranger { digits: digits.to_owned() })
}

pub(super) async fn profile(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let account = ask.asked_account()?.ok_or_else(|| Problem::missing("account_id"))?;
    let call = Call::about_account(&ask, Route::GetUser, account).await?;
    // The schema has no such answer for WhatsApp.
    if id == "me" {
        return Err(Problem::not_implemented());
    }
    let jid = if id.contains('@') { id } else { format!("{id}@s.whatsapp.net") };
    let jid = {
        let world = call.engine.world.lock();
        writable(&world, account)?;
        match look_up(&world, account, &jid).ok_or_else(Problem::not_found)? {
            Found::Known(who) => {
                let person = world.account(account).and_then(|a| a.people.get(who.0));
                person.ok_or_else(Problem::not_found)?.phone_jid().to_owned()
            }
            Found::Stranger { .. } => jid,
        }
    };
    let body = json!({ "object": "UserProfile", "provider": "WHATSAPP", "id": jid });
    call.answer(StatusCode::OK, &body).await
}
