use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Body};
use super::call::{Call, writable};
use super::error::Problem;
use super::users::{Found, look_up};
use crate::engine::Patch;
use crate::mishap::Route;
use crate::world::{ChatKey, Muted, Who};

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    action: Option<String>,
    #[serde(default)]
    value: Value,
}

/// Does something to a chat.
pub(super) async fn patch(
    ask: Ask,
    Path(id): Path<String>,
    Body(wish): Body<Wish>,
) -> Result<Response, Problem> {
    let key = ask.chat(&id)?;
    let call = Call::about_chat(&ask, Route::PatchChat, key).await?;
    let action = wish.action.ok_or_else(|| Problem::missing("action"))?;
    {
        let world = call.engine.world.lock();
        writable(&world, world.chat(key).ok_or_else(Problem::not_found)?.account)?;
    }
    let patch = understand(&ask, key, &action, &wish.value)?;
    call.engine.patch(key, &action, patch, &call.plan);
    call.answer(StatusCode::OK, &json!({ "object": "ChatPatched" })).await
}

fn understand(ask: &Ask, key: ChatKey, action: &str, value: &Value) -> Result<Patch, Problem> {
    let wrong = |what: &str| Problem::invalid(format!("value must be {what}"));
    let flag = || value.as_bool().ok_or_else(|| wrong("true or false"));
    let text = || value.as_str().ok_or_else(|| wrong("a string"));
    Ok(match action {
        "setReadStatus" => Patch::Read(flag()?),
        // What the value means is not documented; a time is taken too, as chats show one.
        "setMuteStatus" => Patch::Mute(match value.as_str().and_then(|time| time.parse().ok()) {
            Some(time) => Muted::Until(time),
            None if flag()? => Muted::Forever,
            None => Muted::No,
        }),
        "setArchiveStatus" => Patch::Archive(flag()?),
        "setPinnedStatus" => Patch::Pin(flag()?),
        "addParticipant" => Patch::Add(participant(ask, key, text()?)?),
        "setLabel" => text().map(|_| Patch::Label)?,
        _ => return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_action")),
    })
}

fn participant(ask: &Ask, key: ChatKey, jid: &str) -> Result<Who, Problem> {
    let world = &mut *ask.engine.world.lock();
    let chat = world.chat(key).ok_or_else(Problem::not_found)?;
    let account = chat.account;
    if !chat.is_group() {
        return Err(Problem::unprocessable("invalid_thread").because("the chat is no group"));
    }
    let who = match look_up(world, account, jid) {
        Some(Found::Known(who)) => Some(who),
        Some(Found::Stranger { digits }) => {
            let stranger = world.stranger(&digits);
            world.meet(account, stranger)
        }
        None => None,
    };
    who.ok_or_else(|| Problem::unprocessable("invalid_recipient"))
}
