//! Pages for signing in. Opening one is as good as scanning its code.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Body};
use super::call::Call;
use super::error::Problem;
use crate::books::Accepted;
use crate::engine::{Engine, How, Link, Notify};
use crate::mishap::Route;

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(rename = "type")]
    kind: Option<String>,
    providers: Option<Value>,
    reconnect_account: Option<String>,
    api_url: Option<String>,
    #[serde(rename = "expiresOn")]
    expires_on: Option<String>,
    name: Option<String>,
    notify_url: Option<String>,
    success_redirect_url: Option<String>,
    failure_redirect_url: Option<String>,
}

pub(super) async fn link(ask: Ask, Body(wish): Body<Wish>) -> Result<Response, Problem> {
    let link = wish.link(&ask)?;
    let route = Route::HostedLink;
    let call = match link.account {
        Some(account) => Call::about_account(&ask, route, account).await?,
        None => Call::begin(&ask, route, None, None).await?,
    };
    let token = ask.engine.world.lock().ids().attachment().to_string();
    call.enter(Accepted { account_id: wish.reconnect_account, ..call.blank() });
    ask.engine.links.add(token.clone(), link);
    let url = format!("http://{}/simulator/hosted/{token}", ask.host);
    call.answer(StatusCode::OK, &json!({ "object": "HostedAuthUrl", "url": url })).await
}

impl Wish {
    fn link(&self, ask: &Ask) -> Result<Link, Problem> {
        let account = match self.kind.as_deref() {
            Some("create") => {
                self.providers.as_ref().ok_or_else(|| Problem::missing("providers"))?;
                None
            }
            Some("reconnect") => {
                let id = self.reconnect_account.as_deref();
                Some(ask.account(id.ok_or_else(|| Problem::missing("reconnect_account"))?)?)
            }
            _ => return Err(Problem::invalid("type must be create or reconnect")),
        };
        self.api_url.as_ref().ok_or_else(|| Problem::missing("api_url"))?;
        let expires = self.expires_on.as_deref().ok_or_else(|| Problem::missing("expiresOn"))?;
        let expires: Timestamp = expires
            .parse()
            .map_err(|_| Problem::invalid("expiresOn must be like 2026-02-01T10:00:00.000Z"))?;
        let name = self.name.clone();
        let notify = self.notify_url.clone().map(|url| Notify { url, name, calls: 1 });
        let (success, failure) =
            (self.success_redirect_url.clone(), self.failure_redirect_url.clone());
        Ok(Link { account, notify, success, failure, expires })
    }
}

/// How somebody signs in.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Deed {
    /// The digits of the phone's number.
    phone: Option<String>,
    /// WhatsApp does not link the phone.
    refused: bool,
    /// How often the callback comes: not at all, or several times.
    calls: u32,
}

impl Default for Deed {
    fn default() -> Self {
        Self { phone: None, refused: false, calls: 1 }
    }
}

/// Where the callback of a page goes, for tests that call there themselves.
pub(crate) async fn callback(
    State(engine): State<Arc<Engine>>,
    Path(token): Path<String>,
) -> Result<Json<Value>, Problem> {
    let link = engine.links.get(&token, engine.clock.now()).ok_or_else(Problem::not_found)?;
    Ok(Json(json!({ "notify_url": link.notify.map(|notify| notify.url) })))
}

/// The page. It needs no key: whoever has the link may sign in.
pub(crate) async fn page(
    State(engine): State<Arc<Engine>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    sign_in(&engine, &token, Deed::default())
}

/// The page, with what somebody does there told by a test.
pub(crate) async fn page_of(
    State(engine): State<Arc<Engine>>,
    Path(token): Path<String>,
    Body(deed): Body<Deed>,
) -> Result<Response, Problem> {
    sign_in(&engine, &token, deed)
}

fn sign_in(engine: &Engine, token: &str, deed: Deed) -> Result<Response, Problem> {
    let link = engine.links.get(token, engine.clock.now());
    let link = link.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "expired_link"))?;
    let notify = link.notify.map(|notify| Notify { calls: deed.calls, ..notify });
    let (account_id, _) = engine.show_code(link.account, notify);
    let next = if deed.refused { link.failure } else { link.success };
    engine.scan(&account_id, How { phone: deed.phone, refused: deed.refused });
    Ok(match next {
        Some(url) => Redirect::to(&url).into_response(),
        None if deed.refused => {
            Html("<!doctype html><title>Refused</title><p>The simulated phone is not linked.")
                .into_response()
        }
        None => Html("<!doctype html><title>Connected</title><p>The simulated phone is connected.")
            .into_response(),
    })
}
