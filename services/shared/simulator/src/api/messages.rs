use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::Path;
use axum::response::Response;

use super::ask::Ask;
use super::call::{Call, to_json};
use super::error::Problem;
use super::page;
use crate::mishap::Route;
use crate::rest::{List, MessageView};
use crate::world::{AccountKey, ChatKey, Message, MessageKey, Place, Who, Window, World};

/// One page of messages, newest first.
struct Page {
    window: Window,
    limit: usize,
}

impl Page {
    fn of(ask: &Ask) -> Result<Self, Problem> {
        let window = Window {
            below: page::cursor(ask)?,
            before: page::time(ask, "before")?,
            after: page::time(ask, "after")?,
        };
        Ok(Self { window, limit: page::limit(ask)? })
    }

    fn find(&self, world: &World, chats: &[ChatKey], sender: Option<Who>) -> Vec<Place> {
        world.newest_messages(chats, self.window, sender, self.limit + 1)
    }

    fn write(&self, world: &World, mut places: Vec<Place>) -> Bytes {
        let cursor = page::cut(&mut places, self.limit, |place| *place);
        let read = |place: &Place| Some((place.key(), world.read(place.key())?));
        let messages: Vec<(MessageKey, Cow<'_, Message>)> =
            places.iter().filter_map(read).collect();
        let items = messages.iter().filter_map(|(key, message)| view(world, *key, message));
        to_json(&List { object: "MessageList", items: items.collect(), cursor })
    }
}

fn view<'a>(world: &'a World, key: MessageKey, message: &'a Message) -> Option<MessageView<'a>> {
    let chat = world.chat(key.chat)?;
    MessageView::new(world.account(chat.account)?, chat, key.number, message)
}

fn chats_of(world: &World, account: Option<AccountKey>) -> Vec<ChatKey> {
    let wanted =
        |key: AccountKey| account.is_none_or(|account| account == key) && world.is_connected(key);
    let chats = world.chats().iter().enumerate();
    chats.filter(|(_, chat)| wanted(chat.account)).map(|(n, _)| ChatKey(n)).collect()
}

/// The sender that the query names, as the account of a chat or the one asked for knows them.
fn sender(ask: &Ask, account: Option<AccountKey>) -> Result<Option<Who>, Problem> {
    let Some(id) = ask.query("sender_id") else { return Ok(None) };
    let people = ask.people(id)?;
    let known = people.iter().find(|(key, _)| account.is_none_or(|account| account == *key));
    known.map(|(_, who)| Some(*who)).ok_or_else(Problem::not_found)
}

pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let page = Page::of(&ask)?;
    let account = ask.asked_account()?;
    if ask.query("sender_id").is_some() {
        let ids = ask.query("sender_id").unwrap_or_default().to_owned();
        return from(&ask, &page, &ids, Route::ListMessages).await;
    }
    let call = Call::begin(&ask, Route::ListMessages, ask.query("account_id"), None).await?;
    let body = {
        let world = call.engine.world.lock();
        page.write(&world, page.find(&world, &chats_of(&world, account), None))
    };
    call.json(body).await
}

pub(super) async fn of_chat(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let page = Page::of(&ask)?;
    let key = ask.chat(&id)?;
    let account = ask.engine.world.lock().chat(key).map(|chat| chat.account);
    let sender = sender(&ask, account)?;
    let call = Call::about_chat(&ask, Route::ListChatMessages, key).await?;
    let body = {
        let world = call.engine.world.lock();
        page.write(&world, page.find(&world, &[key], sender))
    };
    call.json(body).await
}

pub(super) async fn of_attendee(ask: Ask, Path(ids): Path<String>) -> Result<Response, Problem> {
    let page = Page::of(&ask)?;
    from(&ask, &page, &ids, Route::ListAttendeeMessages).await
}

/// All that some people wrote, over all chats.
async fn from(ask: &Ask, page: &Page, ids: &str, route: Route) -> Result<Response, Problem> {
    let people = ask.people(ids)?;
    let call = Call::begin(ask, route, ask.query("account_id"), None).await?;
    let body = {
        let world = call.engine.world.lock();
        let mut places: Vec<Place> = Vec::new();
        for (account, who) in people {
            places.extend(page.find(&world, &chats_of(&world, Some(account)), Some(who)));
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        places.truncate(page.limit + 1);
        page.write(&world, places)
    };
    call.json(body).await
}

pub(super) async fn one(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.message(&id)?;
    let call = Call::about_chat(&ask, Route::GetMessage, key.chat).await?;
    let body = {
        let world = call.engine.world.lock();
        let message = world.read(key).ok_or_else(Problem::not_found)?;
        to_json(&view(&world, key, &message).ok_or_else(Problem::not_found)?)
    };
    call.json(body).await
}
