use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::call::{Call, writable};
use super::error::Problem;
use super::form::Form;
use crate::mishap::Route;
use crate::world::{ChatKey, World};

/// How long somebody can be shown as typing.
const LONGEST_TYPING_MS: u64 = 60_000;

/// Sends a message to a chat.
pub(super) async fn send(
    ask: Ask,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Problem> {
    let chat = ask.chat(&id)?;
    let call = Call::about_chat(&ask, Route::SendMessage, chat).await?;
    let mut message = form.message(&call.engine.behaviour())?;
    {
        let world = call.engine.world.lock();
        can_send(&world, chat)?;
        let account = world.account_of(chat).ok_or_else(Problem::not_found)?;
        if form.get("account_id").is_some_and(|wanted| *wanted != *account.id) {
            return Err(Problem::forbidden("account_mismatch"));
        }
    }
    if let Some(quoted) = form.get("quote_id") {
        let quoted = ask.message(quoted).ok().filter(|key| key.chat == chat);
        let quoted = quoted.ok_or_else(|| Problem::unprocessable("invalid_message"))?;
        message.quoted = Some(quoted);
    }
    type_for(form.get("typing_duration")).await?;
    let sent = call.engine.send(chat, &message, call.route, &call.plan);
    let sent = sent.ok_or_else(Problem::not_found)?;
    call.early(sent.early).await;
    let body = json!({ "object": "MessageSent", "message_id": call.id(&sent.message_id) });
    call.answer(StatusCode::CREATED, &body).await
}

/// Whether a chat can be written to now.
pub(super) fn can_send(world: &World, chat: ChatKey) -> Result<(), Problem> {
    let chat = world.chat(chat).ok_or_else(Problem::not_found)?;
    writable(world, chat.account)?;
    if chat.read_only == 0 {
        Ok(())
    } else {
        Err(Problem::unprocessable("cant_send_message").because("the chat is read-only"))
    }
}

/// The other side sees somebody typing for so long, and the call takes as much longer.
async fn type_for(milliseconds: Option<&str>) -> Result<(), Problem> {
    let Some(text) = milliseconds else { return Ok(()) };
    let ms: u64 = text.parse().map_err(|_| Problem::invalid("typing_duration must be a number"))?;
    tokio::time::sleep(Duration::from_millis(ms.min(LONGEST_TYPING_MS))).await;
    Ok(())
}
