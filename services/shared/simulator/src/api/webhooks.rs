use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::accounts::After;
use super::ask::{Ask, Body};
use super::call::{Call, to_json};
use super::error::Problem;
use super::page;
use crate::books::Accepted;
use crate::engine::{Header, Source, Subscription};
use crate::mishap::Route;
use crate::rest::{List, WebhookView};

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    request_url: Option<String>,
    source: Option<Source>,
    name: Option<String>,
    format: Option<String>,
    #[serde(default)]
    account_ids: Vec<String>,
    enabled: Option<bool>,
    #[serde(default)]
    headers: Vec<Header>,
    events: Option<Vec<String>>,
    #[serde(default)]
    data: Vec<Value>,
}

pub(super) async fn create(ask: Ask, Body(wish): Body<Wish>) -> Result<Response, Problem> {
    let call = Call::begin(&ask, Route::CreateWebhook, None, None).await?;
    let subscription = wish.subscription(&ask)?;
    let (id, url) = (subscription.id.to_string(), subscription.request_url.clone());
    let subscribed = ask.engine.targets.subscribe(subscription);
    subscribed.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "invalid_url"))?;
    call.enter(Accepted { text: Some(url), ..call.blank() });
    let body = json!({ "object": "WebhookCreated", "webhook_id": id });
    call.answer(StatusCode::CREATED, &body).await
}

impl Wish {
    fn subscription(self, ask: &Ask) -> Result<Subscription, Problem> {
        let request_url = self.request_url.ok_or_else(|| Problem::missing("request_url"))?;
        let source = self.source.ok_or_else(|| Problem::missing("source"))?;
        if self.format.is_some_and(|format| format != "json") {
            return Err(Problem::not_implemented());
        }
        let accounts = self.account_ids.into_iter().map(|id| named(ask, id));
        let accounts = accounts.collect::<Result<_, _>>()?;
        let usual = || source.default_events().iter().map(|&event| event.to_owned()).collect();
        let events: Vec<String> = self.events.unwrap_or_else(usual);
        if let Some(unknown) = events.iter().find(|event| !source.knows(event)) {
            return Err(Problem::invalid(format!("{unknown} is no event of this source")));
        }
        Ok(Subscription {
            id: ask.engine.world.lock().ids().unipile(),
            request_url,
            source,
            name: self.name,
            accounts,
            enabled: self.enabled.unwrap_or(true),
            headers: self.headers,
            data: self.data,
            events,
        })
    }
}

/// An account's id with its name, which is its number.
fn named(ask: &Ask, id: String) -> Result<(String, String), Problem> {
    let key = ask.account(&id)?;
    let world = ask.engine.world.lock();
    let owner = world.account(key).and_then(|account| account.owner());
    Ok((id, owner.map(|owner| owner.digits().to_owned()).unwrap_or_default()))
}

pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (limit, cursor) = (page::limit(&ask)?, page::cursor::<After>(&ask)?);
    let call = Call::begin(&ask, Route::ListWebhooks, None, None).await?;
    let targets = call.engine.targets.all();
    let from = cursor.map_or(0, |cursor| usize::try_from(cursor.after).unwrap_or(usize::MAX));
    let subscriptions = targets.iter().filter_map(|target| target.subscription.as_ref());
    let mut items: Vec<(usize, WebhookView<'_>)> =
        subscriptions.map(WebhookView::from).enumerate().skip(from).take(limit + 1).collect();
    let cursor = page::cut(&mut items, limit, |(n, _)| After { after: *n as u64 + 1 });
    let items = items.into_iter().map(|(_, item)| item).collect();
    let body = to_json(&List { object: "WebhookList", items, cursor });
    call.json(body).await
}

pub(super) async fn remove(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let call = Call::begin(&ask, Route::DeleteWebhook, None, None).await?;
    if !ask.engine.targets.unsubscribe(&id) {
        return Err(Problem::not_found());
    }
    call.enter(Accepted { text: Some(id), ..call.blank() });
    call.answer(StatusCode::OK, &json!({ "object": "WebhookDeleted" })).await
}
