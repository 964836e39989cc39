use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::call::{Call, writable};
use super::error::Problem;
use super::form::Form;
use super::send::can_send;
use super::users::{Found, look_up};
use crate::mishap::Route;
use crate::world::{AccountKey, Began, ChatKey, Who, World};

/// What a group is called when nobody says.
const UNNAMED: &str = "New group";

/// Sends a message to a person, whether there is a chat or not, or to a new group.
pub(super) async fn start(ask: Ask, mut form: Form) -> Result<Response, Problem> {
    let account = form.get("account_id").ok_or_else(|| Problem::missing("account_id"))?;
    let account = ask.account(account)?;
    let call = Call::about_account(&ask, Route::StartChat, account).await?;
    let message = form.message(&call.engine.behaviour())?;
    let jids: Vec<&str> = form.all("attendees_ids").collect();
    let subject = form.get("subject").or(form.get("title")).unwrap_or(UNNAMED).to_owned();
    let chat = {
        let world = &mut *call.engine.world.lock();
        writable(world, account)?;
        let people = people(world, account, &jids)?;
        chat_with(world, account, &people, subject)?
    };
    let sent = call.engine.send(chat, &message, call.route, &call.plan);
    let sent = sent.ok_or_else(Problem::not_found)?;
    call.early(sent.early).await;
    let body = json!({
        "object": "ChatStarted",
        "chat_id": call.id(&sent.chat_id),
        "message_id": call.id(&sent.message_id),
    });
    call.answer(StatusCode::CREATED, &body).await
}

/// Everybody who is named, strangers included. Nobody is met unless all of them are on WhatsApp.
fn people(world: &mut World, account: AccountKey, jids: &[&str]) -> Result<Vec<Who>, Problem> {
    if jids.is_empty() {
        return Err(Problem::missing("attendees_ids"));
    }
    let found: Option<Vec<Found>> = jids.iter().map(|jid| look_up(world, account, jid)).collect();
    let found = found.ok_or_else(|| Problem::unprocessable("invalid_recipient"))?;
    let mut people = Vec::new();
    for found in found {
        let who = match found {
            Found::Known(who) => Some(who),
            Found::Stranger { digits } => {
                let stranger = world.stranger(&digits);
                let known = world.find_person_of(account, stranger.phone_jid());
                known.or_else(|| world.meet(account, stranger))
            }
        };
        let who = who.ok_or_else(|| Problem::unprocessable("invalid_recipient"))?;
        if who == Who::OWNER {
            return Err(Problem::unprocessable("invalid_recipient"));
        }
        if !people.contains(&who) {
            people.push(who);
        }
    }
    Ok(people)
}

fn chat_with(
    world: &mut World,
    account: AccountKey,
    people: &[Who],
    subject: String,
) -> Result<ChatKey, Problem> {
    let &[who] = people else {
        return Ok(world.create_group(account, subject, people.to_vec(), Began::Now));
    };
    match world.find_direct(account, who) {
        Some(chat) => can_send(world, chat).map(|()| chat),
        None => Ok(world.add_direct_chat(account, who, Began::Now)),
    }
}
