use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::call::{Call, to_json};
use super::error::Problem;
use super::{page, portrait};
use crate::mishap::Route;
use crate::rest::{AttendeeView, List};
use crate::world::{AccountKey, Who, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct After {
    a: usize,
    w: usize,
}

pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (limit, after) = (page::limit(&ask)?, page::cursor::<After>(&ask)?);
    let account = ask.asked_account()?;
    let call = Call::begin(&ask, Route::ListAttendees, ask.query("account_id"), None).await?;
    let body = {
        let world = call.engine.world.lock();
        let accounts = world.accounts().iter().enumerate().filter(|(n, _)| {
            account.is_none_or(|key| key.0 == *n) && world.is_connected(AccountKey(*n))
        });
        let places =
            accounts.flat_map(|(a, entry)| (0..entry.people.len()).map(move |w| After { a, w }));
        let places = places.filter(|place| after.is_none_or(|after| *place > after));
        let mut places: Vec<After> = places.take(limit + 1).collect();
        let cursor = page::cut(&mut places, limit, |place| *place);
        let people = places.iter().map(|place| (AccountKey(place.a), Who(place.w)));
        write(&world, people, cursor)
    };
    call.json(body).await
}

fn write(
    world: &World,
    people: impl Iterator<Item = (AccountKey, Who)>,
    cursor: Option<String>,
) -> Bytes {
    let items = people.filter_map(|(account, who)| view(world, account, who)).collect();
    to_json(&List { object: "ChatAttendeeList", items, cursor })
}

fn view(world: &World, account: AccountKey, who: Who) -> Option<AttendeeView<'_>> {
    let account = world.account(account)?;
    Some(AttendeeView::new(&account.id, account.people.get(who.0)?, who == Who::OWNER))
}

/// Everybody in a chat, its owner first.
pub(super) async fn of_chat(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.chat(&id)?;
    let call = Call::about_chat(&ask, Route::ListChatAttendees, key).await?;
    let body = {
        let world = call.engine.world.lock();
        let chat = world.chat(key).ok_or_else(Problem::not_found)?;
        let people = [Who::OWNER].into_iter().chain(chat.others().iter().copied());
        write(&world, people.map(|who| (chat.account, who)), None)
    };
    call.json(body).await
}

pub(super) async fn one(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let (account, who) = ask.person(&id)?;
    let call = Call::about_account(&ask, Route::GetAttendee, account).await?;
    let body = {
        let world = call.engine.world.lock();
        to_json(&view(&world, account, who).ok_or_else(Problem::not_found)?)
    };
    call.json(body).await
}

/// The picture of a person, or of the group whose id it is. Every fourth person has none.
pub(super) async fn picture(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let call = if let Ok((account, who)) = ask.person(&id) {
        let call = Call::about_account(&ask, Route::GetAttendeePicture, account).await?;
        if who.0 % 4 == 3 {
            return Err(Problem::not_found());
        }
        call
    } else {
        Call::about_chat(&ask, Route::GetAttendeePicture, ask.chat(&id)?).await?
    };
    let picture = portrait::png(&id, call.engine.faces.shown(&id));
    call.bytes(StatusCode::OK, "image/png", picture).await
}
