//! What can be done to a message.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::ask::{Ask, Body};
use super::call::{Call, writable};
use super::error::Problem;
use super::form::check_text;
use super::no_route;
use super::send::can_send;
use crate::engine::{NewMessage, ReactionPath, Undoable};
use crate::mishap::Route;
use crate::world::{Content, Message, MessageKey};

/// A call about a message that is still there, of an account that is connected.
async fn begin(ask: &Ask, route: Route, key: MessageKey) -> Result<Call, Problem> {
    let call = Call::about_chat(ask, route, key.chat).await?;
    let world = call.engine.world.lock();
    writable(&world, world.chat(key.chat).ok_or_else(Problem::not_found)?.account)?;
    let message = world.read(key).ok_or_else(Problem::not_found)?;
    if message.deleted || message.is_notice() {
        return Err(Problem::unprocessable("invalid_message"));
    }
    drop(message);
    drop(world);
    Ok(call)
}

fn only_own(call: &Call, key: MessageKey) -> Result<(), Problem> {
    let world = call.engine.world.lock();
    let own = world.read(key).is_some_and(|message| message.is_own());
    if own { Ok(()) } else { Err(Problem::forbidden("insufficient_permissions")) }
}

#[derive(Debug, Deserialize)]
pub(super) struct NewText {
    text: Option<String>,
}

/// Gives an own message another text. How UniPile answers is not documented.
pub(super) async fn edit(
    ask: Ask,
    Path(id): Path<String>,
    Body(wish): Body<NewText>,
) -> Result<Response, Problem> {
    let key = ask.message(&id)?;
    let call = begin(&ask, Route::EditMessage, key).await?;
    let text = wish.text.filter(|text| !text.is_empty()).ok_or_else(|| Problem::missing("text"))?;
    check_text(&text, &call.engine.behaviour())?;
    only_own(&call, key)?;
    call.engine.change(key, Undoable::Edit(text), call.route, &call.plan);
    call.answer(StatusCode::OK, &json!({ "object": "MessageEdited" })).await
}

/// Deletes an own message for everyone.
pub(super) async fn remove(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.message(&id)?;
    let call = begin(&ask, Route::DeleteMessage, key).await?;
    only_own(&call, key)?;
    call.engine.change(key, Undoable::Delete, call.route, &call.plan);
    call.answer(StatusCode::OK, &json!({ "object": "MessageDeleted" })).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Emoji {
    reaction: Option<String>,
}

pub(super) async fn react_singular(ask: Ask, id: Path<String>, request: Request) -> Answer {
    react(ask, id, request, ReactionPath::Plural).await
}

pub(super) async fn react_plural(ask: Ask, id: Path<String>, request: Request) -> Answer {
    react(ask, id, request, ReactionPath::Singular).await
}

type Answer = Result<Response, Problem>;

/// Reacts to a message, unless reactions are posted elsewhere.
async fn react(
    ask: Ask,
    Path(id): Path<String>,
    request: Request,
    elsewhere: ReactionPath,
) -> Answer {
    use axum::extract::FromRequest as _;
    if ask.engine.behaviour().reactions == elsewhere {
        return Ok(no_route(request).await);
    }
    let Body(wish) = Body::<Emoji>::from_request(request, &ask.engine).await?;
    let key = ask.message(&id)?;
    let call = begin(&ask, Route::ReactToMessage, key).await?;
    let emoji = wish.reaction.filter(|emoji| !emoji.is_empty());
    let emoji = emoji.ok_or_else(|| Problem::missing("reaction"))?;
    call.engine.change(key, Undoable::React(emoji.into()), call.route, &call.plan);
    let body = json!({ "object": "MessageReactionAdded", "success": true });
    call.answer(StatusCode::OK, &body).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Destination {
    chat_id: Option<String>,
}

/// Passes a message on to another chat of the same account.
pub(super) async fn forward(
    ask: Ask,
    Path(id): Path<String>,
    Body(wish): Body<Destination>,
) -> Result<Response, Problem> {
    let key = ask.message(&id)?;
    let call = begin(&ask, Route::ForwardMessage, key).await?;
    let to = wish.chat_id.ok_or_else(|| Problem::missing("chat_id"))?;
    let to = ask.chat(&to)?;
    let message = {
        let world = call.engine.world.lock();
        can_send(&world, to)?;
        if world.chat(to).map(|chat| chat.account) != world.chat(key.chat).map(|c| c.account) {
            return Err(Problem::forbidden("account_mismatch"));
        }
        passed_on(&*world.read(key).ok_or_else(Problem::not_found)?)
    };
    let sent = call.engine.send(to, &message, call.route, &call.plan);
    let sent = sent.ok_or_else(Problem::not_found)?;
    call.early(sent.early).await;
    let body = json!({ "object": "MessageForwarded", "message_id": call.id(&sent.message_id) });
    call.answer(StatusCode::OK, &body).await
}

fn passed_on(message: &Message) -> NewMessage {
    let content: Content = message.content.clone();
    let text = content.text().map(str::to_owned);
    NewMessage { text, forwarded: Some(content), ..NewMessage::default() }
}
