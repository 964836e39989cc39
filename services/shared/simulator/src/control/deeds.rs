//! What people do by hand.

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Ask, Body, Problem};
use crate::engine::{How, NewMessage};
use crate::mishap::Route;
use crate::world::AccountStatus;

/// Something that is written in a chat.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    chat_id: String,
    text: String,
    /// Attendee id of the one who writes; by default the first of a chat.
    sender_id: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) message_id: String,
}

/// The owner writes on the phone.
pub(super) async fn phone(ask: Ask, Body(line): Body<Line>) -> Result<Json<Written>, Problem> {
    let chat = ask.chat(&line.chat_id)?;
    let message = NewMessage { text: Some(line.text), ..NewMessage::default() };
    let plan = ask.engine.rules.plan(Route::Phone, None, Some(&line.chat_id));
    let sent = ask.engine.send(chat, &message, Route::Phone, &plan);
    let sent = sent.ok_or_else(Problem::not_found)?;
    Ok(Json(Written { message_id: sent.message_id.to_string() }))
}

/// A contact writes.
pub(super) async fn contact(ask: Ask, Body(line): Body<Line>) -> Result<Json<Written>, Problem> {
    let chat = ask.chat(&line.chat_id)?;
    let sender = line.sender_id.map(|id| ask.person(&id)).transpose()?.map(|(_, who)| who);
    let message_id = ask.engine.contact_writes(chat, sender, line.text);
    Ok(Json(Written { message_id: message_id.ok_or_else(Problem::not_found)? }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    status: AccountStatus,
}

/// Gives an account a state, which it keeps until another one is given.
pub(super) async fn status(
    ask: Ask,
    Path(id): Path<String>,
    Body(state): Body<State>,
) -> Result<Json<Value>, Problem> {
    let key = ask.account(&id)?;
    ask.engine.set_status(key, state.status);
    Ok(Json(json!({})))
}

/// Scans the QR code that is shown for an account.
pub(super) async fn scan(
    ask: Ask,
    Path(id): Path<String>,
    Body(how): Body<How>,
) -> Result<Json<Value>, Problem> {
    if ask.engine.scan(&id, how) { Ok(Json(json!({}))) } else { Err(Problem::not_found()) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadOnly {
    read_only: u8,
}

/// Closes a chat, or opens it again with 0.
pub(super) async fn read_only(
    ask: Ask,
    Path(id): Path<String>,
    Body(wish): Body<ReadOnly>,
) -> Result<Json<Value>, Problem> {
    let key = ask.chat(&id)?;
    if let Some(chat) = ask.engine.world.lock().chat_mut(key) {
        chat.read_only = wish.read_only;
    }
    Ok(Json(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    number: u32,
}

/// A person or group shows another picture. They have as many as there are numbers; at first they show 0.
pub(super) async fn picture(
    ask: Ask,
    Path(id): Path<String>,
    Body(shown): Body<Shown>,
) -> Result<Json<Value>, Problem> {
    ask.person(&id).map(drop).or_else(|_| ask.chat(&id).map(drop))?;
    ask.engine.faces.show(id, shown.number);
    Ok(Json(json!({})))
}
