use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::call::{Call, to_json, writable};
use super::error::Problem;
use super::page;
use crate::books::Accepted;
use crate::mishap::Route;
use crate::rest::{ChatView, List, MessageView};
use crate::world::{AccountKey, Chat, ChatKey, Walk, World};

/// What of all chats is asked for.
struct Wanted {
    accounts: Option<Vec<AccountKey>>,
    chats: Option<Vec<ChatKey>>,
    unread: Option<bool>,
    before: Option<jiff::Timestamp>,
    after: Option<jiff::Timestamp>,
    walk: Option<Walk>,
    limit: usize,
    none: bool,
}

impl Wanted {
    fn of(ask: &Ask) -> Result<Self, Problem> {
        let ids = ask.query("account_id");
        let accounts = ids.map(|ids| ids.split(',').map(|id| ask.account(id)).collect());
        Ok(Self {
            accounts: accounts.transpose()?,
            chats: None,
            unread: page::flag(ask, "unread")?,
            before: page::time(ask, "before")?,
            after: page::time(ask, "after")?,
            walk: page::cursor(ask)?,
            limit: page::limit(ask)?,
            none: ask.query("account_type").is_some_and(|kind| kind != "WHATSAPP"),
        })
    }

    fn has(&self, world: &World, chat: &Chat) -> bool {
        let at = chat.timeline.last_at();
        !self.none
            && world.is_connected(chat.account)
            && self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&chat.account))
            && self.unread.is_none_or(|unread| unread == (chat.unread > 0))
            && self.before.is_none_or(|before| at.is_some_and(|at| at < before))
            && self.after.is_none_or(|after| at.is_some_and(|at| at > after))
            && self.chats.as_ref().is_none_or(|chats| {
                chats.iter().any(|key| world.chat(*key).is_some_and(|c| c.id == chat.id))
            })
    }

    fn page(&self, world: &World) -> Bytes {
        let mark = self.walk.map_or_else(|| world.posted(), |walk| walk.mark);
        let below = self.walk.map(|walk| walk.below);
        let wanted = |chat: &Chat| self.has(world, chat);
        let mut found = world.latest_chats(mark, below, self.limit + 1, wanted);
        let cursor = page::cut(&mut found, self.limit, |&below| Walk { mark, below });
        let items = found.iter().filter_map(|standing| {
            let chat = world.chat(standing.key())?;
            Some(ChatView::new(world.account(chat.account)?, chat))
        });
        to_json(&List { object: "ChatList", items: items.collect(), cursor })
    }
}

pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let wanted = Wanted::of(&ask)?;
    let call = Call::begin(&ask, Route::ListChats, ask.query("account_id"), None).await?;
    let body = wanted.page(&call.engine.world.lock());
    call.json(body).await
}

/// The chats of two with a person.
pub(super) async fn of_attendee(ask: Ask, Path(ids): Path<String>) -> Result<Response, Problem> {
    let mut wanted = Wanted::of(&ask)?;
    let people = ask.people(&ids)?;
    let call = Call::begin(&ask, Route::ListAttendeeChats, ask.query("account_id"), None).await?;
    let body = {
        let world = call.engine.world.lock();
        let direct = people.iter().filter_map(|&(account, who)| world.find_direct(account, who));
        wanted.chats = Some(direct.collect());
        wanted.page(&world)
    };
    call.json(body).await
}

pub(super) async fn one(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.chat(&id)?;
    let call = Call::about_chat(&ask, Route::GetChat, key).await?;
    let body = with_last(&call.engine.world.lock(), key).ok_or_else(Problem::not_found)?;
    call.json(body).await
}

fn with_last(world: &World, key: ChatKey) -> Option<Bytes> {
    let chat = world.chat(key)?;
    let account = world.account(chat.account)?;
    let last = chat.timeline.last();
    let number = chat.timeline.number_at(chat.timeline.len().saturating_sub(1));
    let last = last.as_deref().and_then(|last| MessageView::new(account, chat, number, last));
    Some(to_json(&ChatView::new(account, chat).with_last(last)))
}

/// Starts a synchronisation, tells that it runs, and then that it is done; the call after that starts
/// another one.
pub(super) async fn sync(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    const STATUSES: [&str; 3] = ["SYNC_STARTED", "SYNC_RUNNING", "SYNC_DONE"];
    let key = ask.chat(&id)?;
    let call = Call::about_chat(&ask, Route::SyncChat, key).await?;
    let (chat_id, account_id, calls) = {
        let mut world = call.engine.world.lock();
        let account = world.chat(key).map(|chat| chat.account).ok_or_else(Problem::not_found)?;
        writable(&world, account)?;
        let account_id = world.account(account).map(|account| account.id.to_string());
        let chat = world.chat_mut(key).ok_or_else(Problem::not_found)?;
        let calls = chat.sync_calls;
        chat.sync_calls = (calls + 1) % 3;
        (chat.id.to_string(), account_id, calls)
    };
    let status = STATUSES.get(usize::from(calls)).copied().unwrap_or_default();
    call.enter(Accepted { account_id, chat_id: Some(chat_id.clone()), ..call.blank() });
    let body = json!({ "object": "ChatHistorySync", "chat_id": chat_id, "status": status });
    call.answer(StatusCode::OK, &body).await
}
