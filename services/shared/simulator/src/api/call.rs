//! A call on its way: what goes wrong with it, and what is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::ask::{Ask, Connection};
use super::error::Problem;
use crate::books::Accepted;
use crate::engine::Engine;
use crate::event::Event;
use crate::mishap::{BodyPlan, Ending, Plan, Route};
use crate::world::{AccountKey, AccountStatus, World};

/// How long a call waits for the receivers of its early webhook.
const EARLY: Duration = Duration::from_secs(10);

/// A call of which it is known what it is about.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) engine: Arc<Engine>,
    pub(crate) route: Route,
    pub(crate) plan: Plan,
    connection: Option<Connection>,
    /// Where the list that is asked for was to go on.
    cursor: Option<String>,
}

impl Call {
    /// Enters the call, and lets happen to it what is to happen before anything is done.
    pub(crate) async fn begin(
        ask: &Ask,
        route: Route,
        account: Option<&str>,
        chat: Option<&str>,
    ) -> Result<Self, Problem> {
        let engine = Arc::clone(&ask.engine);
        engine.books.received(route);
        let plan = engine.rules.plan(route, account, chat);
        let cursor = ask.query("cursor").map(ToOwned::to_owned);
        let call = Self { engine, route, plan, connection: ask.connection.clone(), cursor };
        if !call.plan.latency.is_zero() {
            tokio::time::sleep(call.plan.latency).await;
        }
        if call.plan.disconnect {
            call.disconnect(account);
        }
        match &call.plan.before {
            Some(ending) => call.ends_badly(ending).await,
            None => Ok(call),
        }
    }

    /// A call about an account.
    pub(crate) async fn about_account(
        ask: &Ask,
        route: Route,
        account: AccountKey,
    ) -> Result<Self, Problem> {
        let id = ask.engine.world.lock().account(account).map(|account| Arc::clone(&account.id));
        Self::begin(ask, route, id.as_deref(), None).await
    }

    /// A call about a chat.
    pub(crate) async fn about_chat(
        ask: &Ask,
        route: Route,
        chat: crate::world::ChatKey,
    ) -> Result<Self, Problem> {
        let ids = {
            let world = ask.engine.world.lock();
            let account = world.account_of(chat).map(|account| Arc::clone(&account.id));
            (account, world.chat(chat).map(|chat| Arc::clone(&chat.id)))
        };
        Self::begin(ask, route, ids.0.as_deref(), ids.1.as_deref()).await
    }

    fn disconnect(&self, account: Option<&str>) {
        let key = account.and_then(|id| self.engine.world.lock().find_account(id));
        if let Some(key) = key {
            self.engine.set_status(key, AccountStatus::Credentials);
        }
    }

    async fn ends_badly<T>(&self, ending: &Ending) -> Result<T, Problem> {
        match ending {
            Ending::Refused(refusal) => return Err(Problem::ordered(refusal)),
            Ending::Reset => {
                if let Some(Connection(token)) = &self.connection {
                    token.cancel();
                }
            }
            Ending::NoAnswer => {}
        }
        std::future::pending().await
    }

    /// Lets the receivers have a webhook before the call is answered.
    pub(crate) async fn early(&self, event: Option<Event>) {
        let Some(event) = event else { return };
        let deliveries = self.engine.dispatch(event).await;
        let all = async {
            for delivery in deliveries {
                // A delivery does not fail; it ends with what became of it.
                let _ = delivery.await;
            }
        };
        let _ = tokio::time::timeout(EARLY, all).await;
    }

    /// An id in the answer, unless it is to be null.
    pub(crate) fn id<'a>(&self, id: &'a str) -> Option<&'a str> {
        (!self.plan.null_ids).then_some(id)
    }

    /// Answers well, if nothing else is to happen.
    pub(crate) async fn answer(
        self,
        status: StatusCode,
        body: &impl Serialize,
    ) -> Result<Response, Problem> {
        let body = to_json(body);
        self.bytes(status, "application/json; charset=utf-8", body).await
    }

    /// Answers with JSON that was written while the world was at hand.
    pub(crate) async fn json(self, body: Bytes) -> Result<Response, Problem> {
        let body = match &self.cursor {
            Some(cursor) if self.plan.same_cursor => leading_to(cursor, &body),
            _ => body,
        };
        let body = match self.plan.originals {
            Some(bytes) => with_originals(bytes, &body),
            None => body,
        };
        self.bytes(StatusCode::OK, "application/json; charset=utf-8", body).await
    }

    /// Answers with bytes.
    pub(crate) async fn bytes(
        self,
        status: StatusCode,
        kind: &str,
        body: Bytes,
    ) -> Result<Response, Problem> {
        if let Some(ending) = &self.plan.after {
            return self.ends_badly(ending).await;
        }
        self.engine.books.answered(self.route);
        if self.plan.body != BodyPlan::default() {
            return Ok(self.plan.body.answer(status, kind, body));
        }
        Ok((status, [(CONTENT_TYPE, kind.to_owned())], body).into_response())
    }
}

/// A page whose objects carry raw messages of so many bytes.
fn with_originals(bytes: usize, page: &Bytes) -> Bytes {
    let mut page: serde_json::Value = serde_json::from_slice(page).unwrap_or_default();
    for item in page["items"].as_array_mut().into_iter().flatten() {
        item["original"] = "x".repeat(bytes).into();
    }
    to_json(&page)
}

/// A page that goes on at this cursor.
fn leading_to(cursor: &str, page: &Bytes) -> Bytes {
    let mut page: serde_json::Value = serde_json::from_slice(page).unwrap_or_default();
    page["cursor"] = cursor.into();
    to_json(&page)
}

/// Writing plain structs into memory cannot fail; an empty body would fail every test.
pub(crate) fn to_json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// Nothing can be done with an account that is not connected to WhatsApp.
pub(crate) fn writable(world: &World, account: AccountKey) -> Result<(), Problem> {
    let up = world.account(account).is_some_and(|account| account.status.is_up());
    if up { Ok(()) } else { Err(Problem::disconnected()) }
}

impl Call {
    /// An entry for the books that says nothing yet of what the call is about.
    pub(crate) fn blank(&self) -> Accepted {
        Accepted {
            number: 0,
            route: self.route,
            account_id: None,
            chat_id: None,
            message_id: None,
            text: None,
            files: 0,
            at: self.engine.clock.now(),
            faults: self.plan.struck.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// Enters what was accepted into the books.
    pub(crate) fn enter(&self, entry: Accepted) {
        self.engine.books.enter(entry);
        self.engine.beat();
    }
}
